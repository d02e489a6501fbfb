"""How long what is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Rounds of each load on each side, in seconds; `crowds` are how many users try to work at a time."""

    users: int = 100_000
    rounds: int = 5
    mixed_seconds: float = 15
    operations_seconds: float = 8
    crowd_seconds: float = 15
    crowds: tuple[int, ...] = (25, 50, 100, 200, 400, 700, 1100, 1500, 2000)


QUICK = Plan(users=20_000, rounds=2, mixed_seconds=4, operations_seconds=4, crowd_seconds=4, crowds=(50, 200, 1100))
