"""A slow request as it is found in Zipkin: its statements on PostgreSQL, its commands to Redis, and no value of any."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.tokens.opaque import fingerprint
from tests.harness import PASSWORD, Api, new_email, running
from tests.logs import Log
from tests.servers import Database, Redis
from tests.traces import flush
from tests.zipkin import Zipkin

pytestmark = pytest.mark.integration

SLOW = {"traces_ratio": 0, "traces_slow_ms": 0.001}


@pytest.fixture
async def api(migrated: Database, redis: Redis, zipkin: Zipkin) -> AsyncIterator[Api]:
    """An application for which every request is slow."""
    async with running(migrated.settings(**redis.settings, **(zipkin.settings | SLOW))) as started:
        yield started


async def test_a_slow_request_can_be_followed_from_its_log_line(api: Api, zipkin: Zipkin, log: Log) -> None:
    email = new_email()
    token = await api.new_token(email)
    await api.app.state.cache.drop_token(fingerprint(token))
    await log.read()
    answer = await api.get("validate", token)
    [line] = [json.loads(row) for row in (await log.read()).splitlines() if "request_completed" in row]
    assert line["request_id"] == answer.headers["x-request-id"]
    await flush(api)
    spans = zipkin.trace(line["trace_id"])
    [root] = [span for span in spans if "parentId" not in span]
    assert (root["kind"], root["name"]) == ("SERVER", "get /api/v1/auth/validate")
    assert root["tags"]["janua.request_id"] == line["request_id"]
    assert root["tags"]["janua.kept_because"] == "slow"
    assert root["duration"] == pytest.approx(1000 * line["duration_ms"], abs=2)
    assert all(span["parentId"] == root["id"] for span in spans if span is not root)
    assert [tag(span, "db.operation.name") for span in spans if tag(span, "db.system.name") == "postgresql"] == [
        "SELECT"
    ]
    # It asks, marks the key as one that it loads, and leaves what it has found.
    commands = [tag(span, "db.operation.name") for span in spans if tag(span, "db.system.name") == "redis"]
    assert commands == ["GET", "SET", "EVAL"]
    for secret in (token, fingerprint(token), email, answer.json()["user_id"], answer.json()["session_id"]):
        assert secret not in json.dumps(spans)


async def test_a_logout_tells_how_long_it_waited_for_other_replicas(api: Api, zipkin: Zipkin) -> None:
    token = await api.new_token()
    headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "Authorization": f"Bearer {token}"}
    assert (await api.client.post("/api/v1/auth/logout", headers=headers)).status_code == 204
    await flush(api)
    names = {span["name"]: span for span in zipkin.trace("ab" * 16)}
    assert "let every replica forget" in names
    assert names["post /api/v1/auth/logout"]["parentId"] == "cd" * 8


async def test_without_redis_the_trace_says_so(migrated: Database, own_redis: Redis, zipkin: Zipkin) -> None:
    async with running(migrated.settings(**own_redis.settings, **zipkin.settings)) as api:
        email = new_email()
        await api.signup(email)
        own_redis.container.kill()
        headers = {"traceparent": f"00-{'ef' * 16}-{'cd' * 8}-01"}
        account = {"email": email, "password": PASSWORD}
        answer = await api.client.post("/api/v1/auth/login", json=account, headers=headers)
        token = answer.json()["access_token"]
        headers |= {"Authorization": f"Bearer {token}"}
        assert (await api.client.get("/api/v1/auth/validate", headers=headers)).status_code == 200
        await flush(api)
        failed = {span["name"] for span in zipkin.trace("ef" * 16) if tag(span, "error.type") == "ConnectionLostError"}
    assert failed


def tag(span: dict[str, Any], name: str) -> str | None:
    value: str | None = span.get("tags", {}).get(name)
    return value
