"""What the machine and the containers on it spend: the exporters that say so, and the volume that jobs report into."""

import pulumi
import pulumi_docker as docker
from pulumi import Output, Resource, ResourceOptions

from infra.config import StackConfig
from infra.containers import PART_LABEL, STACK_LABEL, Attachment, ContainerArgs, serve, wget_probe
from infra.images.resources import Images
from infra.steps import step
from infra.tiers.networks import Networks

# Where the volume is mounted, by the exporter and by the jobs whose `*.prom` files it reads.
TEXTFILE = "/textfile"
# Everything else that the exporter could tell is about what it does not see, or what no panel shows.
COLLECTORS = ("cpu", "diskstats", "filesystem", "loadavg", "meminfo", "pressure", "textfile", "time")
ENGINE_SOCKET = "/var/run/docker.sock"
ENGINE_IMAGES = "/var/lib/docker/image"


class Hosts(pulumi.ComponentResource):
    """`textfile` is the volume for `TEXTFILE`; whoever writes into it starts after `writable`."""

    textfile: docker.Volume
    writable: Output[Resource]

    def __init__(self, config: StackConfig, images: Images, networks: Networks) -> None:
        super().__init__("janua:tiers:Hosts", "hosts")
        opts = ResourceOptions(parent=self)
        self.textfile = docker.Volume("textfile", opts=opts)
        self.writable = self._writable(images)
        serve(
            "node-exporter",
            ContainerArgs(
                image=images.of("node-exporter"),
                networks=[Attachment(networks.monitoring, ["node-exporter"])],
                memory_mb=64,
                command=[
                    "--collector.disable-defaults",
                    *(f"--collector.{name}" for name in COLLECTORS),
                    f"--collector.textfile.directory={TEXTFILE}",
                    # The kernel's figures in /proc are the host's in every container. The volume lies on the disk
                    # that the engine keeps everything on: its room is what matters, so no part of the host is
                    # mounted for this.
                    f"--collector.filesystem.mount-points-include=^{TEXTFILE}$",
                ],
                volumes={TEXTFILE: self.textfile},
            ),
            wget_probe(9100, "/"),
            opts,
        )
        serve("cadvisor", _cadvisor(config, images, networks), wget_probe(8080, "/healthz"), opts)

    def _writable(self, images: Images) -> Output[Resource]:
        """Let every user write into the volume: the jobs run as different ones, and a new volume is root's."""
        arguments = ContainerArgs(
            image=images.of("postgres"),
            networks=[],
            memory_mb=32,
            command=["chmod", "1777", TEXTFILE],
            volumes={TEXTFILE: self.textfile},
            user="0:0",
        )
        return step("textfile", arguments, TEXTFILE, ResourceOptions(parent=self)).passed


def _cadvisor(config: StackConfig, images: Images, networks: Networks) -> ContainerArgs:
    """Return the container that reads all others' figures.

    It needs root and the engine's socket to tell whose cgroup is whose, and whoever has that socket owns the host:
    so it is in the monitoring network only, publishes nothing, and is told to collect no more than panels show.
    """
    return ContainerArgs(
        image=images.of("cadvisor"),
        networks=[Attachment(networks.monitoring, ["cadvisor"])],
        memory_mb=128,
        command=[
            "--docker_only",
            "--store_container_labels=false",
            f"--whitelisted_container_labels={STACK_LABEL},{PART_LABEL}",
            "--enable_metrics=cpu,memory,network,diskIO",
            f"--housekeeping_interval={config.scrape_interval_seconds}s",
            "--allow_dynamic_housekeeping=false",
        ],
        host_views={
            ENGINE_SOCKET: ENGINE_SOCKET,
            "/sys": "/sys",
            "/rootfs/proc": "/proc",
            f"/rootfs{ENGINE_IMAGES}": ENGINE_IMAGES,
        },
    )
