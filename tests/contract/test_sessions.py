"""The contract of sessions: refreshing, listing and ending them."""

from tests.harness import Api, problem


async def test_logout_ends_one_session(api: Api) -> None:
    person = await api.new_person()
    assert (await person.call("GET", "/auth/validate")).status_code == 200
    assert (await person.call("POST", "/auth/logout")).status_code == 204
    problem(await person.call("GET", "/auth/validate"), 401, "invalid-token")
