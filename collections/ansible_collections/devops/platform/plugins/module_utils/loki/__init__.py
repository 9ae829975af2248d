"""Loki for logs: what platform.yml says of it, and the server that follows; docs/logging.md."""
