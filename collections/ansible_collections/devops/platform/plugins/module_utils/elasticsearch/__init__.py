"""Elasticsearch for logs: nodes, cluster objects, rolling changes, retention, restoring; docs/logging.md."""
