"""How long each resource of an update took, from the engine's own events."""

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from infra.containers import FILES_SUFFIX

SHORTEST_SECONDS = 1
# Refreshing, comparing and deleting what was replaced are no steps of their own.
TIMED = ("create", "create-replacement", "update")


class Timings:
    """Collects engine events; `lines` tells of the resources that took a second and more, in order of their start."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], int] = {}
        self._seconds: dict[tuple[str, str], int] = {}

    def add(self, event: EngineEvent) -> None:
        """Take one event of the update; those that tell nothing of a resource are passed over."""
        if before := event.resource_pre_event:
            self._started[_key(before.metadata)] = event.timestamp
        elif (after := event.res_outputs_event) and _key(after.metadata) in self._started:
            self._seconds[_key(after.metadata)] = event.timestamp - self._started[_key(after.metadata)]

    def lines(self) -> list[str]:
        """Return a line for each container, network and volume; what carries files is part of another."""
        return [
            f"  {_name(urn):<28} {self._seconds[urn, op]:4d} s"
            for urn, op in self._started
            if op in TIMED
            and "docker:index" in urn
            and not urn.endswith(FILES_SUFFIX)
            and self._seconds.get((urn, op), 0) >= SHORTEST_SECONDS
        ]


def _key(metadata: StepEventMetadata) -> tuple[str, str]:
    return metadata.urn, str(metadata.op.value)


def _name(urn: str) -> str:
    kind, name = urn.split("::")[2:4]
    return f"{kind.rsplit(':', 1)[-1].lower()} {name}"
