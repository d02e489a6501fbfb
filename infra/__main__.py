"""Staging, from the networks up to the edge: this file is the list of what is deployed."""

import pulumi
from pulumi import Output

from infra.config import load
from infra.hardening.preview import require_hardened_containers
from infra.images.resources import Images
from infra.release_gate import ReleaseGate
from infra.tiers.application import Application
from infra.tiers.cache import Cache
from infra.tiers.database import Database
from infra.tiers.edge import Edge
from infra.tiers.hosts import Hosts
from infra.tiers.monitoring import Monitoring
from infra.tiers.networks import Networks
from infra.tiers.tracing import Tracing

require_hardened_containers()
config = load()
images = Images(config)
networks = Networks(config)

hosts = Hosts(config, images, networks)
monitoring = Monitoring(config, images, networks, hosts)
tracing = Tracing(config, images, networks)
database = Database(config, images, networks, hosts)
cache = Cache(config, images, networks)
application = Application(config, images, networks, database, cache, tracing)
gate = ReleaseGate(config, images, networks, application, monitoring, database)
edge = Edge(config, images, networks, application, after=gate.passed)

pulumi.export("api_url", edge.url)
pulumi.export("api_certificate", edge.certificate)
pulumi.export("prometheus_url", monitoring.prometheus_url)
pulumi.export("alertmanager_url", monitoring.alertmanager_url)
pulumi.export("grafana_url", monitoring.grafana_url)
pulumi.export("traces_url", tracing.url)
pulumi.export("admin_email", config.admin_email)
pulumi.export("admin_password", Output.secret(config.secrets.admin.get_secret_value()))
pulumi.export("grafana_password", Output.secret(config.secrets.grafana.get_secret_value()))
pulumi.export("release", application.release)
pulumi.export("gate", gate.verdict)
pulumi.export("report", gate.report)
