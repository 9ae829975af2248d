"""Whether the queries of Grafana's dashboards can be answered: decisions are pure, Prometheus is handed in."""
