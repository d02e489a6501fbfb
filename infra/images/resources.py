"""The image table as Pulumi resources: what is pulled, what was built beforehand, and the release's own image."""

from dataclasses import dataclass

import pulumi
import pulumi_docker as docker
from pulumi import Output, ResourceOptions

from infra.config import StackConfig
from infra.images.build import LABEL
from infra.images.table import FOLDER, ROOT, content_hash, reference, runtime_reference, table

# All that the release image is copied from; .dockerignore lets through these and nothing else.
RELEASE_PARTS = (
    "alembic.ini",
    "alerts/metrics.py",
    "alerts/targets.json",
    "alerts/targets.py",
    "infra/jobs",
    "loadtest/gate",
    "migrations",
    "service",
)


RELEASE_USER = "10001:10001"
# Of those without volumes of their own the smallest.
CARRIER = "node-exporter"


@dataclass(frozen=True)
class ContainerImage:
    """What a container is made of: the image's ID, and the user (`uid:gid`) that it is made for.

    `carrier` is the ID of an image without volumes, of which a container can be made that only carries files.
    """

    id: Output[str]
    user: str
    carrier: Output[str]


class Images(pulumi.ComponentResource):
    """The images of one stack, each by its ID: a tag may move, what was tested may not."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__("janua:images:Images", "images")
        self._config = config
        self._made: dict[str, docker.RemoteImage] = {}

    def of(self, name: str) -> ContainerImage:
        """Return image `name` of the table; it is pulled unless the engine has it."""
        return ContainerImage(self._id(name), table()[name].user, self._id(CARRIER))

    def _id(self, name: str) -> Output[str]:
        if name not in self._made:
            self._made[name] = docker.RemoteImage(
                name, name=self._reference(name), keep_locally=True, opts=ResourceOptions(parent=self)
            )
        return self._made[name].image_id

    def _reference(self, name: str) -> str:
        config = self._config
        if name != "grafana":
            return reference(name, config.images, config.registry_mirror)
        return config.grafana_image or table()[name].registry_reference(config.registry_mirror)

    def release(self) -> tuple[str, ContainerImage]:
        """Return the content hash of the release image, and the image once it is built."""
        runtime = runtime_reference(self._config.images, self._config.registry_mirror)
        content = content_hash(runtime, *(ROOT / part for part in RELEASE_PARTS), FOLDER / "service")
        image = docker.RemoteImage(
            "service",
            name=f"janua/service:{content}",
            keep_locally=True,
            build=docker.RemoteImageBuildArgs(
                # Relative to the program's folder: the same in every clone.
                context="..",
                dockerfile="infra/images/service/Dockerfile",
                build_args={"RUNTIME": runtime},
                label={LABEL: "service"},
            ),
            opts=ResourceOptions(parent=self),
        )
        return content, ContainerImage(image.image_id, RELEASE_USER, self._id(CARRIER))
