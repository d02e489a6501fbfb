"""The panels as pictures, drawn from their own queries and units: the dashboards where no Grafana is."""
