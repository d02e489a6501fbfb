"""Prometheus, Alertmanager and, where its image can be had, Grafana."""

import pulumi
import pulumi_docker as docker
from pulumi import ResourceOptions
from pydantic import SecretStr

from alerts import alertmanager, prometheus, targets
from alerts.rule_files import Links, rule_files
from alerts.rules import alerts
from dashboards import boards, sources
from infra.config import ROOT, EmailReceiver, Receivers, SlackReceiver, StackConfig
from infra.containers import Attachment, ContainerArgs, Published, serve, wget_probe
from infra.images.resources import Images
from infra.images.table import table
from infra.tiers.hosts import Hosts
from infra.tiers.networks import Networks
from infra.tiers.own_grafana import OwnGrafana

PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093
GRAFANA_PORT = 3000
RETENTION = "15d"
PROVIDER = ROOT / "dashboards" / "provisioning" / "dashboards" / "janua.yml"


class Monitoring(pulumi.ComponentResource):
    """`prometheus` is the container to wait for; the `*_url` are for people; `hosts` are the exporters beside it."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks, hosts: Hosts) -> None:
        super().__init__("janua:tiers:Monitoring", "monitoring")
        self.hosts = hosts
        self._config = config
        self._images = images
        self._networks = networks
        self.prometheus_url = f"http://{config.bind_address}:{config.prometheus_port}"
        self.alertmanager_url = f"http://{config.bind_address}:{config.alertmanager_port}"
        self.grafana_url = self._grafana_address()
        self.alertmanager = self._alertmanager()
        self.prometheus = self._prometheus()
        if self.has_grafana:
            self._grafana()
        elif config.grafana_url is not None:
            OwnGrafana(config, self._addresses(), self._links())

    @property
    def has_grafana(self) -> bool:
        """Tell whether this stack runs a Grafana."""
        return self._config.grafana_url is None and self._config.grafana in ("deploy", "required")

    def _grafana_address(self) -> str:
        if self.has_grafana:
            return f"http://{self._config.bind_address}:{self._config.grafana_port}"
        if self._config.grafana_url is not None:
            return self._config.grafana_url.rstrip("/")
        if self._config.grafana == "off":
            return "not deployed: janua:grafana is off"
        return (
            f"not deployed: the image {self._config.grafana_image or table()['grafana'].registry} cannot be "
            "pulled here; set janua:grafanaImage to a mirror's name and run `make up` again"
        )

    def _publish(self, internal: int, external: int) -> list[Published]:
        return [Published(internal, external, str(self._config.bind_address))]

    def _alertmanager(self) -> docker.Container:
        volume = docker.Volume("alertmanager", opts=ResourceOptions(parent=self))
        receivers = _receivers(self._config.receivers)
        secret_files = alertmanager.secret_files(receivers)
        folder = f"{alertmanager.SECRETS_DIRECTORY}/"
        return serve(
            "alertmanager",
            ContainerArgs(
                image=self._images.of("alertmanager"),
                networks=[Attachment(self._networks.monitoring, ["alertmanager"])],
                memory_mb=128,
                command=[
                    "--config.file=/etc/alertmanager/alertmanager.yml",
                    "--storage.path=/alertmanager",
                    # One instance: there is no cluster to join.
                    "--cluster.listen-address=",
                    f"--web.external-url={self.alertmanager_url}",
                ],
                files={
                    "/etc/alertmanager/alertmanager.yml": alertmanager.alertmanager_yaml(
                        receivers, alerts(targets.load())
                    )
                },
                secrets={path.removeprefix(folder): content for path, content in secret_files.items()},
                volumes={"/alertmanager": volume},
                ports=self._publish(ALERTMANAGER_PORT, self._config.alertmanager_port),
            ),
            wget_probe(ALERTMANAGER_PORT, "/-/healthy"),
            ResourceOptions(parent=self),
        )

    def _prometheus(self) -> docker.Container:
        volume = docker.Volume("prometheus", opts=ResourceOptions(parent=self))
        config = self._config
        settings = prometheus.Settings(
            stack=pulumi.get_stack(),
            grafana=self.has_grafana,
            scrape_interval_seconds=config.scrape_interval_seconds,
            evaluation_interval_seconds=config.scrape_interval_seconds,
        )
        rules = rule_files(targets.load(), config.replicas, self._links(), config.scrape_interval_seconds)
        return serve(
            "prometheus",
            ContainerArgs(
                image=self._images.of("prometheus"),
                networks=[Attachment(self._networks.monitoring, ["prometheus"])],
                memory_mb=512,
                command=[
                    "--config.file=/etc/prometheus/prometheus.yml",
                    "--storage.tsdb.path=/prometheus",
                    f"--storage.tsdb.retention.time={RETENTION}",
                    f"--web.external-url={self.prometheus_url}",
                    # Latencies carry the identifiers of traces.
                    "--enable-feature=exemplar-storage",
                    *self._receiver(),
                ],
                files={
                    "/etc/prometheus/prometheus.yml": prometheus.prometheus_yaml(settings),
                    **{f"{prometheus.RULES_DIRECTORY}/{name}": text for name, text in rules.items()},
                },
                volumes={"/prometheus": volume},
                ports=self._publish(PROMETHEUS_PORT, config.prometheus_port),
            ),
            wget_probe(PROMETHEUS_PORT, "/-/ready"),
            ResourceOptions(parent=self),
        )

    def _receiver(self) -> list[str]:
        """Return the option that lets k6 write its figures: whoever reaches the port could write any."""
        return ["--web.enable-remote-write-receiver"] if self._config.is_local else []

    def _links(self) -> Links:
        runbooks = self._config.runbook_base_url
        some = self.has_grafana or self._config.grafana_url is not None
        return Links(runbooks, dashboards=f"{self.grafana_url}/d") if some else Links(runbooks)

    def _addresses(self) -> sources.Addresses:
        """Return where a Grafana outside of the stack finds what it asks."""
        given = self._config.grafana_sources
        published = sources.Addresses(self.prometheus_url, self.alertmanager_url)
        return sources.Addresses(
            given.prometheus or published.prometheus,
            given.alertmanager or published.alertmanager,
            given.zipkin or published.zipkin,
        )

    def _grafana(self) -> docker.Container:
        volume = docker.Volume("grafana", opts=ResourceOptions(parent=self))
        provisioned = "/etc/grafana/provisioning"
        interval = self._config.scrape_interval_seconds
        provisioning = {
            f"{provisioned}/datasources/janua.yml": sources.provisioning(sources.Addresses(), interval),
            f"{provisioned}/dashboards/janua.yml": PROVIDER.read_text(),
        }
        dashboards = {
            f"/var/lib/grafana/dashboards/{name}": text
            for name, text in boards.texts(targets.load(), self._links()).items()
        }
        return serve(
            "grafana",
            ContainerArgs(
                image=self._images.of("grafana"),
                networks=[Attachment(self._networks.monitoring, ["grafana"])],
                memory_mb=512,
                environment={
                    "GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/secrets/grafana_password",
                    "GF_ANALYTICS_REPORTING_ENABLED": "false",
                    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
                    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
                    "GF_SERVER_ROOT_URL": self.grafana_url,
                },
                files={**provisioning, **dashboards},
                secrets={"grafana_password": self._config.secrets.grafana.get_secret_value()},
                volumes={"/var/lib/grafana": volume},
                ports=self._publish(GRAFANA_PORT, self._config.grafana_port),
            ),
            wget_probe(GRAFANA_PORT, "/api/health"),
            ResourceOptions(parent=self, depends_on=[self.prometheus]),
        )


def _receivers(configured: Receivers) -> alertmanager.Receivers:
    """Return who is told, with the secrets in the clear: they go into secret files only."""
    return alertmanager.Receivers(
        webhook_url=_clear(configured.webhook_url),
        watchdog_url=_clear(configured.watchdog_url),
        pagerduty_routing_key=_clear(configured.pagerduty_routing_key),
        slack=_slack(configured.slack) if configured.slack else None,
        email=_email(configured.email) if configured.email else None,
    )


def _slack(slack: SlackReceiver) -> alertmanager.Slack:
    return alertmanager.Slack(slack.api_url.get_secret_value(), slack.channel)


def _email(email: EmailReceiver) -> alertmanager.Email:
    return alertmanager.Email(
        to=email.to,
        sender=email.sender,
        smarthost=email.smarthost,
        username=email.username,
        password=_clear(email.password),
        require_tls=email.require_tls,
    )


def _clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
