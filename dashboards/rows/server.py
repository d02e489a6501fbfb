"""How is PostgreSQL itself?"""

from dashboards.panels import BYTES, COUNT, MILLISECONDS, PER_SECOND, PERCENT, WINDOW, Panel, Series, graph

_OURS = 'datname="janua"'


def lines() -> list[list[Panel]]:
    """Return connections, locks and transactions, then memory, growth and what was undone."""
    return [_present(), _past()]


def _present() -> list[Panel]:
    return [
        graph(
            "Server connections",
            "Connections to the database by state, and how many the server accepts.",
            [
                Series(f"sum by (state) (pg_stat_activity_count{{{_OURS}}})", "{{state}}"),
                Series("pg_settings_max_connections", "accepted"),
            ],
            COUNT,
        ),
        graph(
            "Locks",
            "Locks that are held or waited for, by mode; exclusive ones that stay are somebody's open transaction.",
            [Series(f"sum by (mode) (pg_locks_count{{{_OURS}}})", "{{mode}}")],
            COUNT,
        ),
        graph(
            "Transactions",
            "Per second: committed, rolled back, and ended because they were locked in a circle.",
            [
                Series(f"rate(pg_work_commits_total[{WINDOW}])", "committed"),
                Series(f"rate(pg_work_rollbacks_total[{WINDOW}])", "rolled back"),
                Series(f"rate(pg_work_deadlocks_total[{WINDOW}])", "deadlocked"),
            ],
            PER_SECOND,
        ),
        graph(
            "Time to flush a commit",
            "How long the disk takes to keep the write-ahead log: every login, signup and logout waits for it.",
            [
                Series(
                    f"1000 * rate(pg_wal_flush_seconds_total[{WINDOW}]) / rate(pg_wal_flushes_total[{WINDOW}])", "flush"
                )
            ],
            MILLISECONDS,
        ),
    ]


def _past() -> list[Panel]:
    hits, reads = (f"rate(pg_work_pages_{kind}_total[{WINDOW}])" for kind in ("hit", "read"))
    return [
        graph(
            "Pages found in memory",
            "Share of the pages that PostgreSQL found in its own memory; the rest it asks of the operating system.",
            [Series(f"100 * {hits} / ({hits} + {reads})", "found")],
            PERCENT,
        ),
        graph(
            "Rows",
            "Rows per second that index scans fetched, and that statements inserted, updated and deleted.",
            [
                Series(f"rate(pg_work_rows_{verb}_total[{WINDOW}])", verb)
                for verb in ("fetched", "inserted", "updated", "deleted")
            ],
            PER_SECOND,
        ),
        graph(
            "Database size",
            "What the database takes on disk, its indexes included.",
            [Series(f"pg_database_size_bytes{{{_OURS}}}", "size")],
            BYTES,
        ),
    ]
