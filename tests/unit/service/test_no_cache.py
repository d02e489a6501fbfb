"""Without a cache every check is the database's, and a revocation holds at once."""

from service.settings import Settings
from tests.harness import new_email, running


async def test_every_validation_is_a_query_and_a_logout_holds_at_once(sqlite_settings: Settings) -> None:
    async with running(sqlite_settings.model_copy(update={"cache": "off"})) as api:
        person = await api.new_person()
        answers = [await person.call("GET", "/auth/validate") for _ in range(3)]
        assert [(answer.status_code, answer.headers["x-db-queries"]) for answer in answers] == [(200, "1")] * 3
        assert (await person.call("POST", "/auth/logout")).status_code == 204
        refused = [await person.call("GET", "/auth/validate") for _ in range(2)]
        assert [(answer.status_code, answer.headers["x-db-queries"]) for answer in refused] == [(401, "1")] * 2


async def test_it_is_ready_and_says_what_it_goes_without(sqlite_settings: Settings) -> None:
    async with running(sqlite_settings.model_copy(update={"cache": "off"})) as api:
        assert (await api.signup(new_email())).status_code == 201
        ready = await api.client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
