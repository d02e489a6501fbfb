import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from pulumi.automation import EngineEvent

from infra.operations import clean, status
from infra.operations.timings import Timings
from infra.operations.up import report

OUTPUTS: dict[str, Any] = {
    "api_url": "http://127.0.0.1:8080",
    "prometheus_url": "http://127.0.0.1:9090",
    "alertmanager_url": "http://127.0.0.1:9093",
    "grafana_url": "http://127.0.0.1:3000",
    "traces_url": "not deployed",
    "admin_email": "admin@example.com",
    "release": "1.2.3-abc",
    "report": "/somewhere/report.html",
    "gate": {
        "verdict": "pass",
        "reasons": [],
        "warnings": [],
        "figures": {"auth_p95_ms": 31.23456, "k6": {"iterations": 1}},
    },
}


def event(kind: str, name: str, timestamp: int, op: str = "create") -> EngineEvent:
    urn = f"urn:pulumi:test::janua::janua:tiers:X$docker:index/container:Container::{name}"
    metadata = {"op": op, "urn": urn, "type": "docker:index/container:Container"}
    return EngineEvent.from_json({"sequence": 1, "timestamp": timestamp, kind: {"metadata": metadata}})


def test_timings_are_the_seconds_between_a_resources_start_and_end() -> None:
    timings = Timings()
    for one in (
        event("resourcePreEvent", "smoke", 10, "refresh"),
        event("resOutputsEvent", "smoke", 20, "refresh"),
        event("resourcePreEvent", "smoke", 100),
        event("resourcePreEvent", "quick", 100),
        event("resOutputsEvent", "quick", 100),
        event("resOutputsEvent", "smoke", 131),
        event("resourcePreEvent", "smoke", 131, "delete-replaced"),
        event("resOutputsEvent", "smoke", 190, "delete-replaced"),
        event("resourcePreEvent", "smoke-files", 90),
        event("resOutputsEvent", "smoke-files", 95),
    ):
        timings.add(one)
    assert timings.lines() == [f"  {'container smoke':<28}   31 s"]


def test_the_report_names_every_url_the_credentials_and_the_verdict() -> None:
    text = report("staging", OUTPUTS)
    for key in ("api_url", "prometheus_url", "alertmanager_url", "grafana_url", "admin_email"):
        assert OUTPUTS[key] in text
    assert ".janua/secrets/staging/" in text
    assert "PASS" in text
    assert "auth_p95_ms 31.2346" in text
    assert "ATTENTION" not in text


def test_the_report_says_aloud_that_there_is_no_grafana() -> None:
    text = report("staging", {**OUTPUTS, "grafana_url": "not deployed: it cannot be pulled"})
    assert "ATTENTION: there is no Grafana: not deployed: it cannot be pulled" in text


class FakeContainer:
    def __init__(self, name: str, state: dict[str, Any], restart: str = "no") -> None:
        self.labels = {"com.janua.part": name}
        self.image = None
        self.attrs = {
            "State": state,
            "Config": {"Image": "sha256:1"},
            "HostConfig": {"RestartPolicy": {"Name": restart}},
        }


def deploy(monkeypatch: pytest.MonkeyPatch, container: FakeContainer, *, serves: bool = False) -> None:
    monkeypatch.setattr(status, "serving", lambda _stack: lambda _container: serves)
    client = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: [container]))
    monkeypatch.setattr(docker, "from_env", lambda: client)


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ({"Status": "running", "Health": {"Status": "healthy"}}, "healthy"),
        ({"Status": "running", "Health": {"Status": "unhealthy"}}, "unhealthy"),
        ({"Status": "exited", "ExitCode": 0}, "completed"),
        ({"Status": "exited", "ExitCode": 2}, "failed with exit code 2"),
        ({"Status": "restarting"}, "restarting"),
    ],
)
def test_health_is_the_engines_word(monkeypatch: pytest.MonkeyPatch, state: dict[str, Any], health: str) -> None:
    deploy(monkeypatch, FakeContainer("edge", state))
    found = {part.name: part for part in status.parts("staging", OUTPUTS)}
    assert (found["edge"].health, found["edge"].url) == (health, OUTPUTS["api_url"])
    assert (found["grafana"].health, found["grafana"].url) == ("run by others", OUTPUTS["grafana_url"])
    absent = {part.name: part for part in status.parts("staging", {"grafana_url": "not deployed: off"})}
    assert (absent["grafana"].health, absent["grafana"].url) == ("not deployed", None)


