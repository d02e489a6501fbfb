"""A copy of a user in the cache is never older than the answer to a change."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from service.clock import ManualClock
from service.settings import Settings
from service.tokens.opaque import fingerprint
from tests.harness import Api, Person, SharedStore, eventually, running

CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "/users/me", {"name": "Ada"}),
    ("PATCH", "/users/me", {"email": "ada@example.com"}),
    ("PATCH", "/users/{id}", {"name": "Ada"}),
    ("PUT", "/users/{id}/roles", {"roles": ["auditor"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
@pytest.mark.parametrize("name", ["validate", "me"])
async def test_who_loaded_before_the_change_stores_in_vain(
    settings: Settings, method: str, path: str, body: dict[str, Any], name: str
) -> None:
    clock = ManualClock()
    store = SharedStore(clock)
    slow, quick = store.view(), store.view()
    async with (
        running(settings, clock=clock, store=slow) as reader,
        running(settings, clock=clock, store=quick) as writer,
    ):
        other, admin = await writer.new_person(), await writer.new_person("platform-admin")
        caller = other if path.endswith("/me") else admin
        before = (await other.call("GET", "/auth/me")).json()
        await writer.app.state.cache.drop_token(fingerprint(other.token))
        slow.fill_gate.clear()
        loading = asyncio.create_task(reader.get(name, other.token))
        await eventually(lambda: slow.fills_waiting == 1)  # the user has been read, but not stored
        answer = await caller.call(method, path.format(id=other.user["id"]), json=body)
        assert answer.status_code == 200
        slow.fill_gate.set()
        assert (await loading).status_code == 200
        for api in (reader, writer):
            await _no_copy_is_outdated(api, other, answer.json())
        for api in (reader, writer):
            now = (await Person(api, other.user, other.session).call("GET", "/auth/me")).json()
            assert now == before | answer.json()
            await _no_copy_is_outdated(api, other, answer.json())


async def _no_copy_is_outdated(api: Api, person: Person, answer: dict[str, Any]) -> None:
    """No copy of the user says anything else than the answer, as far as both speak of the same."""
    cache, user_id = api.app.state.cache, UUID(person.user["id"])
    copies = [
        await cache.get_user_by_id(user_id),
        await cache.get_user_by_email(person.user["email"]),
        await cache.get_user_by_email(answer.get("email", person.user["email"])),
        await cache.get_permissions(user_id),
    ]
    for copy in filter(None, copies):
        said = copy.model_dump(mode="json")
        assert {key: value for key, value in said.items() if answer.get(key, value) != value} == {}
