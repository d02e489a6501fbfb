"""The settings, and what the programs say when they are wrong."""

import os
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import pytest

from alerts import targets
from service.settings import Settings, SettingsError, load_settings
from tests.servers import ROOT


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("JANUA_"):
            monkeypatch.delenv(name)


def test_nothing_need_be_set() -> None:
    settings = load_settings()
    assert (settings.release, settings.host, settings.port) == ("dev", "127.0.0.1", 8000)
    assert settings.sqlalchemy_url.render_as_string() == "sqlite+aiosqlite:///.janua/dev/janua.db"
    assert settings.redis_url == ""
    assert settings.hash_workers >= 1


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUA_PORT", "")
    assert load_settings().port == 8000


def test_the_password_comes_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:word/\n")
    monkeypatch.setenv("JANUA_DATABASE_URL", "postgresql://janua_app@postgres:5432/janua")
    monkeypatch.setenv("JANUA_DATABASE_PASSWORD_FILE", str(tmp_path / "password"))
    settings = load_settings()
    assert settings.sqlalchemy_url.password == "p@ss:word/"
    assert settings.sqlalchemy_url.drivername == "postgresql+psycopg"
    assert "p@ss" not in repr(settings)


def test_every_mistake_is_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    mistakes = {
        "JANUA_PORT": "eighty",
        "JANUA_DATABASE_URL": "postgresql://janua:secret@postgres/janua",
        "JANUA_DATABASE_PASSWORD_FILE": str(tmp_path / "absent"),
        "JANUA_REDIS_URL": "redis://:secret@redis:6379",
        "JANUA_REDIS_PASSWORD_FILE": str(tmp_path / "empty"),
        "JANUA_HASH_DEADLINE_SECONDS": "0",
        "JANUA_DRAIN_SECONDS": "-1",
        "JANUA_CLEANUP_SECONDS": "0",
        "JANUA_LOGIN_FAILURES": "11",
        "JANUA_REFRESH_GRACE_SECONDS": "61",
        "JANUA_SIGNING_SECRET_FILE": str(tmp_path / "absent"),
        "JANUA_JWT_SECONDS": "301",
        "JANUA_JWT_ROTATION_SECONDS": "60",
        # Possible alone, but not beside the defaults of others.
        "JANUA_REFRESH_TOKEN_SECONDS": "3599",
        "JANUA_SHUTDOWN_SECONDS": "14",
        "JANUA_LOG_LEVEL": "LOUD",
        "JANUA_ADMIN_EMAIL": "nobody",
    }
    for name, value in mistakes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    lines = str(caught.value).splitlines()
    assert {line.partition(":")[0] for line in lines} == set(mistakes)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["inf", "nan", "0"])
def test_a_time_is_a_positive_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("JANUA_REQUEST_TIMEOUT_SECONDS", value)
    with pytest.raises(SettingsError, match=r"\AJANUA_REQUEST_TIMEOUT_SECONDS: [^\n]+\Z"):
        load_settings()


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "postgresql://u:p@h/d"])
def test_other_databases_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("JANUA_DATABASE_URL", url)
    with pytest.raises(SettingsError, match="JANUA_DATABASE_URL"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "wrong", "limit"),
    [
        ({"REFRESH_TOKEN_SECONDS": "60"}, "REFRESH_TOKEN_SECONDS", "ACCESS_TOKEN_SECONDS"),
        ({"ACCESS_TOKEN_SECONDS": "9999999"}, "REFRESH_TOKEN_SECONDS", "ACCESS_TOKEN_SECONDS"),
        ({"SESSION_SECONDS": "7200"}, "SESSION_SECONDS", "REFRESH_TOKEN_SECONDS"),
        ({"SHUTDOWN_SECONDS": "14"}, "SHUTDOWN_SECONDS", "REQUEST_TIMEOUT_SECONDS"),
        ({"REQUEST_TIMEOUT_SECONDS": "20.5"}, "SHUTDOWN_SECONDS", "REQUEST_TIMEOUT_SECONDS"),
    ],
)
def test_what_must_last_longer_than_something_else(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], wrong: str, limit: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"JANUA_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"JANUA_{wrong}: must not be less than JANUA_{limit}"


def test_what_must_last_longer_may_last_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_TOKEN_SECONDS", "REFRESH_TOKEN_SECONDS", "SESSION_SECONDS"):
        monkeypatch.setenv(f"JANUA_{name}", "60")
    assert load_settings().session_seconds == 60


def test_a_mistake_is_not_named_once_more_by_what_is_compared_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JANUA_ACCESS_TOKEN_SECONDS", "an hour")
    with pytest.raises(SettingsError, match=r"\AJANUA_ACCESS_TOKEN_SECONDS: [^\n]+\Z"):
        load_settings()


@pytest.mark.parametrize("module", ["service", "service.bootstrap", "migrations.verify"])
def test_programs_exit_with_2_and_name_the_variable(module: str) -> None:
    command = [sys.executable, "-m", module]
    done = subprocess.run(command, cwd=ROOT, env={"JANUA_PORT": "0"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "JANUA_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_readme_tells_of_every_setting_and_of_its_default() -> None:
    rows = [line for line in (ROOT / "service" / "README.md").read_text().splitlines() if line.startswith("| `JANUA_")]
    told: dict[str, str] = {}
    for row in rows:
        names, defaults = (cell.strip() for cell in row.split("|")[1:3])
        told |= zip_longest(re.findall(r"`(JANUA_\w+)`", names), defaults.split(", "))
    assert told.keys() == {f"JANUA_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, int | float):
            assert float(told[f"JANUA_{name.upper()}"]) == field.default, name


def test_a_login_that_waits_as_long_as_it_may_can_still_hold_its_target() -> None:
    assert 1000 * Settings().hash_deadline_seconds < 0.8 * targets.load().k6.login_latency_p95_ms
