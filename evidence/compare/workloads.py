"""What both deployments are asked beside validations."""

from collections.abc import Iterator
from dataclasses import dataclass

from bench.load.requests import Logins, Others, Request, Workload
from loadtest.population.users import Population


@dataclass(frozen=True)
class Operations(Workload):
    """Logins, signups, refreshes and logouts in turn, each of users of its own.

    Those who log in are the users `first` to `spare` - 1; sessions that are used up are of the users from `spare` on.
    """

    population: Population
    first: int
    spare: int
    name: str

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        logins = iter(Logins(self.population, self.first, self.spare))
        others = iter(Others(self.population, self.spare, self.name))
        while True:
            yield next(logins)
            for _ in range(3):
                yield next(others)
