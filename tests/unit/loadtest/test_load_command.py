"""`make load`: what it hands to the script, and what it says where there is nothing to send load to."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from loadtest import load
from loadtest.population.stack import PopulationError
from loadtest.population.users import Population
from tests.unit.loadtest.k6_suite import WRITE, Service

USERS = Population("a-seed", 100, tenants=20)


class Ran(Exception):  # noqa: N818 - no error: the process has become another
    """What the process became."""

    def __init__(self, program: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(program)
        self.program, self.arguments, self.environment = program, arguments, environment


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, replicas: list[Service]) -> list[Service]:
    """A stack whose edge is the one service, whose Prometheus the other."""

    def become(*program: Any) -> None:
        raise Ran(*program)

    outputs = {"api_url": replicas[0].url, "prometheus_url": replicas[1].url}
    monkeypatch.setattr("infra.operations.stacks.select", lambda name: name)
    monkeypatch.setattr("infra.operations.stacks.outputs", lambda stack, with_secrets: outputs)
    monkeypatch.setattr("loadtest.load.seeded", lambda name: USERS)
    monkeypatch.setattr(os, "execve", become)
    return replicas


def ran(*arguments: str) -> Ran:
    with pytest.raises(Ran) as became:
        load.main(arguments)
    return became.value


def test_the_script_is_told_where_and_as_whom(stack: list[Service]) -> None:
    edge, prometheus = stack
    became = ran("spike", "--rate", "30", "--duration", "20s")
    assert (became.program, became.arguments) == (load.SCRIPT, [str(load.SCRIPT), "spike"])
    assert (
        became.environment.items()
        >= {
            "BASE_URL": edge.url,
            "K6_PROMETHEUS_RW_SERVER_URL": f"{prometheus.url}{WRITE}",
            "POPULATION_SEED": "a-seed",
            "POPULATION_COUNT": "100",
            "POPULATION_TENANTS": "20",
            "RATE": "30",
            "DURATION": "20s",
        }.items()
    )
    assert os.access(load.SCRIPT, os.X_OK)


def test_without_a_population_and_settings_none_is_named(stack: list[Service], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.load.seeded", lambda name: Population("a-seed", 0))
    environment = ran("smoke").environment
    assert [name for name in environment if name.startswith("POPULATION_") or name in ("RATE", "DURATION")] == []


def test_a_prometheus_that_takes_no_figures_is_told_none(
    stack: list[Service], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack[1].write_status = 404
    assert "K6_PROMETHEUS_RW_SERVER_URL" not in ran("smoke").environment
    assert f"not written to {stack[1].url}" in capsys.readouterr().out


def test_one_that_complains_of_an_empty_request_takes_figures(stack: list[Service]) -> None:
    stack[1].write_status = 400
    assert load.takes_figures(stack[1].url)
    assert not load.takes_figures("http://127.0.0.1:1")


@pytest.mark.parametrize("outputs", [{}, automation.StackNotFoundError(automation.CommandResult("", "", 1))])
def test_a_stack_that_is_not_there_gets_no_load(
    stack: list[Service], monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any] | automation.StackNotFoundError
) -> None:
    def answer(name: str, with_secrets: bool) -> dict[str, Any]:
        if isinstance(outputs, automation.StackNotFoundError):
            raise outputs
        return outputs

    monkeypatch.setattr("infra.operations.stacks.outputs", answer)
    with pytest.raises(SystemExit, match="no load is sent: stack nowhere is not deployed"):
        load.main(["smoke", "--stack", "nowhere"])


def test_a_stack_whose_population_cannot_be_asked_for_gets_no_load(
    stack: list[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> Population:
        raise PopulationError("PostgreSQL is away")

    monkeypatch.setattr("loadtest.load.seeded", fail)
    with pytest.raises(SystemExit, match="no load is sent: PostgreSQL is away"):
        load.main(["smoke"])


def test_the_profiles_are_those_of_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{', '.join(load.TYPES[:-1])} or {load.TYPES[-1]}" in load.SCRIPT.read_text()
    with pytest.raises(SystemExit):
        load.main(["everything"])
    assert "invalid choice: 'everything'" in capsys.readouterr().err


def test_k6_knows_the_edge_by_the_stack_s_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LOCAL", tmp_path)
    told = load.trust("staging", {"api_certificate": "a PEM file"})
    assert Path(told["SSL_CERT_FILE"]).read_text() == "a PEM file"
    assert load.trust("staging", {"api_certificate": ""}) == {}
