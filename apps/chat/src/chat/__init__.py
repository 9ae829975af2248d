"""A small chat."""
