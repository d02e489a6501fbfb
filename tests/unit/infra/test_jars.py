"""Jars come through Maven, once, and only the one whose checksum the table holds."""

import hashlib
from pathlib import Path

import pytest

from infra.images.table import Jar
from infra.setup import jars
from infra.setup.jars import fetch
from infra.setup.steps import SetupError

CONTENT = "a program"
JAR = Jar("org.example:program:1.2:jar:exec", hashlib.sha256(f"{CONTENT}\n".encode()).hexdigest())
# What it does is what `dependency:copy` does; each call leaves a line.
MAVEN = f"""#!/bin/sh
echo "$@" >>"$CALLS"
for argument in "$@"; do case "$argument" in -DoutputDirectory=*) folder="${{argument#*=}}" ;; esac; done
echo "{CONTENT}" >"$folder/program-1.2-exec.jar"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a Maven of the test's own writes how it was called; the cache is empty."""
    program = tmp_path / "bin" / "mvn"
    program.parent.mkdir()
    program.write_text(MAVEN)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "calls"


def test_a_jar_is_fetched_once(calls: Path) -> None:
    first = fetch(JAR)
    assert first.read_text() == f"{CONTENT}\n"
    assert fetch(JAR) == first
    [call] = calls.read_text().splitlines()
    assert f"-Dartifact={JAR.artifact}" in call
    assert [path.name for path in first.parent.iterdir()] == ["program-1.2-exec.jar"]


def test_another_checksum_is_refused_whether_it_was_fetched_or_kept(calls: Path) -> None:
    for _ in range(2):
        with pytest.raises(SetupError, match="does not have the checksum"):
            fetch(Jar(JAR.artifact, "0" * 64))


def test_a_download_that_fails_leaves_nothing(calls: Path, tmp_path: Path) -> None:
    (tmp_path / "bin" / "mvn").write_text("#!/bin/sh\necho no such artifact >&2\nexit 1\n")
    with pytest.raises(SetupError, match=r"(?s)no such artifact.*Is Maven Central reachable"):
        fetch(JAR)
    assert not [*(tmp_path / "cache").rglob("*.jar")]


def test_without_maven_it_is_installed(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[list[str]] = []

    def install(packages: list[str], why: str) -> None:
        assert JAR.artifact in why
        installed.append(packages)

    monkeypatch.setattr(jars, "install_debian", install)
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert fetch(JAR).exists()
    assert installed == [["maven"]]
