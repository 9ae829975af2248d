"""Kibana: the server, and what it shows as objects under version control; docs/logging.md."""
