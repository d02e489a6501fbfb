"""Tokens: opaque ones that are looked up, and signed ones (JWT) for services that cannot ask."""
