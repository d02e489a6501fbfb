"""What is put into a Grafana that others run, and taken away again, through its HTTP API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

SECONDS = 20
# Marks a data source as a stack's: nobody else's is ever changed or removed.
OWNER = "januaStack"
MISSING = 404


class GrafanaError(Exception):
    """Grafana refused, or does not answer; the message says what it said."""


@dataclass(frozen=True)
class Api:
    """A Grafana by its base address, asked with a service account's token."""

    url: str
    token: str

    def find(self, path: str) -> dict[str, Any] | None:
        """Return what is at `path`, None if nothing is."""
        found: dict[str, Any] | None = self._call("GET", path, missing_is_fine=True)
        return found

    def put_source(self, source: Mapping[str, Any], stack: str) -> None:
        """Make or change a data source of `stack`; raises GrafanaError if there is one that is not its own."""
        path = f"/api/datasources/uid/{source['uid']}"
        marked = {**source, "jsonData": {**source.get("jsonData", {}), OWNER: stack}}
        present = self.find(path)
        if present is None:
            self._call("POST", "/api/datasources", marked)
            return
        if present.get("jsonData", {}).get(OWNER) != stack:
            raise GrafanaError(
                f"{self.url} has a data source with the identifier {source['uid']} that is not this stack's: "
                "remove it, or use another organisation of that Grafana"
            )
        self._call("PUT", path, marked)

    def put_folder(self, folder: Mapping[str, Any]) -> None:
        """Make a folder unless it is there."""
        if self.find(f"/api/folders/{folder['uid']}") is None:
            self._call("POST", "/api/folders", folder)

    def put_dashboard(self, dashboard: Mapping[str, Any], folder: str) -> None:
        """Make or change a dashboard in the folder with that identifier."""
        self._call("POST", "/api/dashboards/db", {"dashboard": dashboard, "folderUid": folder, "overwrite": True})

    def remove(self, path: str) -> None:
        """Remove what is at `path`, if anything is."""
        self._call("DELETE", path, missing_is_fine=True)

    def remove_folder(self, uid: str) -> None:
        """Remove a folder unless somebody keeps something in it: Grafana would remove that as well."""
        folder = self.find(f"/api/folders/{uid}")
        if folder is not None and not self._call("GET", f"/api/search?folderIds={folder['id']}"):
            self.remove(f"/api/folders/{uid}")

    def _call(self, method: str, path: str, body: object = None, *, missing_is_fine: bool = False) -> Any:
        request = Request(  # noqa: S310 - the configuration admits http and https only
            f"{self.url.rstrip('/')}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - as above
                content = response.read()
                # The answer to the removal of a folder is empty.
                return json.loads(content) if content else None
        except HTTPError as error:
            if error.code == MISSING and missing_is_fine:
                return None
            said = error.read().decode(errors="replace")
            raise GrafanaError(f"{method} {self.url}{path}: {error.code} {said}") from error
        except (OSError, ValueError) as error:
            raise GrafanaError(f"{self.url} does not answer: {error}") from error
