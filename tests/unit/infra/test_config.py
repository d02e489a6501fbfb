import json

import pulumi
import pytest

from infra.config import ROOT, StackConfig, parse

SECRETS = json.dumps(
    {
        "database": "a",
        "databaseApp": "b",
        "databaseExporter": "c",
        "redis": "d",
        "grafana": "e",
        "admin": "f",
        "signing": "g",
    }
)
MINIMAL = {"images": "debian", "secrets": SECRETS}


def test_defaults_are_two_replicas_on_loopback() -> None:
    config = parse(MINIMAL)
    assert config.replicas == 2
    assert str(config.bind_address) == "127.0.0.1"
    assert config.api_port == 8080


def test_values_of_the_command_line_are_text_and_become_typed() -> None:
    config = parse({**MINIMAL, "replicas": "3", "apiPort": "18080"})
    assert (config.replicas, config.api_port) == (3, 18080)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(pulumi.RunError) as error:
        parse({**MINIMAL, "replicas": "0", "apiPort": "http", "replcas": "2", "smokeDuration": "soon"})
    message = str(error.value)
    assert "4 mistake(s)" in message
    for key in ("janua:replicas", "janua:apiPort", "janua:smokeDuration"):
        assert key in message
    assert "janua:replcas: is not a setting of this project" in message


def test_missing_settings_say_who_sets_them() -> None:
    with pytest.raises(pulumi.RunError, match="janua:images: is not set; `make up` sets it"):
        parse({"secrets": SECRETS})


def test_a_missing_secret_is_named() -> None:
    secrets = {name: value for name, value in json.loads(SECRETS).items() if name != "signing"}
    with pytest.raises(pulumi.RunError, match=r"janua:secrets\.signing: is not set; `make up` sets it"):
        parse({**MINIMAL, "secrets": json.dumps(secrets)})


def test_ports_must_differ() -> None:
    with pytest.raises(pulumi.RunError, match="must differ"):
        parse({**MINIMAL, "apiPort": "9090"})


def test_required_grafana_without_an_image_is_an_error() -> None:
    with pytest.raises(pulumi.RunError, match="set grafanaImage to a reference that can be pulled"):
        parse({**MINIMAL, "grafana": "required"})
    assert parse({**MINIMAL, "grafana": "required", "grafanaImage": "mirror/grafana:1"}).grafana == "required"


def test_no_secret_is_in_an_error_message_or_in_the_representation() -> None:
    canary = "canary-4711"
    secrets = json.loads(SECRETS) | {"admin": canary}
    with pytest.raises(pulumi.RunError) as error:
        parse({"images": "debian", "secrets": json.dumps({**secrets, "unknown": canary}), "replicas": "-1"})
    assert canary not in str(error.value)
    assert canary not in repr(parse({"images": "debian", "secrets": json.dumps(secrets)}))


def test_receivers_are_validated_in_depth() -> None:
    receivers = json.dumps({"email": {"to": "nobody", "sender": "ops@example.com", "smarthost": "mail:25"}})
    with pytest.raises(pulumi.RunError, match=r"janua:receivers\.email\.to"):
        parse({**MINIMAL, "receivers": receivers})


def test_every_setting_is_in_the_configuration_reference() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [field.alias for field in StackConfig.model_fields.values() if f"`janua:{field.alias}`" not in readme]
    assert not missing, f"the README does not tell of {missing}"


def test_a_grafana_of_one_s_own_needs_both_address_and_token() -> None:
    for half in ({"grafanaUrl": "https://grafana.test"}, {"grafanaToken": "a-token"}):
        with pytest.raises(pulumi.RunError, match="go together"):
            parse({**MINIMAL, **half})
    with pytest.raises(pulumi.RunError, match="grafanaUrl"):
        parse({**MINIMAL, "grafanaUrl": "file:///etc/passwd", "grafanaToken": "a-token"})
    sources = '{"prometheus": "https://prometheus.test"}'
    both = {"grafanaUrl": "https://grafana.test", "grafanaToken": "a-token", "grafanaSources": sources}
    assert parse({**MINIMAL, **both}).grafana_sources.prometheus == "https://prometheus.test"


def test_settings_of_the_service_are_checked_before_anything_is_touched() -> None:
    config = parse({**MINIMAL, "service": '{"login_failures": 5, "hash_deadline_seconds": 0.5, "log_level": "DEBUG"}'})
    assert config.service == {"login_failures": 5, "hash_deadline_seconds": 0.5, "log_level": "DEBUG"}
    for given, said in (
        ('{"login_failures": 11}', "login_failures"),
        ('{"no_such_setting": 1}', "no_such_setting"),
        ('{"hash_time_cost": 1, "jwt_seconds": 301}', "jwt_seconds"),
        ('{"access_token_seconds": 9000000}', "refresh_token_seconds"),
        ('{"database_url": "sqlite://"}', "the stack itself sets database_url"),
    ):
        with pytest.raises(pulumi.RunError, match=said):
            parse({**MINIMAL, "service": given})
