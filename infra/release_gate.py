"""The proof that a release is fit to serve: a k6 smoke run against its replicas, judged by the gate."""

import json

import pulumi
from pulumi import Output, Resource, ResourceOptions

from alerts import burn, targets
from alerts.alert import Severity
from alerts.rules import alerts
from evidence.deployment import Deployment
from infra.config import ROOT, StackConfig
from infra.containers import Attachment, ContainerArgs
from infra.deployment_report import DeploymentReport
from infra.images.resources import Images
from infra.steps import Step, step
from infra.tiers.application import Application
from infra.tiers.database import Database
from infra.tiers.hosts import TEXTFILE
from infra.tiers.monitoring import ALERTMANAGER_PORT, Monitoring
from infra.tiers.networks import Networks
from loadtest.gate.answer import read

SUMMARY_FILE = "/run/smoke/smoke.log"
# What starting k6 and judging its run takes.
JUDGING_SECONDS = 15
K6 = ROOT / "loadtest" / "k6"
TARGETS = ROOT / "alerts" / "targets.json"


class ReleaseGate(pulumi.ComponentResource):
    """`verdict` is the gate's, with its figures; `passed` is there only when the release may serve.

    `report` is the file that tells of the deployment.
    """

    passed: Output[Resource]

    def __init__(  # noqa: PLR0913, PLR0917 - one for each part that it asks
        self,
        config: StackConfig,
        images: Images,
        networks: Networks,
        application: Application,
        monitoring: Monitoring,
        database: Database,
    ) -> None:
        super().__init__("janua:release:Gate", "gate")
        deployed = Deployment(pulumi.get_stack(), application.release, monitoring.prometheus_url)
        replicas = list(application.replicas.values())
        override = override_of(config, application.release)
        report = DeploymentReport(deployed, config.report_directory.resolve(), may_fail=bool(override))
        quiet = step(
            "silence",
            ContainerArgs(
                image=application.image,
                networks=[Attachment(networks.monitoring)],
                memory_mb=64,
                command=["python", "-m", "infra.jobs.silence"],
                environment={
                    "ALERTMANAGER_URL": f"http://alertmanager:{ALERTMANAGER_PORT}",
                    "STACK": pulumi.get_stack(),
                    "RELEASE": application.release,
                    "SILENCES": json.dumps(silences(config)),
                },
            ),
            application.release,
            ResourceOptions(parent=self, depends_on=[*application.ready, monitoring.alertmanager]),
        )
        smoke = step(
            "smoke",
            ContainerArgs(
                image=images.of("k6"),
                networks=[Attachment(networks.edge)],
                memory_mb=256,
                command=["run", "--quiet", "/loadtest/k6/main.js"],
                environment={
                    "TYPE": "smoke",
                    "DURATION": config.smoke_duration,
                    "BASE_URL": application.addresses().apply(
                        lambda hosts: ",".join(f"http://{host}" for host in hosts)
                    ),
                    "K6_NO_USAGE_REPORT": "true",
                },
                files=smoke_files(),
            ),
            application.release,
            ResourceOptions(parent=self, depends_on=[quiet.passed, *application.ready, monitoring.prometheus]),
            judges=[quiet],
            replicas=replicas,
            witness=report.k6_ended,
            # What k6 found is the gate's to judge then.
            must_succeed=not override,
        )
        gate = step(
            "judge",
            ContainerArgs(
                image=application.image,
                networks=[Attachment(networks.monitoring)],
                memory_mb=96,
                command=["python", "-m", "loadtest.gate"],
                environment={
                    "PROMETHEUS_URL": "http://prometheus:9090",
                    "RELEASE": application.release,
                    "REPLICAS": application.addresses().apply(",".join),
                    "K6_EXIT_CODE": smoke.container.exit_code.apply(str),
                    "TARGETS": "advisory" if config.profile == "baseline" else "binding",
                    "OVERRIDE": override,
                    "SUMMARY_FILE": SUMMARY_FILE,
                    "METRICS_FILE": f"{TEXTFILE}/gate.prom",
                },
                files={SUMMARY_FILE: smoke.log},
                volumes={TEXTFILE: monitoring.hosts.textfile},
            ),
            application.release,
            ResourceOptions(parent=self, depends_on=[smoke.passed, monitoring.hosts.writable]),
            judges=[quiet, smoke],
            replicas=replicas,
            witness=report.judged,
        )
        self.verdict = gate.log.apply(read)
        self.report = gate.log.apply(lambda _: report.file)
        self.passed = self._audited(application, networks, database, gate) if override else gate.passed

    def _audited(
        self, application: Application, networks: Networks, database: Database, gate: Step
    ) -> Output[Resource]:
        """Let the audit trail know of an override before the release serves."""
        arguments = ContainerArgs(
            image=application.image,
            networks=[Attachment(networks.data)],
            memory_mb=96,
            command=["python", "-m", "infra.jobs.audit_override"],
            environment={**database.owner, "RELEASE": application.release, "VERDICT": gate.log.apply(_told)},
            secrets=database.owner_secrets,
        )
        return step("audit-override", arguments, application.release, ResourceOptions(parent=self)).passed


def override_of(config: StackConfig, release: str) -> str:
    """Return why this release is to serve whatever the gate finds; empty for every one but that which is named."""
    given = config.gate_override
    if given is None or given.release != release:
        return ""
    pulumi.warn(f"THE GATE IS OVERRIDDEN for release {release}: {given.reason}")
    return given.reason


def _told(log: str) -> str:
    found = read(log)
    return json.dumps({key: found.get(key) for key in ("verdict", "override", "reasons")})


def silences(config: StackConfig) -> list[dict[str, object]]:
    """Return which alerts the smoke run can cause, and for how many seconds: until their short window forgets it.

    A page is silent for half a minute after the promotion at most: a release's first minutes are when it is needed.
    """
    windows = burn.seconds(config.scrape_interval_seconds)
    ends = {Severity.PAGE: windows[burn.PAGE_SHORT], Severity.TICKET: windows[burn.TICKET_SHORT]}
    caused = [alert for alert in alerts(targets.load()) if alert.by_smoke]
    return [
        {
            "alerts": [alert.name for alert in caused if alert.severity is severity],
            "seconds": seconds_of(config.smoke_duration) + JUDGING_SECONDS + window,
        }
        for severity, window in ends.items()
    ]


def seconds_of(duration: str) -> int:
    """Return the seconds of a duration such as `30s` or `5m`."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]


def smoke_files() -> dict[str, str]:
    """Return the k6 suite and the targets that it reads, by their paths in the container."""
    scripts = {f"/loadtest/k6/{file.relative_to(K6).as_posix()}": file.read_text() for file in sorted(K6.rglob("*.js"))}
    return {**scripts, "/alerts/targets.json": TARGETS.read_text()}
