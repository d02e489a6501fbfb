"""The audit trail: one row for each authentication event."""
