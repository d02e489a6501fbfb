"""Who is in a population, and that its seed decides it."""

from loadtest.population.users import Population
from service.tenants.header import DEFAULT_TENANT
from service.tokens.opaque import is_well_formed

POPULATION = Population("seed", 1000, tenants=3)


def test_everything_follows_from_the_seed_and_the_number() -> None:
    again, other = Population("seed", 10, tenants=3), Population("other", 1000, tenants=3)
    assert (again.token(7), again.password, again.salt) == (POPULATION.token(7), POPULATION.password, POPULATION.salt)
    secret = {POPULATION.token(7), POPULATION.token(8), POPULATION.refresh_token(7), POPULATION.password}
    assert len(secret | {other.token(7), other.refresh_token(7), other.password}) == 7
    assert all(is_well_formed(token) for token in secret)


def test_ids_ascend_and_never_meet() -> None:
    numbers = range(5)
    ids = [make(n) for make in (POPULATION.user_id, POPULATION.session_id, POPULATION.event_id) for n in numbers]
    assert ids == sorted(set(ids))
    assert {each.version for each in ids} == {7}


def test_users_belong_to_the_tenants_in_turn() -> None:
    assert [POPULATION.tenant(n) for n in range(4)] == [DEFAULT_TENANT, "load-1", "load-2", DEFAULT_TENANT]
    assert Population("seed", 10).tenant(7) == DEFAULT_TENANT
