"""How is Redis itself?"""

from dashboards.panels import BYTES, COUNT, PER_SECOND, SECONDS, WINDOW, Panel, Series, graph


def lines() -> list[list[Panel]]:
    """Return Redis's memory, clients and keys, and what it is asked to do."""
    return [
        [
            graph(
                "Redis memory",
                "Memory in use, and where Redis begins to evict what would expire first.",
                [Series("redis_memory_used_bytes", "used"), Series("redis_memory_max_bytes", "limit")],
                BYTES,
            ),
            graph(
                "Redis clients",
                "Connections to Redis: one of each replica, those that listen for invalidations, and the exporter.",
                [Series("redis_connected_clients", "connected"), Series("redis_blocked_clients", "blocked")],
                COUNT,
            ),
            graph(
                "Redis keys",
                "Keys in Redis, and how many of them expire by themselves.",
                [
                    Series('redis_db_keys{db="db0"}', "keys"),
                    Series('redis_db_keys_expiring{db="db0"}', "that expire"),
                ],
                COUNT,
            ),
        ],
        [
            graph(
                "Keys evicted and expired",
                "Per second: evicted because memory is full, which costs hits, and expired, which is their end.",
                [
                    Series(f"rate(redis_evicted_keys_total[{WINDOW}])", "evicted"),
                    Series(f"rate(redis_expired_keys_total[{WINDOW}])", "expired"),
                ],
                PER_SECOND,
            ),
            graph(
                "Redis commands",
                "The ten commands that Redis carries out most often, per second.",
                [Series(f"topk(10, sum by (cmd) (rate(redis_commands_total[{WINDOW}])))", "{{cmd}}")],
                PER_SECOND,
            ),
            graph(
                "Time per Redis command",
                "How long Redis itself takes for a command, by command; the network is not in it.",
                [
                    Series(
                        f"sum by (cmd) (rate(redis_commands_duration_seconds_total[{WINDOW}]))"
                        f" / (sum by (cmd) (rate(redis_commands_total[{WINDOW}])) > 0)",
                        "{{cmd}}",
                    )
                ],
                SECONDS,
            ),
        ],
    ]
