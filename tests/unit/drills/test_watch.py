"""The time line of a drill, on a clock that the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from drills.drill import PAGE_SECONDS, RESOLVE_SECONDS, Drill, Notice
from drills.judgement import judge
from drills.stack import DrillError, Stack
from drills.watch import Watch

STACK = Stack("test", "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")
LINKS = {"runbook_url": "alerts/runbooks/RedisDown.md", "dashboard_url": "/d/janua-cache"}


class World:
    """A stack whose alert pends, fires, pages and resolves so many seconds after the fault, and after its removal."""

    def __init__(self, page: float = 30, resolve: float = 40) -> None:
        self.now = 1000.0
        self.page, self.resolve = page, resolve
        self.fault: float | None = None
        self.removed: float | None = None

    @contextmanager
    def broken(self, stack: Stack) -> Iterator[None]:
        self.fault = self.now
        yield
        self.removed = self.now

    def notices(self) -> list[Notice]:
        labels = {"alertname": "RedisDown", "severity": "page"}
        sent = [(self.fault, self.page, "firing"), (self.removed, self.resolve, "resolved")]
        return [
            Notice(since + after, "page", status, labels, LINKS)
            for since, after, status in sent
            if since is not None and self.now >= since + after
        ]

    def alerts(self) -> list[tuple[str, str]]:
        if self.fault is None or self.now < self.fault + 5:
            return []
        if self.removed is not None and self.now >= self.removed + self.resolve:
            return []
        return [("RedisDown", "firing" if self.now >= self.fault + 20 else "pending")]

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def watch(self) -> Watch:
        return Watch(self.alerts, self.notices, lambda: self.now, self.pause)

    def drill(self) -> Drill:
        return Drill("redis-dead", "RedisDown", self.broken, "")


def test_each_step_has_its_time() -> None:
    world = World()
    run = world.watch().hold(world.drill(), STACK)
    assert run.page is not None
    assert (run.fault, run.pending, run.firing, run.page.at) == (1000, 1005, 1020, 1030)
    assert (run.removed, run.resolved) == (1030, 1070)
    assert judge(world.drill(), run) == []


def test_a_late_page_is_waited_for_and_is_red() -> None:
    world = World(page=PAGE_SECONDS + 5)
    assert judge(world.drill(), world.watch().hold(world.drill(), STACK)) == ["the page came after 95.0 s, limit 90 s"]


def test_no_page_ends_the_fault_all_the_same() -> None:
    world = World(page=10_000)
    assert "no RedisDown arrived" in judge(world.drill(), world.watch().hold(world.drill(), STACK))[0]
    assert world.removed is not None


def test_what_never_resolves_is_red() -> None:
    world = World(resolve=RESOLVE_SECONDS + 60)
    assert "no resolve" in judge(world.drill(), world.watch().hold(world.drill(), STACK))[0]


def test_a_page_of_before_the_fault_is_not_this_drills() -> None:
    world = World(page=10_000)
    old = Notice(990.0, "page", "firing", {"alertname": "RedisDown", "severity": "page"}, LINKS)
    run = Watch(world.alerts, lambda: [old], lambda: world.now, world.pause).hold(world.drill(), STACK)
    assert run.page is None


def test_no_drill_begins_while_an_alert_fires() -> None:
    world = World()
    watch = Watch(lambda: [("DiskSpaceCritical", "firing")], list, lambda: world.now, world.pause)
    with pytest.raises(DrillError, match="DiskSpaceCritical"):
        watch.until_quiet()


def test_an_alert_that_is_there_without_the_fault_proves_nothing() -> None:
    world = World()
    watch = Watch(lambda: [("RedisDown", "firing")], list, lambda: world.now, world.pause)
    with pytest.raises(DrillError, match="without the fault"):
        watch.hold(world.drill(), STACK)
    assert world.fault is None
