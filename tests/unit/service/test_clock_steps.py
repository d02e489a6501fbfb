"""A wall clock that steps by an hour, there and back: no revoked token comes back, and no valid one stays lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from service.clock import ManualClock
from service.settings import Settings
from tests.harness import Api, SharedStore, problem, running

NEGATIVE_SECONDS = 2
HOUR = timedelta(hours=1)


class SteppingClock(ManualClock):
    """A clock whose wall clock can be set, which moves the monotonic one by nothing."""

    step = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.step

    @contextmanager
    def set_by(self, step: timedelta) -> Iterator[None]:
        """Let the wall clock be wrong until the block ends."""
        self.step = step
        yield
        self.step = timedelta(0)


@pytest.fixture
def settings(sqlite_settings: Settings) -> Settings:
    return sqlite_settings.model_copy(update={"cache_negative_seconds": NEGATIVE_SECONDS})


@pytest.mark.parametrize("step", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_revoked_token_stays_refused(settings: Settings, step: timedelta) -> None:
    clock = SteppingClock()
    store = SharedStore(clock)
    async with (
        running(settings, clock=clock, store=store.view()) as first,
        running(settings, clock=clock, store=store.view()) as second,
    ):
        before, during, after = [await first.new_token() for _ in range(3)]
        for token in (before, during, after):
            await is_accepted(first, second, token=token)
            assert (await second.get("validate", token)).headers["x-db-queries"] == "0"  # there are copies
        assert (await first.logout(before)).status_code == 204
        with clock.set_by(step / 2):
            assert (await second.logout(during)).status_code == 204
            await is_refused(first, second, tokens=[before, during])
        await is_refused(first, second, tokens=[before, during])
        assert (await first.logout(after)).status_code == 204
        with clock.set_by(step):
            await is_refused(first, second, tokens=[before, during, after])
        clock.advance(NEGATIVE_SECONDS + 1)
        await is_refused(first, second, tokens=[before, during, after])


async def test_a_valid_token_is_lost_for_no_longer_than_the_clock_is_wrong(settings: Settings) -> None:
    clock = SteppingClock()
    store = SharedStore(clock)
    async with (
        running(settings, clock=clock, store=store.view()) as first,
        running(settings, clock=clock, store=store.view()) as second,
    ):
        token = await first.new_token()
        await is_accepted(first, second, token=token)
        with clock.set_by(-HOUR):
            await is_accepted(first, second, token=token)
        with clock.set_by(HOUR):  # its lifetime
            await is_refused(first, second, tokens=[token])
        clock.advance(NEGATIVE_SECONDS)
        await is_accepted(first, second, token=token)


async def is_accepted(*replicas: Api, token: str) -> None:
    for api in replicas:
        assert (await api.get("validate", token)).status_code == 200


async def is_refused(*replicas: Api, tokens: list[str]) -> None:
    for api in replicas:
        for token in tokens:
            problem(await api.get("validate", token), 401, "invalid-token")
