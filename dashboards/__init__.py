"""Grafana dashboards as code, the JSON that they give, and what Grafana needs to load it."""
