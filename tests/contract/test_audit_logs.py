"""The contract of the audit trail: what it tells, of whom, and page by page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from service.audit.events import AuditEvent
from service.clock import ManualClock
from service.database.scope import Scope
from service.database.tables import audit_logs
from service.ids import new_id
from service.settings import Settings
from tests.harness import Api, Person, new_email, problem, running

START = datetime(2025, 6, 1, 12, tzinfo=UTC)


async def listed(person: Person, **params: Any) -> list[dict[str, Any]]:
    """All that one page of two hundred holds."""
    answer = await person.call("GET", "/audit-logs", params={"limit": 200, **params})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next_cursor"] is None
    items: list[dict[str, Any]] = page["items"]
    return items


async def write(api: Api, *moments: datetime, tenant: str = "default", **columns: Any) -> list[str]:
    """Write events past the API; their ids."""
    tenant_id = await api.app.state.auth.tenants.find(tenant)
    common = {"tenant_id": tenant_id, "event_type": "logout", "user_id": None, "details": {}} | columns
    rows = [{"id": new_id(), "created_at": moment, **common} for moment in moments]
    async with api.database.writing(Scope(tenant_id)) as connection:
        await connection.execute(insert(audit_logs).values(rows))
    return [str(row["id"]) for row in rows]


async def test_the_trail_tells_of_everything_the_newest_first(api: Api) -> None:
    auditor = await api.new_person("auditor")
    email = new_email()
    await api.login(email)
    answer = await auditor.call("PATCH", "/users/me", json={"name": "Ada"})
    items = await listed(auditor)
    assert [item["event_type"] for item in items] == ["user_updated", "login_failure", "login_success", "signup"]
    changed, failed, *_ = items
    assert changed.keys() == {"id", "event_type", "user_id", "created_at", "request_id", "details"}
    assert (changed["user_id"], changed["request_id"]) == (auditor.user["id"], answer.headers["x-request-id"])
    assert changed["details"] == {"fields": ["name"], "actor_id": auditor.user["id"]}
    assert datetime.fromisoformat(changed["created_at"]).tzinfo is not None
    assert (failed["user_id"], failed["details"]) == (None, {"reason": "unknown_user"})
    assert email not in str(items)


async def test_each_tenant_has_a_trail_of_its_own(api: Api) -> None:
    tenant = await api.new_tenant()
    here, there = await api.new_person("platform-admin"), await api.new_person("auditor", tenant)
    assert {item["user_id"] for item in await listed(here)} == {here.user["id"]}
    assert {item["user_id"] for item in await listed(there)} == {there.user["id"]}
    assert await listed(here, user_id=there.user["id"]) == []


async def test_filters_by_user_and_type(api: Api) -> None:
    auditor, other = await api.new_person("auditor"), await api.new_person()
    events = [item["event_type"] for item in await listed(auditor, user_id=other.user["id"])]
    assert events == ["login_success", "signup"]
    signups = await listed(auditor, event_type="signup")
    assert [item["user_id"] for item in signups] == [other.user["id"], auditor.user["id"]]
    both = await listed(auditor, event_type="signup", user_id=other.user["id"])
    assert both == signups[:1]
    assert await listed(auditor, event_type="jwt_issued") == []


async def test_from_is_inclusive_and_to_is_not(api: Api) -> None:
    auditor = await api.new_person("auditor")
    moments = [START + timedelta(microseconds=n) for n in range(4)]
    ids = await write(api, *moments)
    end = (START + timedelta(days=1)).isoformat()

    async def found(**params: str) -> list[str]:
        return [item["id"] for item in await listed(auditor, **params)]

    first, second, third, _ = (moment.isoformat() for moment in moments)
    assert await found(**{"from": first, "to": end}) == ids[::-1]
    assert await found(**{"from": second, "to": third}) == [ids[1]]
    assert await found(**{"from": second, "to": second}) == []
    assert await found(to=second) == [ids[0]]
    assert await found(**{"from": third, "to": end, "event_type": "logout"}) == [ids[3], ids[2]]
    assert await found(**{"from": "2025-06-01T14:00:00.000003+02:00", "to": end}) == [ids[3]]
    assert await found(**{"from": "2025-06-01t12:00:00z", "to": "2025-06-01T12:00:00.000001Z"}) == [ids[0]]


async def test_the_ends_of_the_calendar_are_no_error(api: Api) -> None:
    auditor = await api.new_person("auditor")
    everything = {"from": "0001-01-01T00:00:00+23:59", "to": "9999-12-31T23:59:59.999999-23:59"}
    assert len(await listed(auditor, **everything)) == 2
    assert await listed(auditor, **{"from": everything["to"]}) == []
    assert await listed(auditor, to=everything["from"]) == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"from": "2025-06-01T12:00:00"}, "from"),
        ({"to": "2025-06-01T12:00:00"}, "to"),
        ({"from": "2025-06-01"}, "from"),
        ({"from": "1748779200"}, "from"),
        ({"from": "2025-06-01T12:00Z"}, "from"),
        ({"from": "2025-06-31T12:00:00Z"}, "from"),
        ({"from": "0000-01-01T12:00:00Z"}, "from"),
        ({"from": ""}, "from"),
        ({"to": "now"}, "to"),
        ({"user_id": "42"}, "user_id"),
        ({"user_id": "a\0"}, "user_id"),
        ({"event_type": "no_such_event"}, "event_type"),
        ({"event_type": "SIGNUP"}, "event_type"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        # A cursor of the list of users, which has no time.
        ({"cursor": "0193f2b0c4de7a6f9d1c3b5a7e8f9012"}, "cursor"),
    ],
)
async def test_malformed_questions_name_the_field(api: Api, params: dict[str, str], field: str) -> None:
    auditor = await api.new_person("auditor")
    document = problem(await auditor.call("GET", "/audit-logs", params=params), 422, "invalid-request")
    assert [(error["field"], error["location"]) for error in document["errors"]] == [(field, "query")]


async def test_the_permission_is_needed(api: Api) -> None:
    member = await api.new_person()
    document = problem(await member.call("GET", "/audit-logs"), 403, "forbidden")
    assert document["permission"] == "audit:read"
    problem(await api.client.get("/api/v1/audit-logs"), 401, "invalid-token")


@pytest.mark.parametrize("filters", [{}, {"event_type": "logout"}, {"from": START.isoformat()}])
async def test_pages_hold_every_event_once_while_new_ones_come(api: Api, filters: dict[str, str]) -> None:
    auditor = await api.new_person("auditor")
    # Many at the same time: pages begin and end among them.
    moments = [START + timedelta(seconds=n // 5) for n in range(23)]
    ids = await write(api, *moments)
    await write(api, *moments, tenant=await api.new_tenant())
    expected = [pair[1] for pair in sorted(zip(moments, ids, strict=True), reverse=True)]
    filters |= {"to": (START + timedelta(days=1)).isoformat(), "limit": "3"}
    seen: list[str] = []
    cursor = None
    while True:
        page = (
            await auditor.call("GET", "/audit-logs", params=filters | ({"cursor": cursor} if cursor else {}))
        ).json()
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        # Newer than all that was seen: on no page that is still to come.
        await write(api, START + timedelta(hours=1))
    assert seen == expected


async def test_what_a_newer_release_has_written_can_be_read(api: Api) -> None:
    auditor = await api.new_person("auditor")
    await write(api, START, event_type="passkey_added")
    assert (await listed(auditor))[-1]["event_type"] == "passkey_added"


async def test_the_number_of_queries_does_not_depend_on_the_number_of_events(api: Api) -> None:
    auditor = await api.new_person("auditor")
    for number in (1, 150):
        await write(api, *([START] * number))
        answer = await auditor.call("GET", "/audit-logs", params={"limit": 200})
        assert answer.headers["x-db-queries"] == "1"
    assert len(answer.json()["items"]) == 153


async def test_reading_leaves_no_trace(settings: Settings) -> None:
    async with running(settings, clock=ManualClock()) as api:
        auditor = await api.new_person("auditor")
        before = await listed(auditor)
        assert await listed(auditor) == before
        assert {UUID(item["user_id"]) for item in before} == {UUID(auditor.user["id"])}


async def test_the_document_names_the_events(api: Api) -> None:
    document = api.app.openapi()
    assert document["components"]["schemas"]["AuditEvent"]["enum"] == [event.value for event in AuditEvent]
    parameters = document["paths"]["/api/v1/audit-logs"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {
        *("user_id", "event_type", "from", "to", "cursor", "limit"),
        "X-Tenant",
    }
