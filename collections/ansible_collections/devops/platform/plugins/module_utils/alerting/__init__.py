"""Who is told of which alert, how and when: Alertmanager's configuration from platform.monitoring.alerting."""
