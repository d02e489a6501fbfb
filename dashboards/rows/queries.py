"""What do requests ask of the database?"""

from alerts import promql
from alerts.metrics import DB_QUERIES, DB_ROUND_TRIPS
from alerts.targets import Targets
from dashboards.panels import COUNT, IN_USE, WINDOW, Limit, Panel, Series, graph
from dashboards.rows.route_figures import ROUTES


def lines(targets: Targets) -> list[list[Panel]]:
    """Return queries, round trips and connections of the service."""
    return [
        [
            graph(
                "Queries per request",
                "Statements that read or write tables, per request of each chosen route.",
                [Series(f"{promql.per_request(DB_QUERIES, ROUTES, WINDOW, 'path')} {IN_USE}", "{{path}}")],
                COUNT,
                Limit(targets.queries_per_auth_request_max),
            ),
            graph(
                "Round trips per request",
                "Times that a request waits for PostgreSQL, by route: a statement, or a COMMIT of several.",
                [Series(f"{promql.per_request(DB_ROUND_TRIPS, ROUTES, WINDOW, 'path')} {IN_USE}", "{{path}}")],
                COUNT,
            ),
            graph(
                "Connection pools",
                "Connections of all replicas' pools by state, and how many the pools may open together.",
                [
                    Series("sum by (state) (janua_db_pool_connections)", "{{state}}"),
                    Series("sum(janua_db_pool_size)", "size"),
                ],
                COUNT,
            ),
        ]
    ]
