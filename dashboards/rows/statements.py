"""Do indexes answer what is asked, and which statements take the time?

Most figures come from queries of our own that the exporter asks: infra/postgres/queries.yml.
"""

from dashboards.panels import COUNT, MILLISECONDS, PER_SECOND, SECONDS, WINDOW, Panel, Series, graph, listing, ranked

_BY_STATEMENT = "sum by (statement)"
_SECONDS = f"{_BY_STATEMENT} (rate(pg_statement_seconds_total[5m]))"
_CALLS = f"{_BY_STATEMENT} (rate(pg_statement_calls_total[5m]))"


def tables() -> list[list[Panel]]:
    """Return how tables are read: by which index, or as a whole."""
    return [
        [
            ranked(
                graph(
                    "Index use",
                    "Scans per second of each index that is used; one that never is only costs.",
                    [Series(f"sum by (index) (rate(pg_index_scans_total[{WINDOW}])) > 0", "{{index}}")],
                    PER_SECOND,
                )
            ),
            graph(
                "Tables read as a whole",
                "Sequential scans per second of each table: right for a small one, an index is missing on a large one.",
                [Series(f"sum by (table) (rate(pg_table_sequential_scans_total[{WINDOW}])) > 0", "{{table}}")],
                PER_SECOND,
            ),
            graph(
                "Dead rows",
                "Rows of each table that are dead and not yet cleaned up: they make it larger and slower.",
                [Series("sum by (table) (pg_table_dead_rows)", "{{table}}")],
                COUNT,
            ),
        ]
    ]


def lines() -> list[list[Panel]]:
    """Return the statements that are slow, and those that take the server's time."""
    return [
        [
            listing(
                "Slowest statements",
                "Mean time of a statement over the last 5 minutes, of the twenty that take the most time in all.",
                f"1000 * {_SECONDS} / ({_CALLS} > 0)",
                MILLISECONDS,
                {"statement": "Statement", "Value": "Mean time"},
            ),
            listing(
                "Statements by their share of time",
                "Seconds that the server spends on a statement in each second, over the last 5 minutes: mean time "
                "multiplied by calls.",
                _SECONDS,
                SECONDS,
                {"statement": "Statement", "Value": "Time per second"},
            ),
        ],
        [
            ranked(
                graph(
                    "Calls of statements",
                    "Calls per second of the five statements that are called most.",
                    [
                        Series(
                            f"topk(5, {_BY_STATEMENT} (rate(pg_statement_calls_total[{WINDOW}])))",
                            "{{statement}}",
                        )
                    ],
                    PER_SECOND,
                )
            )
        ],
    ]
