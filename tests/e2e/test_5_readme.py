"""The README's commands, word for word, on the running stack; its last ones take it down."""

from pathlib import Path

import pytest

from infra.config import ROOT
from tests.e2e.deployment import Deployment
from tests.e2e.readme import Block, blocks

# What a test cannot run from within: each with its reason.
ELSEWHERE = {
    "make test": "is what runs this test; .ci/run calls it",
    "make clean": "would take the toolchain and the images from the tests that follow",
    "make dev": "serves until it is interrupted; tests/e2e/test_6_dev.py runs it",
}
README = blocks(ROOT / "README.md")


def runnable() -> list[Block]:
    return [block for block in README if not any(command in block.commands for command in ELSEWHERE)]


def test_the_readme_starts_with_up() -> None:
    assert "make up" in README[0].commands
    assert "make down" in runnable()[-1].commands


@pytest.mark.parametrize("block", runnable(), ids=lambda block: f"README.md:{block.line}")
def test_block(staging: Deployment, block: Block) -> None:
    result = staging.shell(block.commands)
    assert result.returncode == 0, result.stdout


def test_nothing_is_left_after_down(staging: Deployment) -> None:
    assert staging.leftovers() == []


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in Path(ROOT / ".ci" / "run").read_text()
