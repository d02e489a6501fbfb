"""Steps of a deployment that run inside containers, each to completion."""
