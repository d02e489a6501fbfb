"""How long each resource of an update took, from the engine's own events."""

from pulumi.automation import EngineEvent

SHORTEST_SECONDS = 1


class Timings:
    """Collects engine events; `lines` tells of the resources that took a second and more, in order of their start."""

    def __init__(self) -> None:
        self._started: dict[str, int] = {}
        self._seconds: dict[str, int] = {}

    def add(self, event: EngineEvent) -> None:
        """Take one event of the update; those that tell nothing of a resource are passed over."""
        if event.resource_pre_event:
            self._started.setdefault(event.resource_pre_event.metadata.urn, event.timestamp)
        elif event.res_outputs_event and event.res_outputs_event.metadata.urn in self._started:
            urn = event.res_outputs_event.metadata.urn
            self._seconds[urn] = event.timestamp - self._started[urn]

    def lines(self) -> list[str]:
        """Return a line for each resource, components left out: they take as long as their parts."""
        return [
            f"  {_name(urn):<24} {seconds:4d} s"
            for urn, seconds in self._seconds.items()
            if seconds >= SHORTEST_SECONDS and "docker:index" in urn.split("::")[2].split("$")[-1]
        ]


def _name(urn: str) -> str:
    kind, name = urn.split("::")[2:4]
    return f"{kind.rsplit(':', 1)[-1].lower()} {name}"
