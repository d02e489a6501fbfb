"""Reports: one HTML file for each run, which needs nothing beside it, and a history of them."""
