"""One network a tier: who is not in it cannot reach it."""

import pulumi
import pulumi_docker as docker
from pulumi import ResourceOptions

from infra.config import StackConfig


class Networks(pulumi.ComponentResource):
    """`edge` joins HAProxy and the replicas, `data` all that talk to PostgreSQL or Redis, `monitoring` the rest."""

    def __init__(self, config: StackConfig) -> None:
        super().__init__("janua:tiers:Networks", "networks")
        opts = ResourceOptions(parent=self)
        self.edge = docker.Network("edge", opts=opts)
        # No way out to the host's networks: nothing in it has business there, unless others run the servers.
        is_own = config.external_database is None and config.external_redis is None
        self.data = docker.Network("data", internal=is_own, opts=opts)
        self.monitoring = docker.Network("monitoring", opts=opts)
