"""A Grafana, whoever runs it: its HTTP API, and its pages in a browser without a window."""

import os
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page, Request, Response

from dashboards.queries import Expression
from tests.chromium import chromium

# How long a page may take to ask for everything that it shows.
PAGE_SECONDS = 60
SETTLED_SECONDS = 3


@dataclass(frozen=True)
class Grafana:
    """The address of a server, and the header by which it knows who asks."""

    url: str
    authorization: str

    @classmethod
    def from_environment(cls) -> "Grafana | None":
        """Return the one that GRAFANA_URL names, with GRAFANA_TOKEN or GRAFANA_USER and GRAFANA_PASSWORD; or none."""
        url = os.environ.get("GRAFANA_URL")
        if not url:
            return None
        if token := os.environ.get("GRAFANA_TOKEN"):
            return cls(url, f"Bearer {token}")
        return cls.with_password(url, os.environ.get("GRAFANA_USER", "admin"), os.environ["GRAFANA_PASSWORD"])

    @classmethod
    def with_password(cls, url: str, user: str, password: str) -> "Grafana":
        """Return the one at `url`, asked as `user`."""
        return cls(url, "Basic " + b64encode(f"{user}:{password}".encode()).decode())

    def get(self, path: str) -> Any:
        """Return what the API answers to a GET."""
        answer = httpx.get(f"{self.url}/api{path}", headers={"Authorization": self.authorization}, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def ask(self, expression: Expression, *, instant: bool, minutes: int) -> dict[str, Any]:
        """Let Grafana ask its Prometheus, as a panel that shows the last `minutes` does; return one query's result.

        What only the page fills in is filled in here, the windows by Grafana itself.
        """
        query = {
            "refId": "A",
            "datasource": {"type": "prometheus", "uid": "prometheus"},
            "expr": expression.unchosen(),
            "instant": instant,
            "range": not instant,
            "intervalMs": 15_000,
            "maxDataPoints": 500,
        }
        answer = httpx.post(
            f"{self.url}/api/ds/query",
            headers={"Authorization": self.authorization},
            json={"queries": [query], "from": f"now-{minutes}m", "to": "now"},
            timeout=20,
        )
        assert answer.status_code == 200, f"{expression.place}: {answer.text}"
        result: dict[str, Any] = answer.json()["results"]["A"]
        return result


class Browser:
    """Opens pages of one Grafana; `troubles` are what went wrong on the way: failed requests, errors of scripts."""

    def __init__(self, page: Page, grafana: Grafana) -> None:
        self.page = page
        self.troubles: list[str] = []
        self._grafana = grafana
        self._asked: set[Request] = set()
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)
        page.on("response", self._note)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))

    def open(self, path: str, titles: Iterable[str]) -> None:
        """Open a page, and wait until it shows `titles` and has been answered all that it asked.

        All panels lie within the window: Grafana asks for those only that can be seen.
        """
        self.troubles.clear()
        self._asked.clear()
        self.page.goto(f"{self._grafana.url}{path}", wait_until="load", timeout=1000 * PAGE_SECONDS)
        shown = "titles => titles.every(title => document.body.innerText.includes(title))"
        self.page.wait_for_function(shown, arg=list(titles), timeout=1000 * PAGE_SECONDS)
        deadline = time.monotonic() + PAGE_SECONDS
        quiet = 0
        while quiet < SETTLED_SECONDS and time.monotonic() < deadline:
            self.page.wait_for_timeout(1000)
            quiet = 0 if any("/api/ds/" in request.url for request in self._asked) else quiet + 1

    def _begin(self, request: Request) -> None:
        self._asked.add(request)

    def _end(self, request: Request) -> None:
        self._asked.discard(request)

    def _note(self, response: Response) -> None:
        if "/api/" in response.url and response.status >= 400:
            self.troubles.append(f"{response.request.method} {response.url}: {response.status}")


@contextmanager
def browser(grafana: Grafana) -> Iterator[Browser]:
    """Start a browser for the pages of `grafana`."""
    with chromium() as running:
        context = running.new_context(
            viewport={"width": 1600, "height": 3000}, extra_http_headers={"Authorization": grafana.authorization}
        )
        yield Browser(context.new_page(), grafana)
