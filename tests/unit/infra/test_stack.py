from pathlib import Path

import pytest

from infra.setup import images, stack
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
