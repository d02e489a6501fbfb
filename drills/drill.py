"""What a drill is, and what it saw."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from alerts.alert import Severity
from drills.stack import Stack

PAGE_SECONDS = 90
RESOLVE_SECONDS = 240


@dataclass(frozen=True)
class Load:
    """Requests a second at the edge while a drill lasts; the validations go round so many users.

    The default is that of a good day: one login in ten, so that a busy machine's slow logins alone page nobody.

    `warm_up_seconds` it lasts without a fault: long enough that an alert which this load alone causes would be there.
    """

    logins: float = 1
    validations: float = 9
    users: int = 10
    warm_up_seconds: float = 10

    @property
    def rate(self) -> float:
        """All requests in a second."""
        return self.logins + self.validations


@dataclass(frozen=True)
class Drill:
    """A fault by its name, what it puts into the stack and takes out again, and the alert that must tell of it."""

    name: str
    alert: str
    fault: Callable[[Stack], AbstractContextManager[None]]
    about: str
    severity: Severity = Severity.PAGE
    load: Load = field(default_factory=Load)


@dataclass(frozen=True)
class Notice:
    """What the receiver was sent about one alert: when (Unix time), by which route, firing or resolved."""

    at: float
    route: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def alert(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "")


@dataclass
class Run:
    """The times (Unix) of one drill and its notices; a time is None while that has not happened."""

    fault: float | None = None
    pending: float | None = None
    firing: float | None = None
    page: Notice | None = None
    removed: float | None = None
    resolved: float | None = None
    others: set[str] = field(default_factory=set)

    def lines(self) -> list[str]:
        """Return the time line, in seconds since the fault."""
        page = self.page.at if self.page else None
        steps = {
            "fault": self.fault,
            "alert pending": self.pending,
            "alert firing": self.firing,
            "page received": page,
            "fault removed": self.removed,
            "resolved received": self.resolved,
        }
        start = self.fault or 0.0
        lines = [f"  {name:<18} {'never' if at is None else f'{at - start:5.1f} s'}" for name, at in steps.items()]
        return [*lines, f"  also notified      {', '.join(sorted(self.others))}"] if self.others else lines
