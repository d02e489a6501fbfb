"""Data sources, folders and dashboards in a Grafana that others run, as resources of the Pulumi program.

A dynamic provider is written into the state by reference to this module: what it does may change, its name may not.
"""

import json
from typing import Any, Literal

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

from infra.grafana.api import Api

Kind = Literal["datasource", "folder", "dashboard"]
Properties = dict[str, Any]
# Something else in Grafana, or elsewhere: made anew, rather than changed. The token is only how it is reached.
IDENTITY = ("url", "kind", "uid")
PATHS = {"datasource": "/api/datasources/uid/", "folder": "/api/folders/", "dashboard": "/api/dashboards/uid/"}


class GrafanaProvider(ResourceProvider):
    """Makes, changes and removes one thing; its properties are those of `GrafanaObject`."""

    def create(self, props: Properties) -> CreateResult:
        """Put it there."""
        _put(props)
        return CreateResult(id_=f"{props['kind']}/{props['uid']}", outs=props)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Compare what is wanted; another place means another thing, which replaces it."""
        moved = [key for key in IDENTITY if _olds[key] != _news[key]]
        changed = any(_olds[key] != _news[key] for key in ("content", "owner", "folder", "token"))
        return DiffResult(changes=bool(moved) or changed, replaces=moved)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Put the new content there."""
        _put(_news)
        return UpdateResult(outs=_news)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Tell whether it is still there: what somebody removed is made again by the next update."""
        found = _api(props).find(f"{PATHS[props['kind']]}{props['uid']}")
        return ReadResult(id_=id_ if found is not None else "", outs=props if found is not None else {})

    def delete(self, _id: str, _props: Properties) -> None:
        """Take it away."""
        if _props["kind"] == "folder":
            _api(_props).remove_folder(_props["uid"])
        else:
            _api(_props).remove(f"{PATHS[_props['kind']]}{_props['uid']}")


class GrafanaObject(Resource, module="grafana", name="Object"):
    """One data source, folder or dashboard; `content` is JSON, `owner` the stack, `folder` a dashboard's folder."""

    def __init__(self, kind: Kind, content: Properties, place: "Place", opts: ResourceOptions) -> None:
        properties: dict[str, Input[Any]] = {
            "kind": kind,
            "uid": content["uid"],
            "content": json.dumps(content, sort_keys=True),
            "url": place.url,
            "token": place.token,
            "owner": place.owner,
            "folder": place.folder,
        }
        super().__init__(GrafanaProvider(), f"{kind}-{content['uid']}", properties, opts)


class Place:
    """Where things are put: a Grafana, a folder in it, and whose they are."""

    def __init__(self, url: str, token: str, owner: str, folder: str) -> None:
        self.url = url
        self.token = Output.secret(token)
        self.owner = owner
        self.folder = folder


def _put(props: Properties) -> None:
    api, content = _api(props), json.loads(props["content"])
    if props["kind"] == "datasource":
        api.put_source(content, props["owner"])
    elif props["kind"] == "folder":
        api.put_folder(content)
    else:
        api.put_dashboard(content, props["folder"])


def _api(props: Properties) -> Api:
    return Api(props["url"], props["token"])
