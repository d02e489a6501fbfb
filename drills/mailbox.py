"""The receiver of a drill: takes what Alertmanager sends and prints it, a line of JSON each.

It runs in a container beside Alertmanager, from its text alone (standard library only), publishes no port, and ends by
itself: of a drill that was killed it must not be left for ever.
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Timer

PORT = 8000
LIFE_SECONDS = 3600
# Two notifications that print at once would share a line.
_PRINTING = Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers POST of a webhook; the path says by which route it came."""

    def do_POST(self) -> None:
        """Take one notification."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        notice = {"at": time.time(), "route": self.path.strip("/"), "alerts": body["alerts"]}
        with _PRINTING:
            print(json.dumps(notice), flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Print nothing but notifications."""


def server(host: str, port: int) -> ThreadingHTTPServer:
    """Return the server: a thread for each connection, since a silent one must not keep the others waiting."""
    return ThreadingHTTPServer((host, port), Handler)


def main() -> None:
    """Serve until the time is over."""
    serving = server("", PORT)
    end = Timer(LIFE_SECONDS, serving.shutdown)
    end.daemon = True
    end.start()
    serving.serve_forever()


if __name__ == "__main__":
    main()
