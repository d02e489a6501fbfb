"""What the service does beside answering from the cache: hashing, the audit trail, tidying up."""

from dashboards.panels import COUNT, PER_SECOND, WINDOW, Panel, Series, graph


def lines() -> list[list[Panel]]:
    """Return password hashing, the audit trail and the clean-up of sessions."""
    return [
        [
            graph(
                "Password hashing",
                "Passwords hashed per second, waiting for a hashing thread, and refused because too many wait.",
                [
                    Series(f"sum(rate(janua_hashes_total[{WINDOW}]))", "hashed per second"),
                    Series("sum(janua_hash_queue_depth)", "waiting"),
                    Series(f"sum(rate(janua_hash_rejections_total[{WINDOW}]))", "refused per second"),
                ],
                COUNT,
            ),
            graph(
                "Audit trail",
                "Rows committed to the audit trail per second, by event; events that do not happen are left out.",
                [Series(f"sum by (event_type) (rate(janua_audit_rows_total[{WINDOW}])) > 0", "{{event_type}}")],
                PER_SECOND,
            ),
            graph(
                "Sessions cleaned up",
                "Sessions deleted per second because they cannot be used or refreshed any more, by replica.",
                [Series(f"sum by (instance) (rate(janua_sessions_cleaned_total[{WINDOW}]))", "{{instance}}")],
                PER_SECOND,
            ),
        ]
    ]
