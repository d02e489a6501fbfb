"""An organisation's own Grafana instead of the container: the same data sources and dashboards are put there."""

import pulumi
from pulumi import ResourceOptions, RunError

from alerts import targets
from alerts.rule_files import Links
from dashboards import boards, sources, uids
from infra.config import StackConfig
from infra.grafana.resources import GrafanaObject, Place


class OwnGrafana(pulumi.ComponentResource):
    """Everything that `pulumi destroy` takes away again; `links` are those of the alerts."""

    def __init__(self, config: StackConfig, addresses: sources.Addresses, links: Links) -> None:
        super().__init__("janua:tiers:OwnGrafana", "own-grafana")
        if config.grafana_url is None or config.grafana_token is None:
            raise RunError("there is no Grafana of the organisation's own: janua:grafanaUrl is not set")
        token = config.grafana_token.get_secret_value()
        place = Place(config.grafana_url, token, pulumi.get_stack(), uids.FOLDER)
        opts = ResourceOptions(parent=self)
        wanted = sources.sources(addresses, config.scrape_interval_seconds)
        # The organisation has a default of its own.
        made = [GrafanaObject("datasource", {**source, "isDefault": False}, place, opts) for source in wanted]
        folder = GrafanaObject("folder", {"uid": uids.FOLDER, "title": "Janua"}, place, opts)
        for board in boards.documents(targets.load(), links).values():
            after = ResourceOptions(parent=self, depends_on=[folder, *made])
            GrafanaObject("dashboard", board, place, after)
