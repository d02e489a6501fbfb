"""Programs that are built here from Go modules appear whole or not at all."""

from pathlib import Path

import pytest

from infra.setup import golang
from infra.setup.steps import SetupError

# Stands in for the compiler: writes what it was asked, and its environment, into the file after -o.
GO = """#!/bin/sh
case "$*" in *broken*) echo "broken: no such package" >&2; exit 1;; esac
all="$*"
while [ "$1" != -o ]; do shift; done
echo "CGO_ENABLED=$CGO_ENABLED $all" > "$2"
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "go"
    program.parent.mkdir()
    program.write_text(GO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


@pytest.mark.usefixtures("compiler")
def test_a_program_is_built_into_its_place(tmp_path: Path) -> None:
    target = tmp_path / "made" / "program"
    golang.build(tmp_path, "./cmd", target, "-X main.version=1", golang.STATIC)
    assert "CGO_ENABLED=0" in target.read_text()
    assert "-s -w -X main.version=1" in target.read_text()
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("compiler")
def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no such package"):
        golang.build(tmp_path, "broken", tmp_path / "made" / "program")
    assert list((tmp_path / "made").iterdir()) == []


def test_without_go_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"program has to be built here.*install Go"):
        golang.build(tmp_path, ".", tmp_path / "program")
