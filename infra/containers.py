"""One way to make a container, so that what holds for all of them is written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_docker as docker
from pulumi import Input, Output, ResourceOptions

STACK_LABEL = "com.janua.stack"
PART_LABEL = "com.janua.part"
SECRETS = "/run/secrets"
STOP_SECONDS = 30


@dataclass(frozen=True)
class Health:
    """A command that tells by its exit code whether the container is well; `start_seconds` is its allowance.

    Each look costs the engine some 50 ms of CPU, whatever the command: parts that no other waits for are looked at
    less often.
    """

    command: Sequence[str]
    interval_seconds: int = 3
    timeout_seconds: int = 3
    retries: int = 10
    start_seconds: int = 45


def shell_probe(port: int, path: str) -> Health:
    """Return a check that asks `path` for status 200, for images with a bash and no HTTP client.

    The shell does it all by itself: an interpreter that starts for each look costs more than the service.
    """
    request = f"printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3"
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port} && {request} && read -r line <&3 && [[ $line == *' 200 '* ]]"
    return Health(["bash", "-c", script])


def wget_probe(port: int, path: str) -> Health:
    """Return a check that fetches `path`, for parts that no other waits for."""
    return Health(["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{port}{path}"], interval_seconds=10, retries=5)


@dataclass(frozen=True)
class Attachment:
    """A network and the names by which the container is found in it."""

    network: docker.Network
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class Published:
    """A port of the container that people use, on an address of the host."""

    internal: int
    external: int
    address: str


@dataclass(frozen=True)
class ContainerArgs:
    """What one container is made of.

    `files` are plain (path to content), `secrets` are encrypted in the state and land in /run/secrets by name;
    neither is ever an environment variable or an argument. `host_folders` and `host_views` are parts of the host
    by their paths in the container, the latter read-only. `memory_mb` is a hard limit.
    """

    image: Input[str]
    networks: Sequence[Attachment]
    memory_mb: int
    command: Sequence[Input[str]] = ()
    environment: Mapping[str, Input[str]] = field(default_factory=dict)
    files: Mapping[str, Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, Input[str]] = field(default_factory=dict)
    volumes: Mapping[str, docker.Volume] = field(default_factory=dict)
    host_folders: Mapping[str, str] = field(default_factory=dict)
    host_views: Mapping[str, str] = field(default_factory=dict)
    tmpfs: Sequence[str] = ()
    ports: Sequence[Published] = ()
    user: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def serve(name: str, args: ContainerArgs, health: Health, opts: ResourceOptions) -> docker.Container:
    """Return a container that runs until it is told to stop; the update waits until it is healthy."""
    properties = _common(name, args)
    properties.restart = "unless-stopped"
    properties.must_run = True
    properties.wait = True
    properties.wait_timeout = health.start_seconds + health.interval_seconds * health.retries
    properties.destroy_grace_seconds = STOP_SECONDS
    properties.healthcheck = docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=duration(health.interval_seconds),
        timeout=duration(health.timeout_seconds),
        start_period=duration(health.start_seconds),
        retries=health.retries,
    )
    return docker.Container(name, properties, opts)


def duration(seconds: int) -> str:
    """Return a duration as the engine writes it, `2m0s`: written otherwise it would look changed at every update."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def run(name: str, args: ContainerArgs, opts: ResourceOptions) -> docker.Container:
    """Return a container that runs to completion while the update waits; its log and exit code are outputs."""
    properties = _common(name, args)
    properties.restart = "no"
    properties.must_run = False
    properties.attach = True
    properties.logs = True
    return docker.Container(name, properties, opts)


def _common(name: str, args: ContainerArgs) -> docker.ContainerArgs:
    labels = {STACK_LABEL: pulumi.get_stack(), PART_LABEL: name, **args.labels}
    return docker.ContainerArgs(
        image=args.image,
        command=list(args.command) or None,
        envs=[Output.concat(key, "=", value) for key, value in sorted(args.environment.items())],
        networks_advanced=[_network(attachment) for attachment in args.networks],
        uploads=[*_plain_files(args), *_secret_files(args)],
        volumes=_volumes(args),
        tmpfs=dict.fromkeys(args.tmpfs, "") or None,
        ports=[docker.ContainerPortArgs(internal=p.internal, external=p.external, ip=p.address) for p in args.ports],
        user=args.user,
        labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(labels.items())],
        memory=args.memory_mb,
        # Equal to the memory limit: a container over it is ended, the host does not start to swap.
        memory_swap=args.memory_mb,
        log_driver="json-file",
        log_opts={"max-size": "20m", "max-file": "3"},
    )


def _network(attachment: Attachment) -> docker.ContainerNetworksAdvancedArgs:
    return docker.ContainerNetworksAdvancedArgs(name=attachment.network.name, aliases=list(attachment.aliases))


def _plain_files(args: ContainerArgs) -> list[docker.ContainerUploadArgs]:
    return [_upload(path, content) for path, content in sorted(args.files.items())]


def _secret_files(args: ContainerArgs) -> list[docker.ContainerUploadArgs]:
    return [_upload(f"{SECRETS}/{key}", Output.secret(value)) for key, value in sorted(args.secrets.items())]


def _volumes(args: ContainerArgs) -> list[docker.ContainerVolumeArgs]:
    named = [
        docker.ContainerVolumeArgs(volume_name=volume.name, container_path=path)
        for path, volume in sorted(args.volumes.items())
    ]
    folders = [
        docker.ContainerVolumeArgs(host_path=folder, container_path=path)
        for path, folder in sorted(args.host_folders.items())
    ]
    views = [
        docker.ContainerVolumeArgs(host_path=view, container_path=path, read_only=True)
        for path, view in sorted(args.host_views.items())
    ]
    return named + folders + views


def _upload(path: str, content: Input[str]) -> docker.ContainerUploadArgs:
    # Readable by whichever user the image runs as; the file lies inside that one container only.
    return docker.ContainerUploadArgs(file=path, content=content, permissions="0444")
