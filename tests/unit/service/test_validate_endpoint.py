"""The hot path does not pass the framework: what it makes of a request must be the same all the same."""

import pytest
from sqlalchemy.exc import OperationalError

from service.sessions import identities
from tests.harness import Api, problem

VALIDATE, ME = "/api/v1/auth/validate", "/api/v1/auth/me"


FORMS = (
    *("Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", "Bearer {} ", "Token {}", "{}", "Bearer", "Bearer "),
    *("Bearer{}", "", "Bearer {}x", "Bearer \xe9", "Basic Bearer {}", "Bearer {} {}"),
)


@pytest.mark.parametrize("form", FORMS)
async def test_a_header_is_read_as_the_framework_reads_it(api: Api, form: str) -> None:
    token = await api.new_token()
    headers = {b"Authorization": form.format(token, token).encode("latin-1")}
    answers = [await api.client.get(path, headers=headers) for path in (VALIDATE, ME)]
    assert answers[0].status_code == answers[1].status_code
    if answers[0].status_code != 200:
        for answer in answers:
            problem(answer, 401, "invalid-token")
            assert answer.headers["www-authenticate"] == 'Bearer realm="janua"'


@pytest.mark.parametrize(("tenant", "status"), [("default", 200), ("other", 401), ("", 401), ("\xe9", 401)])
async def test_the_tenant_is_that_of_the_token(api: Api, tenant: str, status: int) -> None:
    token = await api.new_token()
    for path in (VALIDATE, ME):
        headers = {b"Authorization": f"Bearer {token}".encode(), b"X-Tenant": tenant.encode("latin-1")}
        assert (await api.client.get(path, headers=headers)).status_code == status


async def test_the_first_of_two_headers_counts(api: Api) -> None:
    token = await api.new_token()
    good, bad = ("Authorization", f"Bearer {token}"), ("Authorization", "Bearer no")
    for path in (VALIDATE, ME):
        assert (await api.client.get(path, headers=[good, bad])).status_code == 200
        problem(await api.client.get(path, headers=[bad, good]), 401, "invalid-token")


@pytest.mark.parametrize("method", ["POST", "HEAD", "DELETE"])
async def test_other_methods_are_the_frameworks(api: Api, method: str) -> None:
    answer = await api.client.request(method, VALIDATE)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_a_database_that_is_away_is_a_problem_document(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(identities, "find_identity", fail)
    answer = await api.get("validate", "A" * 43)
    problem(answer, 503, "database-unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_any_other_error_is_a_problem_document(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(identities, "find_identity", fail)
    problem(await api.get("validate", "A" * 43), 500, "internal-error")


async def test_the_answer_is_what_the_document_describes(api: Api) -> None:
    token = await api.new_token()
    answers = [await api.get("validate", token) for _ in range(2)]
    for answer in answers:
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json().keys() == {"user_id", "tenant", "session_id", "permissions", "expires_at"}
    assert answers[0].content == answers[1].content
