"""Logs: from `platform.logging` to what ships them."""
