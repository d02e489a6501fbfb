"""Signing up, logging in, validating a token and logging out."""
