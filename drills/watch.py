"""Holding one drill: the fault, the waiting, the removal, the waiting."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from drills.drill import PAGE_SECONDS, RESOLVE_SECONDS, Drill, Notice, Run
from drills.stack import DrillError, Stack

# A page that comes late is worth knowing the time of: so much longer is waited for it.
GRACE_SECONDS = 30
QUIET_SECONDS = 300
_POLL_SECONDS = 0.5
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Watch:
    """Sees what Prometheus and the receiver know; the clock (Unix time) and the pause are replaceable for tests.

    `alerts` returns the pairs (name, state) that Prometheus has now, `notices` what the receiver has got so far.
    """

    alerts: Callable[[], list[tuple[str, str]]]
    notices: Callable[[], list[Notice]]
    clock: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep

    def hold(self, drill: Drill, stack: Stack) -> Run:
        """Put the fault in, wait for the page, take it out, wait for the resolve; return what was seen when.

        Raises DrillError if the alert is there without the fault: then it would prove nothing.
        """
        if drill.alert in self.noise():
            raise DrillError(f"{drill.alert} pends or fires without the fault: this machine is too busy for the load")
        run = Run()
        with drill.fault(stack):
            run.fault = self.clock()
            self._until(lambda: self._paged(drill, run), PAGE_SECONDS + GRACE_SECONDS)
        run.removed = self.clock()
        if run.page is not None:
            self._until(lambda: self._resolved(drill, run), RESOLVE_SECONDS)
        seen = [notice.alert for notice in self.notices() if notice.at >= run.fault]
        run.others = {alert for alert in seen if alert != drill.alert}
        return run

    def until_quiet(self) -> None:
        """Wait until no page pends or fires that would be taken for a drill's. Raises DrillError if one stays."""
        if not self._until(lambda: not self.noise(), QUIET_SECONDS):
            raise DrillError(f"the stack is not well, no drill can be held: {', '.join(self.noise())}")

    def noise(self) -> list[str]:
        """Return the pages that pend or fire in Prometheus."""
        return sorted({name for name, _ in self.alerts()})

    def _paged(self, drill: Drill, run: Run) -> bool:
        states = {state for name, state in self.alerts() if name == drill.alert}
        if states and run.pending is None:
            run.pending = self.clock()
        if "firing" in states and run.firing is None:
            run.firing = self.clock()
        run.page = self._notice(drill, "firing", run.fault or 0.0)
        return run.page is not None

    def _resolved(self, drill: Drill, run: Run) -> bool:
        found = self._notice(drill, "resolved", run.removed or 0.0)
        run.resolved = found.at if found else None
        return found is not None and drill.alert not in self.noise()

    def _notice(self, drill: Drill, status: str, since: float) -> Notice | None:
        """Return the first such notice since that time."""
        found = [n for n in self.notices() if n.alert == drill.alert and n.status == status and n.at >= since]
        return found[0] if found else None

    def _until(self, reached: Callable[[], bool], seconds: float) -> bool:
        deadline = self.clock() + seconds
        while not reached():
            if self.clock() > deadline:
                return False
            self.pause(_POLL_SECONDS)
        return True


def prometheus_alerts(url: str) -> list[tuple[str, str]]:
    """Return the names and states of the pages that pend or fire; OSError if Prometheus does not answer.

    Tickets are left out: theirs of one drill last for longer than the next can wait.
    """
    with urllib.request.urlopen(f"{url}/api/v1/alerts", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own stack
        found = json.load(answer)["data"]["alerts"]
    return [
        (alert["labels"]["alertname"], alert["state"]) for alert in found if alert["labels"].get("severity") == "page"
    ]
