"""Roles: what a user may do follows from those that it has."""
