"""Which hashes are verified: those of the library that makes them, whatever their parameters."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, Type

from service.auth.passwords import Passwords
from service.clock import SystemClock
from service.observability.metrics import Metrics
from service.settings import Settings
from tests.harness import PASSWORD


@pytest.fixture
def passwords(sqlite_settings: Settings) -> Iterator[Passwords]:
    made = Passwords(sqlite_settings, Metrics(release="test", clock=SystemClock()))
    yield made
    made.close()


@pytest.mark.parametrize("parameters", [(1, 64, 1), (3, 256, 1), (2, 1024, 4)])
@pytest.mark.parametrize("password", [PASSWORD, "", "pässword ☃", "a\0b", "x" * 128])
async def test_a_hash_of_any_parameters_is_verified(
    passwords: Passwords, parameters: tuple[int, int, int], password: str
) -> None:
    time_cost, memory_cost, parallelism = parameters
    made = PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=parallelism).hash(password)
    assert await passwords.verify(made, password)
    assert not await passwords.verify(made, password + "x")


async def test_what_is_made_here_is_verified_here(passwords: Passwords) -> None:
    made = await passwords.hash(PASSWORD)
    assert made.startswith("$argon2id$")
    assert await passwords.verify(made, PASSWORD)
    assert not passwords.is_outdated(made)


@pytest.mark.parametrize(
    "made",
    [
        "",
        "no hash",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 200,
        PasswordHasher(memory_cost=64, type=Type.D).hash(PASSWORD),
        PasswordHasher(memory_cost=64).hash(PASSWORD)[:-2],
    ],
)
async def test_anything_else_matches_nothing(passwords: Passwords, made: str) -> None:
    assert not await passwords.verify(made, PASSWORD)


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "")
