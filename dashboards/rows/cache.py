"""How much does the cache answer, and which tier?"""

from alerts import recordings as record
from alerts.metrics import CACHE_REQUESTS
from alerts.recordings import RATIO
from alerts.targets import Targets
from dashboards.panels import PER_SECOND, PERCENT, WINDOW, Limit, Panel, Series, graph


def lines(targets: Targets) -> list[list[Panel]]:
    """Return the hit rate of the stack, of each replica, tier and kind, and the look-ups behind it."""
    limit = Limit(targets.cache_hit_rate_min_percent, keep_above=True)
    return [_rates(limit), _lookups()]


def _rates(limit: Limit) -> list[Panel]:
    return [
        graph(
            "Hit rate",
            f"Share of look-ups that the cache answered: of the stack over {RATIO}, and of each replica as it sees "
            "itself.",
            [
                Series(record.hit_rate_percent(RATIO), "stack"),
                Series("janua_cache_hit_rate_percent", "{{instance}}"),
            ],
            PERCENT,
            limit,
        ),
        graph(
            "Hit rate by tier",
            "Share of the look-ups that reached a tier which that tier answered.",
            [Series(_share("tier"), "{{tier}}")],
            PERCENT,
        ),
        graph(
            "Hit rate by kind",
            "Share of the questions to the tiers, by what was looked for, that were answered; one question may be put "
            "to both.",
            [Series(_share("kind"), "{{kind}}")],
            PERCENT,
        ),
    ]


def _lookups() -> list[Panel]:
    return [
        graph(
            "Look-ups by tier",
            "Look-ups per second by tier and result; an error means that the tier did not answer.",
            [Series(f"sum by (tier, result) (rate({CACHE_REQUESTS}[{WINDOW}]))", "{{tier}} {{result}}")],
            PER_SECOND,
        ),
        graph(
            "Look-ups by kind",
            "Look-ups per second by kind and result, over all tiers.",
            [Series(f"sum by (kind, result) (rate({CACHE_REQUESTS}[{WINDOW}]))", "{{kind}} {{result}}")],
            PER_SECOND,
        ),
    ]


def _share(label: str) -> str:
    hits = f'sum by ({label}) (rate({CACHE_REQUESTS}{{result="hit"}}[{WINDOW}]))'
    return f"100 * {hits} / sum by ({label}) (rate({CACHE_REQUESTS}[{WINDOW}]))"
