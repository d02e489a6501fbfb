"""Janua's authentication service: a FastAPI application that `service.app.create_app` wires together."""

__version__ = "0.1.0"