@pytest.mark.parametrize(
    ("part", "serves", "health"),
    [("service-1", True, "stopped"), ("service-1", False, "refused"), ("edge", False, "stopped")],
)
def test_one_that_was_stopped_is_well_only_if_the_gate_refused_it(
    monkeypatch: pytest.MonkeyPatch, part: str, serves: bool, health: str
) -> None:
    deploy(monkeypatch, FakeContainer(part, {"Status": "exited", "ExitCode": 0}, "unless-stopped"), serves=serves)
    found = {part.name: part for part in status.parts("staging", OUTPUTS)}
    assert found[part].health == health
    assert (health in status.WELL) == (health == "refused")


@pytest.mark.parametrize(("verdict", "health"), [("pass", "failed with exit code 99"), ("override", status.OVERRIDDEN)])
def test_a_failed_smoke_run_is_well_only_where_the_gate_was_overridden(
    monkeypatch: pytest.MonkeyPatch, verdict: str, health: str
) -> None:
    smoke = FakeContainer("smoke", {"Status": "exited", "ExitCode": 99})
    monkeypatch.setattr("infra.operations.stacks.containers", lambda stack: [smoke])
    found = {part.name: part.health for part in status.parts("staging", {**OUTPUTS, "gate": {"verdict": verdict}})}
    assert found["smoke"] == health
    assert (health in status.WELL) is (verdict == "override")
    assert status.ELSEWHERE in status.WELL


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A machine of the test's own for `make clean`: folders instead of the real ones."""
    paths = {"ROOT": tmp_path, "LOCAL": tmp_path / ".janua", "VENV": tmp_path / ".venv"}
    for name, path in paths.items():
        path.mkdir(exist_ok=True)
        monkeypatch.setattr(clean, name, path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "Pulumi.staging.yaml").write_text("config: {}")
    (tmp_path / "backups").mkdir()
    return paths


def test_clean_refuses_while_a_stack_is_there(machine: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean, "_ours", lambda *arguments: ["container"] if arguments[0] == "ps" else [])
    assert clean.main() == 1
    assert machine["LOCAL"].exists()


def test_clean_refuses_while_the_state_names_resources(
    machine: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An engine that does not answer knows of no container, and the password of what it has would be gone."""
    monkeypatch.setattr(clean, "_ours", lambda *_: [])
    folder = machine["LOCAL"] / "state" / ".pulumi" / "stacks" / "janua"
    folder.mkdir(parents=True)
    for name, latest in (("up", {"resources": [{}]}), ("down", {"manifest": {}}), ("new", None)):
        (folder / f"{name}.json").write_text(json.dumps({"checkpoint": {"latest": latest}}))
    assert clean.main() == 1
    assert "`make down STACK=up`" in capsys.readouterr().err
    assert (machine["ROOT"] / "Pulumi.staging.yaml").exists()
    (folder / "up.json").unlink()
    assert clean.main() == 0


def test_clean_removes_images_from_the_leaves_to_the_root(
    machine: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    layers = [["base", "runtime", "release"], ["base", "runtime"], ["base"], []]

    def engine(*arguments: str) -> list[str]:
        if arguments[0] == "rmi":
            layers.pop(0)
        return layers[0] if arguments[0] == "images" else []

    monkeypatch.setattr(clean, "_ours", engine)
    assert clean.main() == 0
    assert layers == [[]]
    assert "removed 3 images" in capsys.readouterr().out


def test_clean_keeps_an_image_that_something_else_uses(
    machine: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clean, "_ours", lambda *arguments: ["busy"] if arguments[0] == "images" else [])
    assert clean.main() == 0
    captured = capsys.readouterr()
    assert "removed 0 images" in captured.out
    assert "kept: busy" in captured.err


def test_clean_removes_what_the_set_up_made_and_keeps_backups(
    machine: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean, "_ours", lambda *_: [])
    assert clean.main() == 0
    assert not machine["LOCAL"].exists()
    assert not machine["VENV"].exists()
    assert not (machine["ROOT"] / "cache" / "janua").exists()
    assert not (machine["ROOT"] / "Pulumi.staging.yaml").exists()
    assert (machine["ROOT"] / "backups").exists()
