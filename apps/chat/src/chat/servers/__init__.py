"""Configurations of gunicorn."""
