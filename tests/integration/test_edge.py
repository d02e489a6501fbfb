"""The public edge with TLS and limits, in front of a server that says what it was sent."""

import os
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from infra.edge.certificate import generate
from infra.jobs import promote
from infra.jobs.promote import BACKEND, MASTER_SOCKET, VOLUME, backend
from infra.tiers.edge import COMMAND, FOLDER, edge_files
from infra.waiting import until_it_answers
from tests.servers import container, gateway

pytestmark = pytest.mark.integration

CERTIFICATE, KEY = generate("a secret", ["localhost", "127.0.0.1"], 2026)
# What somebody may send in a second; so little that the slowest machine sends more.
FEW, MANY = 4, 100_000
USER = 99


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers of the request, and the port that it came to."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"port: {self.connection.getsockname()[1]}\n{self.headers}".encode()
        # At once: a health check that has its status hangs up, and the rest would find nobody.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Brief(Echo):
    """Keeps no connection: when its server has left, nothing answers any more."""

    def do_GET(self) -> None:
        super().do_GET()
        self.close_connection = True


class Dying(Echo):
    """Looks well, and hangs up on whoever wants more."""

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path == "/livez":
            super().do_GET()


@contextmanager
def echo(handler: type[Echo] = Echo) -> Iterator[str]:
    """A server where a container reaches it."""
    address = gateway()
    made = ThreadingHTTPServer((address, 0), handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"{address}:{made.server_port}"
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The server that the edge leads to."""
    with echo() as made:
        yield made


@contextmanager
def edge(servers: str, folder: Path, **environment: str) -> Iterator[httpx.Client]:
    """A client of an edge to such servers, with commas between, and such an environment; it trusts the certificate."""
    (folder / "etc").mkdir()
    (folder / "volume").mkdir()
    os.chown(folder / "volume", USER, USER)
    for path, content in edge_files().items():
        (folder / "etc" / Path(path).name).write_text(content, newline="")
    (folder / "volume" / BACKEND.name).write_text(backend(servers.split(",")))
    (folder / "edge.pem").write_text(CERTIFICATE + KEY)
    mounts = {folder / "etc": FOLDER, folder / "volume": str(VOLUME), folder / "edge.pem": "/run/secrets/edge.pem"}
    scheme = "https" if "EDGE_CERTIFICATE" in environment else "http"
    with container(
        "haproxy",
        8080,
        command=COMMAND,
        environment=environment,
        volumes=[f"{source}:{target}" for source, target in mounts.items()],
        user=f"{USER}:{USER}",
        read_only=True,
        cap_drop=["ALL"],
    ) as (_, port):
        trusted = ssl.create_default_context(cadata=CERTIFICATE)
        limits = httpx.Limits(keepalive_expiry=None)  # a test of a connection has it until the edge hangs up
        with httpx.Client(base_url=f"{scheme}://127.0.0.1:{port}", verify=trusted, limits=limits) as client:
            until_it_answers(lambda: client.get("/").raise_for_status(), (httpx.HTTPError,))
            yield client


TLS = {"EDGE_CERTIFICATE": "/run/secrets/edge.pem"}


def test_tls_is_spoken_and_nothing_else(server: str, tmp_path: Path) -> None:
    with edge(server, tmp_path, **TLS) as client:
        answer = client.get("/")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "x-forwarded-proto: https" in answer.text
        plain = str(client.base_url).replace("https", "http")
        with pytest.raises(httpx.HTTPError):
            httpx.get(plain)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(str(client.base_url))


def test_a_client_cannot_say_who_it_is(server: str, tmp_path: Path) -> None:
    with edge(server, tmp_path) as client:
        sent = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        received = client.get("/", headers=sent)
        assert "192.0.2.1" not in received.text
        assert "x-forwarded-proto: http\n" in received.text
        assert received.text.lower().count("x-forwarded-for") == 1
        assert "Strict-Transport-Security" not in received.headers


def test_who_sends_more_than_its_share_is_told_to_wait(server: str, tmp_path: Path) -> None:
    limits = {"EDGE_REQUESTS_PER_SECOND": str(FEW), "EDGE_LOGINS_PER_SECOND": str(MANY)}
    with edge(server, tmp_path, **limits) as client:
        time.sleep(2)  # what asked whether it is there counts as well
        answers = [client.get("/") for _ in range(5 * FEW)]
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() == {200, 429}
        assert statuses[200] >= FEW
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["status"] == 429


def test_logins_have_a_limit_of_their_own(server: str, tmp_path: Path) -> None:
    limits = {"EDGE_REQUESTS_PER_SECOND": str(MANY), "EDGE_LOGINS_PER_SECOND": str(FEW)}
    with edge(server, tmp_path, **limits) as client:
        statuses = Counter(client.post("/api/v1/auth/login").status_code for _ in range(5 * FEW))
        assert statuses.keys() == {200, 429}
        assert statuses[200] >= FEW
        assert client.post("/api/v1/auth/logout").status_code == 200


def test_without_limits_nobody_waits(server: str, tmp_path: Path) -> None:
    with edge(server, tmp_path) as client:
        assert {client.get("/").status_code for _ in range(5 * FEW)} == {200}


def test_a_promotion_lasts_until_no_connection_leads_to_the_former_release(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promote, "BACKEND", tmp_path / "volume" / BACKEND.name)
    monkeypatch.setattr(promote, "MASTER_SOCKET", tmp_path / "volume" / MASTER_SOCKET.name)
    promotion = threading.Thread(target=promote.main, daemon=True)
    with echo() as new_server, edge(server, tmp_path) as idle, httpx.Client(base_url=idle.base_url) as others:
        assert port_of(server) in idle.get("/").text
        monkeypatch.setenv("SERVERS", new_server)
        promotion.start()

        def newly_connected() -> None:
            assert port_of(new_server) in others.get("/", headers={"Connection": "close"}).text

        until_it_answers(newly_connected, (AssertionError,), 20)
        assert promotion.is_alive(), "the former release may be deleted, and a connection still leads to it"
        last = idle.get("/")
        assert port_of(server) in last.text
        assert last.headers["Connection"] == "close"
        promotion.join(20)
        assert not promotion.is_alive()
        assert port_of(new_server) in idle.get("/").text


def test_what_a_dying_replica_leaves_unanswered_another_is_asked_if_that_is_safe(server: str, tmp_path: Path) -> None:
    with echo(Dying) as dying, edge(f"{dying},{server}", tmp_path) as client:
        assert {client.get("/").status_code for _ in range(10)} == {200}
        assert {client.post("/").status_code for _ in range(10)} == {200, 502}


def test_a_replica_that_leaves_costs_no_request(tmp_path: Path) -> None:
    with ExitStack() as one, echo() as other:
        leaving = one.enter_context(echo(Brief))
        with edge(f"{leaving},{other}", tmp_path) as client:
            assert len({client.get("/").text.partition("\n")[0] for _ in range(10)}) == 2
            one.close()
            assert {client.post("/").status_code for _ in range(10)} == {200}


def port_of(server: str) -> str:
    """What the server's answers have in them."""
    return f"port: {server.rpartition(':')[2]}\n"
