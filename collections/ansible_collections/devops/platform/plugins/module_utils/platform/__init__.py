"""What reads `platform.yml` and decides: topology, scrape jobs, Compose files, routes, secrets, preflight."""
