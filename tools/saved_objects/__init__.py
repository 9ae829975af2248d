"""Kibana's data views, searches and dashboards, from definitions to the file that the role kibana gives to Kibana."""
