"""Just enough of Grafana's HTTP API to put data sources, folders and dashboards there."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOKEN = "a-token"


@dataclass
class Things:
    """What a Grafana has, by kind and identifier."""

    url: str = ""
    sources: dict[str, Any] = field(default_factory=dict)
    folders: dict[str, Any] = field(default_factory=dict)
    dashboards: dict[str, Any] = field(default_factory=dict)


class Handler(BaseHTTPRequestHandler):
    things: ClassVar[Things]

    def _answer(self, status: int, body: object) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _handle(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Invalid API key"})
            return
        self._answer(*self._respond(body))

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - the base class's names

    def _respond(self, body: Any) -> tuple[int, object]:
        things, uid = self.things, self.path.rpartition("/")[2]
        kinds = {
            "/api/datasources/uid/": things.sources,
            "/api/folders/": things.folders,
            "/api/dashboards/uid/": things.dashboards,
        }
        if self.command == "POST":
            return self._make(body)
        if self.path.startswith("/api/search?folderIds="):
            return 200, [{"uid": uid} for uid in things.dashboards]
        kind = next(content for prefix, content in kinds.items() if self.path.startswith(prefix))
        if uid not in kind:
            return 404, {"message": "not found"}
        if self.command == "DELETE":
            removed = kind.pop(uid)
            return 200, None if kind is things.folders else removed
        if self.command == "PUT":
            kind[uid] = body
        return 200, kind[uid]

    def _make(self, body: Any) -> tuple[int, object]:
        if self.path == "/api/datasources":
            self.things.sources[body["uid"]] = body
        elif self.path == "/api/folders":
            self.things.folders[body["uid"]] = {**body, "id": 7}
        else:
            if body["folderUid"] not in self.things.folders:
                return 400, {"message": "folder not found"}
            self.things.dashboards[body["dashboard"]["uid"]] = body["dashboard"]
        return 200, body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the test's output clean."""


@contextmanager
def fake_grafana() -> Iterator[Things]:
    """Serve an empty Grafana; its value is what it has."""
    things = Things()
    handler = type("Bound", (Handler,), {"things": things})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    things.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield things
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
