"""The Pulumi program under mocks: what is deployed obeys the policy, whatever the configuration."""

import json
from typing import Any

import pulumi
import pytest
from cryptography import x509
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from infra.edge.certificate import generate
from service.settings import Settings
from tests.unit.infra.program import CONTAINER, IMAGE, NETWORK, Engine, deploy
from tests.unit.infra.test_config import MINIMAL


@pytest.fixture(scope="module", params=["debian", "registry with grafana"])
def engine(request: pytest.FixtureRequest) -> Engine:
    registry = {"images": "registry", "grafana": "deploy", "replicas": "3"}
    return deploy(registry if request.param.startswith("registry") else {})


STEPS = {"textfile", "backup", "migrate", "verify-indexes", "silence", "smoke", "judge", "promote"}


def parts(engine: Engine) -> dict[str, dict[str, Any]]:
    """The containers that run: those that only carry the files of others never start."""
    return {name: inputs for name, inputs in engine.of(CONTAINER).items() if inputs.get("start") is not False}


def files(engine: Engine, part: str) -> dict[str, str]:
    """The files of a part, by their paths; its secrets are among them."""
    carried = engine.of(CONTAINER)[f"{part}-files"]["uploads"]
    uploads = carried["value"] if isinstance(carried, dict) else carried
    return {upload["file"]: upload["content"] for upload in uploads}


def serving(engine: Engine) -> dict[str, dict[str, Any]]:
    return {name: inputs for name, inputs in parts(engine).items() if name not in STEPS}


def test_every_tier_is_there(engine: Engine) -> None:
    assert set(engine.of(NETWORK)) == {"edge", "data", "monitoring"}
    assert engine.of(CONTAINER).keys() >= {
        *STEPS,
        "postgres",
        "redis",
        "service-1",
        "service-2",
        "edge",
        "prometheus",
        "alertmanager",
        "postgres-exporter",
        "redis-exporter",
        "node-exporter",
        "cadvisor",
        "zipkin",
    }


def test_a_baseline_has_neither_cache_nor_indexes_and_is_not_refused_for_it(engine: Engine) -> None:
    baseline = deploy({"profile": "baseline"}).of(CONTAINER)
    optimized = engine.of(CONTAINER)
    assert optimized.keys() - baseline.keys() >= {"verify-indexes"}
    assert baseline["drop-indexes"]["command"] == ["python", "-m", "migrations.baseline"]
    for containers, cache, targets in ((baseline, "off", "advisory"), (optimized, "on", "binding")):
        assert f"JANUA_CACHE={cache}" in containers["service-1"]["envs"]
        assert f"TARGETS={targets}" in containers["judge"]["envs"]


def release_of(engine: Engine) -> str:
    environment = dict(entry.split("=", 1) for entry in engine.of(CONTAINER)["service-1"]["envs"])
    return str(environment["JANUA_RELEASE"])


def test_the_gate_is_overridden_for_the_release_that_is_named_and_audited(engine: Engine) -> None:
    plain = deploy({})
    reason = {"reason": "the mirror is slow today"}
    named = deploy({"gateOverride": json.dumps({"release": release_of(plain), **reason})}).of(CONTAINER)
    another = deploy({"gateOverride": json.dumps({"release": "0.1.0-another", **reason})}).of(CONTAINER)
    assert "OVERRIDE=the mirror is slow today" in named["judge"]["envs"]
    assert "audit-override" in named
    assert "OVERRIDE=" in another["judge"]["envs"]
    assert "audit-override" not in another


def test_only_what_people_use_is_published_and_on_loopback(engine: Engine) -> None:
    published = {name: inputs["ports"] for name, inputs in engine.of(CONTAINER).items() if inputs.get("ports")}
    assert published.keys() <= {"edge", "prometheus", "alertmanager", "grafana", "zipkin"}
    assert all(port["ip"] == "127.0.0.1" for ports in published.values() for port in ports)


@pytest.mark.parametrize(("address", "written"), [("127.0.0.1", True), ("::1", True), ("192.0.2.1", False)])
def test_prometheus_takes_k6_s_figures_from_this_machine_only(address: str, written: bool) -> None:
    command = deploy({"bindAddress": address}).of(CONTAINER)["prometheus"]["command"]
    assert ("--web.enable-remote-write-receiver" in command) is written


def test_every_container_is_labelled_and_keeps_within_a_gigabyte(engine: Engine) -> None:
    for name, inputs in parts(engine).items():
        assert 0 < inputs["memory"] <= 1024, name
        labels = {label["label"]: label["value"] for label in inputs["labels"]}
        assert labels["com.janua.stack"] == "test", name
        assert labels["com.janua.part"] == name


