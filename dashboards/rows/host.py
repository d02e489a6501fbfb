"""What does the machine have left?"""

from alerts.saturation import DISK_LOW_PERCENT
from dashboards.panels import BYTES, BYTES_PER_SECOND, COUNT, PERCENT, WINDOW, Limit, Panel, Series, figure, graph

# The exporter sees the one disk that the engine keeps everything on.
_ROOM = "node_filesystem_avail_bytes"
BUSY = f'100 * (1 - avg(rate(node_cpu_seconds_total{{mode="idle"}}[{WINDOW}])))'


def lines() -> list[list[Panel]]:
    """Return the present room, and how processors, memory and the disk were used."""
    return [_now(), _processor_and_memory(), _disk()]


def _now() -> list[Panel]:
    return [
        figure(
            "Processors busy",
            "Share of the time of all processors that was spent on anything but waiting.",
            BUSY,
            PERCENT,
        ),
        figure(
            "Memory used",
            "Share of the memory that could not be given to anybody else.",
            "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
            PERCENT,
        ),
        figure(
            "Disk used",
            "Share of the disk that the engine keeps images, volumes and logs on.",
            f"100 * (1 - {_ROOM} / node_filesystem_size_bytes)",
            PERCENT,
            Limit(100 - DISK_LOW_PERCENT),
        ),
        figure("Disk left", "Room on the disk that the engine keeps images, volumes and logs on.", _ROOM, BYTES),
    ]


def _processor_and_memory() -> list[Panel]:
    return [
        graph(
            "Processor time",
            "What the processors spend their time on; `steal` is what other machines on the same hardware took.",
            [
                Series(
                    f'100 * avg by (mode) (rate(node_cpu_seconds_total{{mode!="idle"}}[{WINDOW}]))',
                    "{{mode}}",
                )
            ],
            PERCENT,
        ),
        graph(
            "Load",
            "Processes that run or want to, averaged over a minute and five, and how many processors there are.",
            [
                Series("node_load1", "1 minute"),
                Series("node_load5", "5 minutes"),
                Series('count(node_cpu_seconds_total{mode="idle"})', "processors"),
            ],
            COUNT,
        ),
        graph(
            "Waiting for the host",
            "Share of the time in which something waited for a processor, memory or the disk.",
            [
                Series(f"100 * rate(node_pressure_{what}_waiting_seconds_total[{WINDOW}])", what)
                for what in ("cpu", "memory", "io")
            ],
            PERCENT,
        ),
    ]


def _disk() -> list[Panel]:
    return [
        graph(
            "Memory",
            "Memory that is available, and all there is.",
            [
                Series("node_memory_MemAvailable_bytes", "available"),
                Series("node_memory_MemTotal_bytes", "total"),
            ],
            BYTES,
        ),
        graph(
            "Disk traffic",
            "Bytes per second read from and written to each disk.",
            [
                Series(f"rate(node_disk_{done}_bytes_total[{WINDOW}])", f"{{{{device}}}} {done}")
                for done in ("read", "written")
            ],
            BYTES_PER_SECOND,
        ),
    ]
