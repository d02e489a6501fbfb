"""What a comparison says of what it missed."""

from bench.figures import Target
from bench.load.requests import LOGIN, VALIDATE, Request
from bench.load.samples import Samples
from bench.parts.deployment import Accounted
from bench.rounds import Round
from evidence.compare.measure import Measured
from evidence.compare.plan import QUICK
from evidence.compare.results import Result
from evidence.comparison import Comparison


def measured() -> Measured:
    """One round of the optimized side: nineteen validations of a millisecond, and a login of thirty."""
    samples = Samples(seconds=1)
    for kind, latency in [*[(VALIDATE, 0.001)] * 19, (LOGIN, 0.030)]:
        samples.add(Request(kind, b"", 200), 0, latency, 200, b"")
    found = Measured(24)
    found.mixed["optimized"].append(Accounted(Round(samples, {"program": 1000.0}, is_valid=True), 20, 2, 19, 19))
    return found


def result(p95: float) -> Result:
    machine = {"processors": 2, "processor": "x", "release_image": "i", "commit": "c"}
    figures = [
        Comparison("all requests, p95", "ms", [60], [p95], gain=Target(">=", 4)),
        Comparison("processors kept busy", "", [0.4], [0.1]),
    ]
    return Result(machine, QUICK, True, measured(), figures)


def test_what_is_missed_is_told_with_what_bounds_it() -> None:
    [bound] = result(30).bounds()
    assert bound.startswith(
        "all requests, p95 missed (at least 4.00 times better); at 24/s it kept 0.100 of 2 processors"
    )
    assert "5.0 % of the requests hash a password (p50 of a login 30 ms, of a validation 1 ms)" in bound
    assert f"- {bound}." in result(30).text()


def test_where_all_holds_nothing_is_said() -> None:
    assert result(10).bounds() == []