def test_what_serves_is_watched_restarted_and_waited_for(engine: Engine) -> None:
    for name, inputs in serving(engine).items():
        assert inputs["healthcheck"]["tests"][0] == "CMD", name
        assert inputs["restart"] == "unless-stopped", name
        # The program itself waits for replicas: infra/readiness.py.
        assert inputs["wait"] is not name.startswith("service-"), name


def test_what_runs_to_completion_is_waited_for_and_stays_exited(engine: Engine) -> None:
    for name in STEPS:
        inputs = engine.of(CONTAINER)[name]
        assert (inputs["attach"], inputs["mustRun"], inputs["restart"]) == (True, False, "no"), name


def test_the_edge_cannot_reach_the_data_tier_nor_can_k6_or_the_gate(engine: Engine) -> None:
    networks = {
        name: {network["name"] for network in inputs["networksAdvanced"]} for name, inputs in parts(engine).items()
    }
    assert engine.of(NETWORK)["data"]["internal"] is True
    for name in ("edge", "smoke", "judge", "promote", "prometheus", "alertmanager"):
        assert "janua-data" not in networks[name]
    assert networks["postgres"] == {"janua-data"}
    assert networks["redis"] == {"janua-data"}


def test_the_engine_s_socket_is_given_to_cadvisor_alone_and_the_host_is_only_looked_at(engine: Engine) -> None:
    mounts = {name: inputs.get("volumes") or [] for name, inputs in parts(engine).items()}
    holders = {name for name, volumes in mounts.items() for v in volumes if "docker.sock" in str(v.get("hostPath"))}
    assert holders == {"cadvisor"}
    assert [volume.get("hostPath") for volume in mounts["node-exporter"]] == [None]
    assert {network["name"] for network in engine.of(CONTAINER)["cadvisor"]["networksAdvanced"]} == {"janua-monitoring"}


def test_the_gate_reports_into_the_volume_that_the_exporter_reads(engine: Engine) -> None:
    def volume(name: str) -> str:
        mounted = {volume.get("containerPath"): volume for volume in engine.of(CONTAINER)[name]["volumes"]}
        return str(mounted["/textfile"]["volumeName"])

    assert volume("judge") == volume("node-exporter") == volume("textfile")
    assert "METRICS_FILE=/textfile/gate.prom" in engine.of(CONTAINER)["judge"]["envs"]
    assert "--collector.textfile.directory=/textfile" in engine.of(CONTAINER)["node-exporter"]["command"]


def test_no_secret_is_in_an_environment_or_a_command(engine: Engine) -> None:
    for name, inputs in engine.of(CONTAINER).items():
        visible = [*inputs.get("envs", []), *(inputs.get("command") or [])]
        for text in visible:
            key, _, value = str(text).partition("=")
            assert value not in json.loads(MINIMAL["secrets"]).values(), f"{name}: {key}"


def test_secret_files_are_encrypted_in_the_state(engine: Engine) -> None:
    encrypted = 0
    for name, inputs in engine.of(CONTAINER).items():
        uploads = inputs.get("uploads", [])
        if isinstance(uploads, list):
            assert not [u for u in uploads if u["file"].startswith("/run/secrets/")], f"{name}'s secrets are plain"
        else:
            assert uploads[_special_sig_key] == _special_secret_sig
            encrypted += 1
    assert encrypted >= 8


def test_files_are_carried_by_another_container_and_can_only_be_read(engine: Engine) -> None:
    for name, inputs in parts(engine).items():
        assert not inputs.get("uploads"), name
        carried = [volume["fromContainer"] for volume in inputs["volumes"] if "fromContainer" in volume]
        assert carried == ([f"janua-{name}-files:ro"] if f"{name}-files" in engine.of(CONTAINER) else []), name


def test_every_file_lies_in_a_volume_of_what_carries_it(engine: Engine) -> None:
    carriers = [name for name in engine.of(CONTAINER) if name.endswith("-files")]
    assert len(carriers) >= 10
    for name in carriers:
        volumes = [volume["containerPath"] for volume in engine.of(CONTAINER)[name]["volumes"]]
        for path in files(engine, name.removesuffix("-files")):
            assert [volume for volume in volumes if path.startswith(f"{volume}/")], f"{name}: {path}"


def test_every_replica_is_told_of_a_file_for_each_secret_that_it_needs(engine: Engine) -> None:
    replicas = {name: inputs for name, inputs in parts(engine).items() if name.startswith("service-")}
    assert replicas
    for name, inputs in replicas.items():
        uploads = files(engine, name)
        wanted = dict(env.split("=", 1) for env in inputs["envs"] if "_FILE=" in env)
        assert wanted.keys() == {
            "JANUA_DATABASE_PASSWORD_FILE",
            "JANUA_REDIS_PASSWORD_FILE",
            "JANUA_SIGNING_SECRET_FILE",
        }, name
        assert set(wanted.values()) == uploads.keys(), name
        assert uploads[wanted["JANUA_SIGNING_SECRET_FILE"]] == json.loads(MINIMAL["secrets"])["signing"], name


