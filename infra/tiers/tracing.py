"""Where traces are kept and looked at: Zipkin, or whatever takes OTLP somewhere else."""

from dataclasses import replace

import pulumi
from pulumi import ResourceOptions

from infra.config import StackConfig
from infra.containers import SECRETS, Attachment, ContainerArgs, Published, serve, wget_probe
from infra.images.resources import Images
from infra.tiers.networks import Networks

PORT = 9411
# Kept in memory, the oldest making room for the newest: 50,000 spans were seen to need some 110 MB of the heap. The
# compiler that takes longest is left out: what it gains is not worth what it costs a program with little to do.
_JAVA = (
    "-Xms64m -Xmx160m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=48m"
    " -XX:MaxDirectMemorySize=32m -XX:+ExitOnOutOfMemoryError"
)
ENVIRONMENT = {"JAVA_OPTS": _JAVA, "STORAGE_TYPE": "mem", "MEM_MAX_SPANS": "50000"}
MEMORY_MB = 384
_HEADERS = "otlp_headers"


class Tracing(pulumi.ComponentResource):
    """`url` is for people; `settings` and `secrets` are those of the service that make it send its traces."""

    def __init__(self, config: StackConfig, images: Images, networks: Networks) -> None:
        super().__init__("janua:tiers:Tracing", "tracing")
        self._config = config
        self.url = self._address()
        headers = config.otlp_headers
        self.secrets = {_HEADERS: headers.get_secret_value()} if config.otlp_endpoint and headers else {}
        self.settings = self._settings()
        if config.has_zipkin:
            self._zipkin(images, networks)

    def _address(self) -> str:
        config = self._config
        if config.has_zipkin:
            return f"http://{config.bind_address}:{config.traces_port}"
        if config.otlp_endpoint:
            return f"not deployed: traces are sent to {config.otlp_endpoint}"
        return "not deployed: janua:traces is off"

    def _settings(self) -> dict[str, str]:
        if self._config.has_zipkin:
            return {"JANUA_TRACES_URL": f"http://zipkin:{PORT}/api/v2/spans", "JANUA_TRACES_FORMAT": "zipkin"}
        if self._config.otlp_endpoint:
            headers = {"JANUA_TRACES_HEADERS_FILE": f"{SECRETS}/{_HEADERS}"} if self.secrets else {}
            return {"JANUA_TRACES_URL": self._config.otlp_endpoint, "JANUA_TRACES_FORMAT": "otlp", **headers}
        return {}

    def _zipkin(self, images: Images, networks: Networks) -> None:
        config = self._config
        serve(
            "zipkin",
            ContainerArgs(
                image=images.of("zipkin"),
                networks=[Attachment(networks.monitoring, ["zipkin"])],
                memory_mb=MEMORY_MB,
                processors=2,
                environment=ENVIRONMENT,
                ports=[Published(PORT, config.traces_port, str(config.bind_address))],
            ),
            # A virtual machine starts slowly where others keep the processors busy: nobody waits for it meanwhile.
            replace(wget_probe(PORT, "/health"), start_seconds=120),
            ResourceOptions(parent=self),
        )
