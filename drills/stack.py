"""The running stack, as a drill needs it: where its parts answer, and its containers."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import docker
from docker.models.containers import Container

from infra.containers import PART_LABEL
from infra.operations import stacks


class DrillError(Exception):
    """The drill cannot be held; the message says why."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack and the addresses of the parts that a drill talks to."""

    name: str
    api_url: str
    prometheus_url: str
    alertmanager_url: str

    @classmethod
    def running(cls, name: str) -> "Stack":
        """Return the stack; pulumi's StackNotFoundError or DrillError if there is none."""
        outputs = stacks.outputs(stacks.select(name), with_secrets=False)
        try:
            urls = [str(outputs[key]) for key in ("api_url", "prometheus_url", "alertmanager_url")]
        except KeyError as error:
            raise DrillError(f"stack {name} is not deployed: `make up` deploys it") from error
        if urlsplit(urls[0]).hostname != "127.0.0.1":
            raise DrillError(f"{urls[0]} is not an address of this machine: drills send load to 127.0.0.1 only")
        if urlsplit(urls[0]).scheme != "http":
            raise DrillError(f"{urls[0]} speaks TLS, and drills do not: set janua:tls to off for them")
        return cls(name, *urls)

    @property
    def api_port(self) -> int:
        """The port of the edge on 127.0.0.1."""
        return urlsplit(self.api_url).port or 80

    def containers(self) -> list[Container]:
        """Return every container that is meant to run for ever, stopped ones included."""
        return [
            one
            for one in stacks.in_service(self.name)
            if one.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
        ]

    def parts(self, name: str) -> list[Container]:
        """Return the containers of a part, or with `service-` those of every replica; DrillError if there is none."""
        found = [one for one in self.containers() if belongs(one.labels[PART_LABEL], name)]
        if not found:
            raise DrillError(f"stack {self.name} has no container {name}")
        return sorted(found, key=lambda one: str(one.labels[PART_LABEL]))

    def carrier(self, part: str) -> Container:
        """Return the container that carries the files of a part: what is written into it, the part reads."""
        (volumes,) = self.parts(part)[0].attrs["HostConfig"]["VolumesFrom"]
        return docker.from_env().containers.get(volumes.partition(":")[0])

    def execute(self, part: str, script: str) -> str:
        """Run shell lines in a part's container and return what they wrote; DrillError if they fail."""
        code, output = self.parts(part)[0].exec_run(["sh", "-c", script])
        text = bytes(output).decode() if isinstance(output, bytes) else ""
        if code != 0:
            raise DrillError(f"{part}: {text.strip()}")
        return text


def belongs(part: str, name: str) -> bool:
    """Tell whether a part is meant by a name: `redis` is not its exporter, `service-` is each replica."""
    return part == name or (name.endswith("-") and part.startswith(name))