def test_a_replica_has_the_time_that_it_takes_to_stop(engine: Engine) -> None:
    replicas = [inputs for name, inputs in parts(engine).items() if name.startswith("service-")]
    assert replicas
    for inputs in replicas:
        environment = dict(env.split("=", 1) for env in inputs["envs"])
        settings = Settings(drain_seconds=float(environment["JANUA_DRAIN_SECONDS"]))
        assert settings.drain_seconds > 0
        assert settings.drain_seconds + settings.shutdown_seconds < inputs["destroyGraceSeconds"]


def test_images_are_pinned_by_id_and_kept(engine: Engine) -> None:
    assert all(inputs["keepLocally"] is True for inputs in engine.of(IMAGE).values())
    assert all(inputs["image"].startswith("sha256:") for inputs in engine.of(CONTAINER).values())


@pytest.mark.parametrize("settings", [{"traces": "off"}, {"otlpEndpoint": "https://collector.test/v1/traces"}])
def test_without_zipkin_there_is_none(settings: dict[str, str]) -> None:
    assert "zipkin" not in deploy(settings).of(CONTAINER)


def test_traces_go_to_zipkin_to_otlp_or_nowhere(engine: Engine) -> None:
    assert traces(engine) == {
        "JANUA_TRACES_URL": "http://zipkin:9411/api/v2/spans",
        "JANUA_TRACES_FORMAT": "zipkin",
    }
    endpoint = "https://collector.test/v1/traces"
    elsewhere = {"JANUA_TRACES_URL": endpoint, "JANUA_TRACES_FORMAT": "otlp"}
    assert traces(deploy({"otlpEndpoint": endpoint})) == elsewhere
    with_key = deploy({"otlpEndpoint": endpoint, "otlpHeaders": "Authorization: a-key"})
    assert traces(with_key) == elsewhere | {"JANUA_TRACES_HEADERS_FILE": "/run/secrets/otlp_headers"}
    assert "Authorization: a-key" in files(with_key, "service-1").values()
    assert traces(deploy({"traces": "off"})) == {}


def traces(engine: Engine) -> dict[str, str]:
    environment = dict(env.split("=", 1) for env in engine.of(CONTAINER)["service-1"]["envs"])
    return {name: value for name, value in environment.items() if name.startswith("JANUA_TRACES_")}


def test_a_changed_smoke_test_is_a_new_release(monkeypatch: pytest.MonkeyPatch) -> None:
    def release(engine: Engine) -> str:
        envs = engine.of(CONTAINER)["service-1"]["envs"]
        return next(str(env) for env in envs if env.startswith("JANUA_RELEASE="))

    assert release(deploy({})) == release(deploy({}))
    assert release(deploy({})) != release(deploy({"smokeDuration": "5s"}))


def test_an_organisation_s_own_grafana_is_used_instead_of_a_container() -> None:
    engine = deploy({"grafana": "deploy", "grafanaUrl": "https://grafana.test/", "grafanaToken": "a-token"})
    assert "grafana" not in engine.of(CONTAINER)
    objects = {args.name: args.inputs for args in engine.resources if args.typ.endswith("grafana:Object")}
    assert objects.keys() == {
        *(f"datasource-{uid}" for uid in ("prometheus", "alertmanager", "zipkin")),
        "folder-janua",
        *(f"dashboard-janua-{name}" for name in ("overview", "cache", "database", "hosts", "deployments", "load")),
    }
    source = json.loads(objects["datasource-prometheus"]["content"])
    assert (source["url"], source["isDefault"]) == ("http://127.0.0.1:9090", False)
    for inputs in objects.values():
        assert inputs["token"][_special_sig_key] == _special_secret_sig
    assert any("https://grafana.test/d/janua-overview" in text for text in files(engine, "prometheus").values())


def test_replicas_are_as_many_as_configured(engine: Engine) -> None:
    judged = next(env for env in engine.of(CONTAINER)["judge"]["envs"] if env.startswith("REPLICAS="))
    replicas = [name for name in parts(engine) if name.startswith("service-")]
    assert judged == "REPLICAS=" + ",".join(f"janua-{name}:8000" for name in sorted(replicas))


def environment(engine: Engine, part: str) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in engine.of(CONTAINER)[part]["envs"])


