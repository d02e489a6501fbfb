"""The commands of the documents on the running stack: the runbooks', then the README's, which end by taking it down."""

from pathlib import Path

import pytest

from infra.config import ROOT
from tests.e2e.deployment import Deployment
from tests.e2e.documents import Block, blocks

RUNBOOKS = sorted((ROOT / "alerts" / "runbooks").glob("*.md"))
# What a test cannot run from within: each with its reason.
ELSEWHERE = {
    "make test": "is what runs this test; .ci/run calls it",
    "make clean": "would take the toolchain and the images from the tests that follow",
}
README = [block for block in blocks(ROOT / "README.md") if not any(command in block.commands for command in ELSEWHERE)]


def runbook_commands() -> list[str]:
    """Return the blocks of all runbooks, each once: many begin alike."""
    return list(dict.fromkeys(block.commands for runbook in RUNBOOKS for block in blocks(runbook)))


def first_words(commands: str) -> str:
    return " ".join(commands.split()[:6])


@pytest.mark.parametrize("commands", runbook_commands(), ids=first_words)
def test_a_runbooks_commands_work(staging: Deployment, commands: str) -> None:
    """They name the stack `staging`; this one has another name, and is as healthy as can be."""
    ours = commands.replace("com.janua.stack=staging", f"com.janua.stack={staging.stack}")
    result = staging.shell(f"set +e +o pipefail\nsource .janua/env\n{ours}")
    nothing_found = "grep" in commands and result.returncode == 1
    assert result.returncode == 0 or nothing_found, result.stdout


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
