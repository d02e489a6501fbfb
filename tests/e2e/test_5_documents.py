"""The commands of the documents on the running stack: the README's come last, since they end by taking it down."""

from pathlib import Path

import pytest

from infra.config import ROOT
from tests.e2e.deployment import Deployment
from tests.e2e.documents import Block, blocks

RUNBOOKS = sorted((ROOT / "alerts" / "runbooks").glob("*.md"))
GUIDES = sorted((ROOT / "docs").glob("*.md"))
# What a test cannot run from within: each with its reason.
ELSEWHERE = {
    "make test": "is what runs this test; .ci/run calls it",
    "make clean": "would take the toolchain and the images from the tests that follow",
}
README = [block for block in blocks(ROOT / "README.md") if not any(command in block.commands for command in ELSEWHERE)]


def commands_of(documents: list[Path]) -> list[str]:
    """Return the blocks of all these documents, each once: many begin alike."""
    return list(dict.fromkeys(block.commands for document in documents for block in blocks(document)))


def first_words(commands: str) -> str:
    return " ".join(commands.split()[:6])


def named(commands: str, stack: str) -> str:
    """The commands for this stack: documents name it `staging`."""
    return commands.replace("com.janua.stack=staging", f"com.janua.stack={stack}")


@pytest.mark.parametrize("commands", commands_of(RUNBOOKS), ids=first_words)
def test_a_runbooks_commands_work(staging: Deployment, commands: str) -> None:
    """The stack is as healthy as can be, so there may be nothing to find."""
    result = staging.shell(f"source .janua/env\n{named(commands, staging.stack)}")
    nothing_found = "grep" in commands and result.returncode == 1
    assert result.returncode == 0 or nothing_found, result.stdout


@pytest.mark.parametrize("commands", commands_of(GUIDES), ids=first_words)
def test_a_guides_commands_work(staging: Deployment, commands: str) -> None:
    result = staging.shell(f"source .janua/env\n{named(commands, staging.stack)}")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "block", blocks(ROOT / "dashboards" / "README.md"), ids=lambda block: first_words(block.commands)
)
def test_the_dashboards_commands_work(staging: Deployment, block: Block) -> None:
    result = staging.shell(block.commands)
    assert result.returncode == 0, result.stdout


def test_the_readme_starts_with_up_and_ends_with_down() -> None:
    assert "make up" in README[0].commands
    assert "make down" in README[-1].commands


@pytest.mark.parametrize("block", README, ids=lambda block: f"README.md:{block.line}")
def test_the_readmes_commands_work(staging: Deployment, block: Block) -> None:
    result = staging.shell(block.commands)
    assert result.returncode == 0, result.stdout


def test_nothing_is_left_after_down(staging: Deployment) -> None:
    assert staging.leftovers() == []


def test_ci_runs_the_readmes_test_command() -> None:
    assert "make test" in Path(ROOT / ".ci" / "run").read_text()
