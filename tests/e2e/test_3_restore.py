"""Backups that are known to be good, and a restore that is all or nothing, on a running stack."""

import os
import re
import secrets
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from docker.errors import NotFound

from infra.hardening.rules import violations
from infra.hardening.running import shape_of
from tests.e2e.deployment import Deployment

PASSWORD = "a passphrase of somebody who is restored"


def sign_up(staging: Deployment) -> dict[str, str]:
    """Somebody who has logged in: the account, and the token."""
    account = {"email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    with staging.api() as api:
        api.post("/api/v1/auth/signup", json=account).raise_for_status()
        session = api.post("/api/v1/auth/login", json=account).raise_for_status().json()
        validate(api, session["access_token"])
    return {**account, "token": session["access_token"]}


def validate(api: httpx.Client, token: str) -> int:
    return api.get("/api/v1/auth/validate", headers={"Authorization": f"Bearer {token}"}).status_code


def backup(staging: Deployment) -> Path:
    made = staging.shell("make backup")
    assert made.returncode == 0, made.stdout
    return max(dumps(staging))


def dumps(staging: Deployment) -> set[Path]:
    """The stack's own."""
    return set((staging.folder / "backups").glob(f"{staging.stack}-{8 * '?'}T{6 * '?'}Z.dump"))


@pytest.fixture(scope="module")
def before(staging: Deployment) -> dict[str, str]:
    """Somebody of before the backup."""
    return sign_up(staging)


def test_a_backup_is_restored_and_compared_before_it_is_called_good(
    staging: Deployment, before: dict[str, str]
) -> None:
    made = staging.shell("make backup")
    assert made.returncode == 0, made.stdout
    assert "restored and compared" in made.stdout
    file = max(dumps(staging))
    sums = dict(line.split(" ", 1) for line in file.with_suffix(".dump.sums").read_text().splitlines())
    assert sums["users"].split()[0] == staging.sql("SELECT count(*) FROM users")
    assert file.stat().st_mode & 0o077 == 0
    assert staging.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'janua\\_%'") == "0"


def test_a_job_obeys_the_rules_for_containers(staging: Deployment) -> None:
    started = subprocess.Popen(["make", "backup"], cwd=staging.folder, env={**os.environ, "STACK": staging.stack})
    found: list[str] | None = None
    while started.poll() is None:
        with suppress(NotFound):  # it has ended just now
            for job in staging.containers("job"):
                found = violations(shape_of("job", job.attrs))
        time.sleep(0.05)
    assert started.returncode == 0
    assert found == []


def test_a_restore_brings_back_what_was_and_nothing_else(staging: Deployment, before: dict[str, str]) -> None:
    file = backup(staging)
    later = sign_up(staging)
    restored = staging.shell(f"make restore FILE=backups/{file.name}")
    assert restored.returncode == 0, restored.stdout
    assert "WARNING: everything that was written" in restored.stdout
    with staging.api() as api:
        # Neither the account of after the backup nor what caches hold of its session is left.
        assert [validate(api, later["token"]) for _ in range(4)] == [401] * 4
        assert api.post("/api/v1/auth/login", json=_account(later)).status_code == 401
        assert [validate(api, before["token"]) for _ in range(4)] == [200] * 4
        assert api.post("/api/v1/auth/login", json=_account(before)).status_code == 200
        assert api.post("/api/v1/auth/signup", json=_account(later)).status_code == 201
    assert staging.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'janua\\_%'") == "0"
    assert staging.containers("job") == []
    # Whatever is deployed next migrates what was restored.
    assert staging.containers("migrate") == []
    assert staging.shell("make status").returncode == 0


def test_old_dumps_go_but_neither_the_one_that_is_restored_nor_those_of_other_stacks(
    staging: Deployment, before: dict[str, str]
) -> None:
    folder = staging.folder / "backups"
    others = [folder / f"{staging.stack}-{name}.dump" for name in ("2-20200101T000000Z", "b-20200101T000000Z")]
    killed = folder / f"{staging.stack}-20200101T000000Z.dump.part"
    for file in (*others, killed):
        file.write_text("")
    oldest = backup(staging)
    staging.configure("backupsKept", "1")
    try:
        restored = staging.shell(f"make restore FILE={oldest.name}")
        assert restored.returncode == 0, restored.stdout
        assert oldest.exists()
        newest = backup(staging)
    finally:
        staging.pulumi("config rm janua:backupsKept").check_returncode()
    assert dumps(staging) == {newest}
    assert all(file.exists() for file in others)
    assert not killed.exists()
    for file in others:
        file.unlink()


def test_two_backups_at_a_time_are_both_good(staging: Deployment, before: dict[str, str]) -> None:
    both = staging.shell("make backup & first=$!; make backup; wait $first")
    assert both.returncode == 0, both.stdout
    assert both.stdout.count("restored and compared") == 2


@pytest.mark.parametrize("damage", ["truncated", "corrupted", "without its checksums", "elsewhere"])
def test_a_damaged_backup_is_refused_and_everything_serves_as_before(
    staging: Deployment, before: dict[str, str], damage: str
) -> None:
    good = max(dumps(staging))
    folder = staging.folder / ("elsewhere" if damage == "elsewhere" else "backups")
    folder.mkdir(exist_ok=True)
    file = folder / "damaged.dump"
    content = bytearray(good.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    elif damage == "corrupted":
        content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    if damage != "without its checksums":
        file.with_suffix(".dump.sums").write_text(good.with_suffix(".dump.sums").read_text())
    try:
        refused = staging.shell(f"make restore FILE={file.relative_to(staging.folder)}")
    finally:
        file.unlink()
        file.with_suffix(".dump.sums").unlink(missing_ok=True)
    assert refused.returncode != 0
    assert "nothing was restored" in refused.stdout
    with staging.api() as api:
        assert validate(api, before["token"]) == 200
    assert staging.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'janua\\_%'") == "0"


def test_a_dump_that_does_not_hold_what_was_written_down_is_refused(
    staging: Deployment, before: dict[str, str]
) -> None:
    """The file is whole, but a row is missing: the tables themselves are compared."""
    good = max(dumps(staging))
    sums = good.with_suffix(".dump.sums")
    was = sums.read_text()
    sums.write_text(re.sub(r"^users (\d+)", lambda found: f"users {int(found[1]) + 1}", was, flags=re.MULTILINE))
    try:
        refused = staging.shell(f"make restore FILE={good.name}")
    finally:
        sums.write_text(was)
    assert refused.returncode != 0
    assert "what the tables hold differs" in refused.stdout
    with staging.api() as api:
        assert validate(api, before["token"]) == 200


def _account(person: dict[str, str]) -> dict[str, str]:
    return {"email": person["email"], "password": person["password"]}
