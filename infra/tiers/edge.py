"""HAProxy, the only way in: it takes traffic to a release that the gate let through."""

import http
from datetime import UTC, datetime

import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra.config import ROOT, StackConfig
from infra.containers import SECRETS, Attachment, ContainerArgs, Published, serve, shell_probe
from infra.edge.certificate import generate, public_part
from infra.images.resources import Images
from infra.jobs.promote import BACKEND, MASTER_SOCKET, VOLUME
from infra.steps import step
from infra.tiers.application import Application
from infra.tiers.networks import Networks

PORT = 8080
OPERATIONS_PORT = 8404
CERTIFICATE = "edge.pem"
FOLDER = "/usr/local/etc/haproxy"
COMMAND = f"haproxy -W -db -S {MASTER_SOCKET},mode,600 -f {FOLDER}/haproxy.cfg -f {BACKEND}".split()


class Edge(pulumi.ComponentResource):
    """`url` is where the API is served, `certificate` what a client can know it by; empty where there is no TLS."""

    def __init__(
        self,
        config: StackConfig,
        images: Images,
        networks: Networks,
        application: Application,
        after: Output[Resource],
    ) -> None:
        super().__init__("janua:tiers:Edge", "edge")
        self.url = f"{'https' if config.has_tls else 'http'}://{config.bind_address}:{config.api_port}"
        pem = _certificate(config) if config.has_tls else ""
        self.certificate = public_part(pem) if pem else ""
        haproxy = images.of("haproxy")
        volume = docker.Volume("edge", opts=ResourceOptions(parent=self))
        promote = step(
            "promote",
            ContainerArgs(
                image=application.image,
                networks=[Attachment(networks.edge)],
                memory_mb=64,
                command=["python", "-m", "infra.jobs.promote"],
                environment={"SERVERS": application.addresses().apply(",".join)},
                volumes={str(VOLUME): volume},
                user=haproxy.user,
            ),
            application.release,
            ResourceOptions(parent=self, depends_on=[after]),
        )
        serve(
            "edge",
            ContainerArgs(
                image=haproxy,
                networks=[Attachment(networks.edge), Attachment(networks.monitoring, ["edge"])],
                memory_mb=256,
                processors=2,
                command=COMMAND,
                environment={
                    "EDGE_REQUESTS_PER_SECOND": str(config.edge_requests_per_second),
                    "EDGE_LOGINS_PER_SECOND": str(config.edge_logins_per_second),
                    **({"EDGE_CERTIFICATE": f"{SECRETS}/{CERTIFICATE}"} if pem else {}),
                },
                files=edge_files(),
                secrets={CERTIFICATE: pem} if pem else {},
                volumes={str(VOLUME): volume},
                ports=[Published(PORT, config.api_port, str(config.bind_address))],
            ),
            shell_probe(OPERATIONS_PORT, "/healthz"),
            ResourceOptions(parent=self, depends_on=[promote.passed]),
        )


def _certificate(config: StackConfig) -> str:
    """Return the PEM file that the edge shows: the one that is configured, or a generated one."""
    if config.certificate is not None:
        return config.certificate.get_secret_value()
    names = dict.fromkeys(["localhost", "127.0.0.1", "::1", str(config.bind_address), *config.edge_names])
    year = datetime.now(UTC).year
    return "".join(generate(config.secrets.signing.get_secret_value(), list(names), year))


def edge_files() -> dict[str, str]:
    """Return HAProxy's configuration and the problem documents that it answers with itself, by path."""
    answers = {f"{FOLDER}/{status}.http": _problem(http.HTTPStatus(status)) for status in (502, 503, 504)}
    return {f"{FOLDER}/haproxy.cfg": (ROOT / "infra/edge/haproxy.cfg").read_text(), **answers}


def _problem(status: http.HTTPStatus) -> str:
    """Return a whole HTTP response with an RFC 9457 problem document, as HAProxy's `errorfile` wants it."""
    body = (
        f'{{"type":"about:blank","title":"{status.phrase}","status":{status.value},'
        '"detail":"no replica answered; try again","request_id":null}'
    )
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Retry-After: 1",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", body])
