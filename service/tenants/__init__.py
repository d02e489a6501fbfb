"""Tenants and how a request names one."""
