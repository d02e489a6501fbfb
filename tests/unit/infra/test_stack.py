import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.setup import images, secrets, stack
from infra.setup.images import Choice

FILE = """\
encryptionsalt: v1:abc=:v1:def
config:
  janua:apiPort: "8081"
  janua:images: debian
  janua:registryMirror: 127.0.0.1:5000
  janua:secrets:
    secure: v1:xyz
  pulumi:autonaming: x
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stack, "ROOT", tmp_path)
    return tmp_path


def test_a_new_stack_has_no_configuration(root: Path) -> None:
    assert stack.configured("staging") == {}


def test_plain_settings_are_read_from_the_stacks_file(root: Path) -> None:
    (root / "Pulumi.staging.yaml").write_text(FILE)
    assert stack.configured("staging") == {
        "apiPort": "8081",
        "images": "debian",
        "registryMirror": "127.0.0.1:5000",
        "secrets": "",
    }


@pytest.mark.parametrize(
    ("present", "found", "wanted"),
    [
        ({}, Choice("debian", "", grafana=False), {"images": "debian", "grafana": "absent"}),
        ({}, Choice("registry", "", grafana=True), {"images": "registry", "grafana": "deploy"}),
        ({"images": "registry", "grafana": "absent"}, Choice("registry", "", grafana=True), {"grafana": "deploy"}),
        ({"images": "debian", "grafana": "absent"}, Choice("debian", "", grafana=False), {}),
        ({"images": "debian", "grafana": "required"}, Choice("debian", "", grafana=False), {}),
        ({"images": "debian", "grafana": "off"}, Choice("debian", "", grafana=True), {}),
    ],
)
def test_a_persons_choice_is_kept_and_the_probes_is_recorded(
    monkeypatch: pytest.MonkeyPatch, present: dict[str, str], found: Choice, wanted: dict[str, str]
) -> None:
    monkeypatch.setattr(images, "choice", lambda: found)
    assert stack._wanted(present) == wanted


@dataclass
class Pulumi:
    """Answers like the CLI, and keeps encrypted values as it does: out of the lines that can be read."""

    file: Path
    encrypted: dict[str, str] = field(default_factory=dict)
    set_secrets: int = 0

    def run(self, *arguments: str) -> str:
        match arguments:
            case ("config", "get", "--stack", "staging", key):
                return self.encrypted[key.removeprefix("janua:")] + "\n"
            case ("config", "set", "--stack", "staging", key, value):
                self.file.write_text(f"{self.file.read_text()}  {key}: {value}\n")
            case _:
                assert arguments == ("stack", "select", "--create", "staging")
        return ""

    def set_secret(self, name: str, key: str, value: str) -> None:
        assert name == "staging"
        self.set_secrets += 1
        self.encrypted[key] = value
        if f"janua:{key}:" not in self.file.read_text():
            self.file.write_text(f"{self.file.read_text()}  janua:{key}:\n    secure: v1:xyz\n")


@pytest.fixture
def cli(root: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    (root / "Pulumi.staging.yaml").write_text("config:\n")
    cli = Pulumi(root / "Pulumi.staging.yaml")
    monkeypatch.setattr(stack, "STATE", root / "state")
    monkeypatch.setattr(stack, "write_environment", lambda: "")
    monkeypatch.setattr(stack, "_pulumi", cli.run)
    monkeypatch.setattr(stack, "_set_secret", cli.set_secret)
    monkeypatch.setattr(images, "choice", lambda: Choice("debian", "", grafana=False))
    monkeypatch.setattr(secrets, "FOLDER", root / "secrets")
    monkeypatch.setattr(secrets, "PASSPHRASE", root / "secrets" / "passphrase")
    secrets.ensure("staging")
    return cli


def test_a_new_stack_gets_every_secret_and_keeps_it(cli: Pulumi) -> None:
    said = stack.ensure("staging")
    assert "secret signing" in said
    assert json.loads(cli.encrypted["secrets"]) == secrets.read("staging")
    assert not [value for value in secrets.read("staging").values() if value in said]
    assert stack.ensure("staging") == "staging: nothing to record"
    assert cli.set_secrets == 1


def test_a_stack_of_before_gets_the_secrets_that_it_lacks_and_keeps_the_others(cli: Pulumi) -> None:
    in_use = {name: f"in use: {name}" for name in secrets.NAMES if name != "signing"}
    cli.set_secret("staging", "secrets", json.dumps(in_use))
    assert stack.ensure("staging") == "staging: recorded images=debian, grafana=absent, secret signing"
    assert json.loads(cli.encrypted["secrets"]) == in_use | {"signing": secrets.read("staging")["signing"]}
    assert stack.ensure("staging") == "staging: nothing to record"


OWN = ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE")


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*OWN, "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_shell_that_has_sourced_the_environment_writes_the_same_one(clean: pytest.MonkeyPatch) -> None:
    first = stack.environment()
    assert first.keys() >= {*OWN}
    for name in OWN:
        clean.setenv(name, first[name])
    assert {name: stack.environment()[name] for name in OWN} == {name: first[name] for name in OWN}


def test_a_backend_and_a_passphrase_of_the_users_own_are_kept(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    clean.setenv("PULUMI_CONFIG_PASSPHRASE", "a phrase")
    assert not stack.environment().keys() & {*OWN}
    clean.delenv("PULUMI_CONFIG_PASSPHRASE")
    clean.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/elsewhere")
    assert not stack.environment().keys() & {*OWN}
