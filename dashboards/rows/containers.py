"""Which part of the stack takes what?

A part is what the stack calls it; during a deployment replicas of two releases are the same part.
"""

from alerts.metrics import EDGE_STARTED, POSTGRES_JOB, REDIS_JOB, SERVICE_JOB
from alerts.saturation import MEMORY_PERCENT
from dashboards.panels import BYTES, BYTES_PER_SECOND, COUNT, PERCENT, WINDOW, Limit, Panel, Series, graph

# What runs under the names of these is what asks them.
EXPORTERS = f"{POSTGRES_JOB}|{REDIS_JOB}"
PROCESSOR_TIME = f"100 * sum by (part) (rate(container_cpu_usage_seconds_total[{WINDOW}]))"


def lines() -> list[list[Panel]]:
    """Return processor time and memory by part, traffic by part, and what began anew."""
    return [_resources(), _traffic(), _processes()]


def _resources() -> list[Panel]:
    return [
        graph(
            "Processor time by part",
            "Share of one processor that each part uses; 200 % are two processors.",
            [Series(PROCESSOR_TIME, "{{part}}")],
            PERCENT,
        ),
        graph(
            "Memory by part",
            "Memory that each part works with; what the kernel could take back at once is left out.",
            [Series("sum by (part) (container_memory_working_set_bytes)", "{{part}}")],
            BYTES,
        ),
        graph(
            "Memory of the limit",
            "Share of its limit that each part works with; a container that reaches 100 % is ended.",
            [
                Series(
                    "100 * max by (part) (container_memory_working_set_bytes"
                    " / (container_spec_memory_limit_bytes > 0))",
                    "{{part}}",
                )
            ],
            PERCENT,
            Limit(MEMORY_PERCENT),
        ),
    ]


def _traffic() -> list[Panel]:
    return [
        graph(
            f"Network {direction}",
            f"Bytes per second that each part {verb}, over all of its networks.",
            [Series(f"sum by (part) (rate(container_network_{name}_bytes_total[{WINDOW}]))", "{{part}}")],
            BYTES_PER_SECOND,
        )
        for direction, verb, name in (("in", "receives", "receive"), ("out", "sends", "transmit"))
    ]


def _processes() -> list[Panel]:
    service = f'job="{SERVICE_JOB}"'
    return [
        graph(
            "Restarts",
            "How often each process began anew within an hour; a release's new replicas do not count.",
            [
                Series(f'sum by (job) (changes(process_start_time_seconds{{job!~"{EXPORTERS}"}}[1h]))', "{{job}}"),
                Series(
                    f'sum by (job) (changes(process_start_time_seconds{{job=~"{EXPORTERS}"}}[1h]))', "{{job}} exporter"
                ),
                Series("sum(resets(redis_uptime_in_seconds[1h]))", "redis"),
                Series(f"sum(changes({EDGE_STARTED}[1h]))", "edge"),
            ],
            COUNT,
        ),
        graph(
            "Processor time by replica",
            "Share of one processor that each replica of the service says it uses.",
            [Series(f"100 * rate(process_cpu_seconds_total{{{service}}}[{WINDOW}])", "{{instance}}")],
            PERCENT,
        ),
        graph(
            "Memory by replica",
            "Memory that each replica of the service says it has.",
            [Series(f"process_resident_memory_bytes{{{service}}}", "{{instance}}")],
            BYTES,
        ),
    ]
