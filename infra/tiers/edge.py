"""HAProxy, the only way in: it takes traffic to a release that the gate let through."""

import http

import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra.config import ROOT, StackConfig
from infra.containers import Attachment, ContainerArgs, Published, serve, shell_probe
from infra.images.resources import Images
from infra.jobs.promote import BACKEND, MASTER_SOCKET, VOLUME
from infra.steps import step
from infra.tiers.application import Application
from infra.tiers.networks import Networks

PORT = 8080
OPERATIONS_PORT = 8404
FOLDER = "/usr/local/etc/haproxy"
# haproxy's user in the official image; the step that writes its volume runs as it, too.
USER = "99:99"


class Edge(pulumi.ComponentResource):
    """`url` is where the API is served."""

    def __init__(
        self,
        config: StackConfig,
        images: Images,
        networks: Networks,
        application: Application,
        after: Output[Resource],
    ) -> None:
        super().__init__("janua:tiers:Edge", "edge")
        self.url = f"http://{config.bind_address}:{config.api_port}"
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
                user=USER,
            ),
            application.release,
            ResourceOptions(parent=self, depends_on=[after]),
        )
        serve(
            "edge",
            ContainerArgs(
                image=images.of("haproxy"),
                networks=[Attachment(networks.edge), Attachment(networks.monitoring, ["edge"])],
                memory_mb=256,
                command=[
                    "haproxy",
                    "-W",
                    "-db",
                    "-S",
                    f"{MASTER_SOCKET},mode,600",
                    "-f",
                    f"{FOLDER}/haproxy.cfg",
                    "-f",
                    str(BACKEND),
                ],
                files=edge_files(),
                volumes={str(VOLUME): volume},
                ports=[Published(PORT, config.api_port, str(config.bind_address))],
                user=USER,
            ),
            shell_probe(OPERATIONS_PORT, "/healthz"),
            ResourceOptions(parent=self, depends_on=[promote.passed]),
        )


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