def test_the_edge_is_plain_on_this_machine_and_limits_what_an_address_may_send(engine: Engine) -> None:
    assert environment(engine, "edge") == {"EDGE_REQUESTS_PER_SECOND": "5000", "EDGE_LOGINS_PER_SECOND": "500"}
    assert "/run/secrets/edge.pem" not in files(engine, "edge")


def test_an_edge_that_others_reach_speaks_tls_with_a_certificate_for_its_address() -> None:
    deployed = deploy({"bindAddress": "192.0.2.7", "edgeNames": '["staging.example.com"]'})
    assert environment(deployed, "edge")["EDGE_CERTIFICATE"] == "/run/secrets/edge.pem"
    certificate = x509.load_pem_x509_certificate(files(deployed, "edge")["/run/secrets/edge.pem"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["localhost", "127.0.0.1", "::1", "192.0.2.7", "staging.example.com"]


def test_a_certificate_that_is_given_is_the_one_that_is_shown() -> None:
    pem = "".join(generate("somebody's", ["staging.example.com"], 2026))
    assert files(deploy({"certificate": pem}), "edge")["/run/secrets/edge.pem"] == pem
    assert "EDGE_CERTIFICATE" not in environment(deploy({"certificate": pem, "tls": "off"}), "edge")


def test_redis_lets_each_user_do_what_it_needs_and_knows_each_by_another_password(engine: Engine) -> None:
    lines = files(engine, "redis")["/run/secrets/redis.conf"].splitlines()
    users = {line.split()[1]: line.split()[3] for line in lines if line.startswith("user ")}
    assert users.keys() == {"janua", "exporter"}
    [administrator] = [line.split()[1] for line in lines if line.startswith("requirepass ")]
    assert len({*users.values(), f">{administrator}"}) == 3
    assert f">{files(engine, 'service-1')['/run/secrets/redis_password']}" == users["janua"]
    assert environment(engine, "service-1")["JANUA_REDIS_URL"] == "redis://janua@redis:6379/0"
    exporter = environment(engine, "redis-exporter")
    assert (exporter["REDIS_ADDR"], exporter["REDIS_USER"]) == ("redis://redis:6379", "exporter")
    [exporters] = files(engine, "redis-exporter").values()
    assert json.loads(exporters).keys() == {"redis://exporter@redis:6379"}
    assert administrator not in [*files(engine, "service-1").values(), *json.loads(exporters).values()]


@pytest.mark.parametrize(("settings", "protected"), [({}, False), ({"protectData": "true"}, True)])
def test_the_volume_that_holds_the_data_can_be_protected(settings: dict[str, str], protected: bool) -> None:
    seen: dict[str, bool | None] = {}

    def note(args: pulumi.ResourceTransformationArgs) -> None:
        seen[args.name] = args.opts.protect

    deploy(settings, transformation=note)
    assert bool(seen["database"]) is protected
    assert not seen["prometheus"]


EXTERNAL = {
    "externalDatabase": '{"host": "db.example.com", "user": "boss", "password": "owner-canary", "ca": "a PEM file"}',
    "externalRedis": '{"host": "cache.example.com", "user": "someone", "password": "redis-canary"}',
}


def test_servers_that_others_run_are_used_instead_of_the_stack_s_own() -> None:
    engine = deploy(EXTERNAL)
    assert not {"postgres", "redis"} & engine.of(CONTAINER).keys()
    assert "database" not in engine.of("docker:index/volume:Volume")
    assert engine.of(NETWORK)["data"]["internal"] is False
    service = environment(engine, "service-1")
    options = "sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
    assert service["JANUA_DATABASE_URL"] == f"postgresql+psycopg://janua_app@db.example.com:5432/janua?{options}"
    assert service["JANUA_REDIS_URL"] == "rediss://someone@cache.example.com:6379/0"
    assert files(engine, "service-1")["/run/secrets/redis_password"] == "redis-canary"
    for part in ("service-1", "migrate", "backup", "roles", "postgres-exporter"):
        assert files(engine, part)["/run/secrets/database_ca"] == "a PEM file", part
    for part in ("roles", "backup", "migrate"):
        assert files(engine, part)["/run/secrets/database_password"] == "owner-canary", part
    backup = environment(engine, "backup")
    assert (backup["PGHOST"], backup["PGUSER"], backup["PGSSLMODE"]) == ("db.example.com", "boss", "verify-full")
    assert "owner-canary" not in str(files(engine, "service-1"))


def test_external_servers_are_given_as_secrets(engine: Engine) -> None:
    assert engine.of(NETWORK)["data"]["internal"] is True
    with pytest.raises(pulumi.RunError, match=r"externalDatabase.*--secret"):
        deploy(EXTERNAL, plain=["externalDatabase"])
