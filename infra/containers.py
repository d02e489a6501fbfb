"""One way to make a container, so that what holds for all of them is written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pulumi
import pulumi_docker as docker
from pulumi import Input, Output, ResourceOptions

from infra.hardening.processes import USER_PROCESSES, limit_processes
from infra.images.resources import ContainerImage

STACK_LABEL = "com.janua.stack"
PART_LABEL = "com.janua.part"
FILES_LABEL = "com.janua.files-of"
FILES_SUFFIX = "-files"
SECRETS = "/run/secrets"
STOP_SECONDS = 30
CPU_PERIOD = 100_000
LOG_OPTIONS = {"max-size": "20m", "max-file": "3"}


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

    @property
    def limit_seconds(self) -> int:
        """After how many seconds a container that was not healthy yet has failed."""
        return self.start_seconds + self.interval_seconds * self.retries


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
    neither is ever an environment variable or an argument, and the container can only read them. `host_folders` and
    `host_views` are parts of the host by their paths in the container, the latter read-only. `memory_mb` and
    `processors` are hard limits. Beside its volumes it can write to /tmp and to `tmpfs`, which count as memory.
    `user` is another than its image is made for.
    """

    image: ContainerImage
    networks: Sequence[Attachment]
    memory_mb: int
    processors: float = 1
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


def serve(
    name: str, args: ContainerArgs, health: Health, opts: ResourceOptions, *, wait: bool = True
) -> docker.Container:
    """Return a container that runs until it is told to stop; the update waits until it is healthy, or others do."""
    properties = _common(name, args, opts)
    properties.restart = "unless-stopped"
    properties.must_run = True
    properties.wait = wait
    properties.wait_timeout = health.limit_seconds
    properties.destroy_grace_seconds = STOP_SECONDS
    properties.healthcheck = docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=duration(health.interval_seconds),
        timeout=duration(health.timeout_seconds),
        start_period=duration(health.start_seconds),
        retries=health.retries,
    )
    container = docker.Container(name, properties, opts)
    limit_processes(container.id)
    return container


def duration(seconds: int) -> str:
    """Return a duration as the engine writes it, `2m0s`: written otherwise it would look changed at every update."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def run(name: str, args: ContainerArgs, opts: ResourceOptions) -> docker.Container:
    """Return a container that runs to completion while the update waits; its log and exit code are outputs."""
    properties = _common(name, args, opts)
    properties.restart = "no"
    properties.must_run = False
    properties.attach = True
    properties.logs = True
    return docker.Container(name, properties, opts)


def _common(name: str, args: ContainerArgs, opts: ResourceOptions) -> docker.ContainerArgs:
    properties = _hardened(args)
    properties.user = args.user or args.image.user
    properties.command = list(args.command) or None
    properties.envs = [Output.concat(key, "=", value) for key, value in sorted(args.environment.items())]
    properties.networks_advanced = [_network(attachment) for attachment in args.networks]
    properties.volumes = [*_volumes(args), *_files(name, args, opts)]
    properties.ports = [
        docker.ContainerPortArgs(internal=p.internal, external=p.external, ip=p.address) for p in args.ports
    ]
    properties.labels = _labels({PART_LABEL: name, **args.labels})
    properties.read_only = True
    properties.tmpfs = dict.fromkeys(("/tmp", *args.tmpfs), "")  # noqa: S108 - in the container
    return properties


def _hardened(args: ContainerArgs) -> docker.ContainerArgs:
    """Return what holds for every container: infra/hardening/rules.py."""
    return docker.ContainerArgs(
        image=args.image.id,
        user=args.image.user,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        memory=args.memory_mb,
        # Equal to the memory limit: a container over it is ended, the host does not start to swap.
        memory_swap=args.memory_mb,
        # As a share of time, which a machine with fewer processors takes as well.
        cpu_period=CPU_PERIOD,
        cpu_quota=round(args.processors * CPU_PERIOD),
        ulimits=[docker.ContainerUlimitArgs(name="nproc", soft=USER_PROCESSES, hard=USER_PROCESSES)],
        log_driver="json-file",
        log_opts=LOG_OPTIONS,
    )


def _labels(labels: Mapping[str, str]) -> list[docker.ContainerLabelArgs]:
    all_labels = {STACK_LABEL: pulumi.get_stack(), **labels}
    return [docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(all_labels.items())]


def _files(name: str, args: ContainerArgs, opts: ResourceOptions) -> list[docker.ContainerVolumeArgs]:
    """Return the volumes that hold the container's files, which it can only read.

    The provider writes files into a container before it starts, but not where the root file system is read-only. So
    they are those of another one, which never starts and is replaced with them: its volumes are the container's, too.
    """
    uploads = [*_plain_files(args), *_secret_files(args)]
    if not uploads:
        return []
    properties = _hardened(args)
    properties.image = args.image.carrier
    properties.start = properties.must_run = False
    properties.labels = _labels({FILES_LABEL: name})
    properties.uploads = uploads
    properties.volumes = [docker.ContainerVolumeArgs(container_path=folder) for folder in _folders(args)]
    # Made before the old one goes: whatever serves goes on with its files until it is replaced itself.
    carrier = docker.Container(
        f"{name}{FILES_SUFFIX}", properties, ResourceOptions(parent=opts.parent, delete_before_replace=False)
    )
    return [docker.ContainerVolumeArgs(from_container=Output.concat(carrier.name, ":ro"))]


def _folders(args: ContainerArgs) -> list[str]:
    """Return the folders of all files; one that lies in another of them is not named."""
    paths = [PurePosixPath(path) for path in (*args.files, *(f"{SECRETS}/{key}" for key in args.secrets))]
    parents = {path.parent for path in paths}
    return sorted(str(folder) for folder in parents if not parents.intersection(folder.parents))


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
