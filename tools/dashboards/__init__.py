"""Dashboards as data, and the generator that writes them as Grafana reads them: ``python -m tools.dashboards``."""
