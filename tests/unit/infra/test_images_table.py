import json
import re
import shutil
from pathlib import Path

import pytest

from infra.images import table as images
from infra.images.pin import parse_policy
from infra.images.resources import RELEASE_USER


@pytest.mark.parametrize("name", images.table())
def test_every_version_is_exact(name: str) -> None:
    image = images.table()[name]
    assert re.search(r":v?\d+\.\d+\.?\d*", image.registry), f"{image.registry} moves"
    for package in image.debian_packages():
        assert re.fullmatch(r"[a-z0-9.-]+=[0-9:].+", package)


@pytest.mark.parametrize("name", images.table())
def test_a_digest_is_a_digest(name: str) -> None:
    digest = images.table()[name].digest
    assert digest is None or re.fullmatch(r"sha256:[0-9a-f]{64}", digest)


def test_the_table_is_written_as_make_pin_writes_it() -> None:
    text = images.TABLE.read_text()
    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_every_image_that_debian_carries_has_a_dockerfile_and_the_rest_is_grafana() -> None:
    assert {name for name in images.table() if name not in images.buildable()} == {"grafana"}
    for name in images.buildable():
        assert (images.FOLDER / name / "Dockerfile").is_file()


@pytest.mark.parametrize("name", [name for name in images.buildable() if images.table()[name].user])
def test_the_user_of_an_image_is_the_one_that_its_dockerfile_makes(name: str) -> None:
    user, _, _ = images.table()[name].user.partition(":")
    dockerfile = (images.FOLDER / name / "Dockerfile").read_text()
    made = {*re.findall(r"--uid (\d+)", dockerfile), *re.findall(r"^USER (\d+)", dockerfile, re.MULTILINE)}
    if "USER nobody" in dockerfile:
        made.add("65534")
    assert user in (made or {"0"})


def test_the_release_runs_as_the_user_of_its_runtime() -> None:
    user, _, _ = RELEASE_USER.partition(":")
    assert f"--uid {user} " in (images.FOLDER / "runtime" / "Dockerfile").read_text()


def test_a_mirror_stands_in_front_and_official_images_are_under_library() -> None:
    image = images.Image("x", "postgres:17.1", None, {})
    assert image.registry_reference() == "postgres:17.1"
    assert image.registry_reference("127.0.0.1:5000") == "127.0.0.1:5000/library/postgres:17.1"
    other = images.Image("x", "prom/prometheus:v1", "sha256:00", {})
    assert other.registry_reference("mirror.test/hub") == "mirror.test/hub/prom/prometheus:v1@sha256:00"
    elsewhere = images.Image("x", "registry.test/cadvisor/cadvisor:v1", None, {})
    assert elsewhere.registry_reference() == "registry.test/cadvisor/cadvisor:v1"
    assert elsewhere.registry_reference("127.0.0.1:5000") == "127.0.0.1:5000/cadvisor/cadvisor:v1"


def test_the_local_tag_changes_with_what_the_image_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    before = images.local_reference("redis")
    images.local_reference.cache_clear()
    changed = images.Image("redis", "redis:8.0.2", None, {"redis-server": "9:9.9"})
    monkeypatch.setattr(images, "table", lambda: {"redis": changed})
    assert images.local_reference("redis") != before
    images.local_reference.cache_clear()


def test_grafana_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="grafana"):
        images.local_reference("grafana")


def test_a_content_hash_does_not_depend_on_where_the_clone_lies(tmp_path: Path) -> None:
    for clone in ("a", "b"):
        shutil.copytree(images.FOLDER / "postgres", tmp_path / clone / "postgres")
    first, second = (images.content_hash(tmp_path / clone / "postgres") for clone in ("a", "b"))
    assert first == second
    (tmp_path / "b" / "postgres" / "Dockerfile").write_text("FROM scratch\n")
    assert images.content_hash(tmp_path / "b" / "postgres") != first


def test_candidates_are_read_from_apt() -> None:
    redis = "redis-server:\n  Installed: (none)\n  Candidate: 5:8.0.2-3\n  Version table:\n"
    text = f"{redis}haproxy:\n  Candidate: 3.0.11-1\n"
    assert parse_policy(text) == {"redis-server": "5:8.0.2-3", "haproxy": "3.0.11-1"}
