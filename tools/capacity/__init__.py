"""How much one Prometheus carries: hosts' worth of series from a generator, and what they cost."""
