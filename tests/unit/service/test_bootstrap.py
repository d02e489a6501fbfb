"""The first administrator."""

from pathlib import Path

import pytest

from service.bootstrap import bootstrap
from service.settings import Settings, SettingsError
from tests.harness import running


@pytest.fixture
def admin(settings: Settings, tmp_path: Path) -> Settings:
    file = _secret(tmp_path / "admin_password", "generated-password")
    return settings.model_copy(update={"admin_email": "admin@example.com", "admin_password_file": file})


async def test_the_administrator_is_created_once(admin: Settings, tmp_path: Path) -> None:
    assert await bootstrap(admin) == "administrator admin@example.com created"
    changed = admin.model_copy(update={"admin_password_file": _secret(tmp_path / "other", "another-password")})
    assert await bootstrap(changed) == "administrator admin@example.com exists already: left alone"
    async with running(admin) as api:
        assert (await api.login("admin@example.com", "another-password")).status_code == 401
        token = (await api.login("admin@example.com", "generated-password")).json()["access_token"]
        body = (await api.get("me", token)).json()
    assert body["roles"] == ["platform-admin"]
    assert {"tenants:write", "roles:write", "tokens:introspect"} <= set(body["permissions"])


async def test_both_settings_are_needed(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="JANUA_ADMIN_EMAIL"):
        await bootstrap(settings)


async def test_a_short_password_is_refused(admin: Settings, tmp_path: Path) -> None:
    short = admin.model_copy(update={"admin_password_file": _secret(tmp_path / "short", "short")})
    with pytest.raises(SettingsError, match="8 to 128"):
        await bootstrap(short)


def _secret(file: Path, secret: str) -> Path:
    file.write_text(f"{secret}\n")
    return file
