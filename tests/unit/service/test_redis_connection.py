"""Opening a connection to Redis, losing it, and what its owner is told."""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from service.cache.connection import ConnectionLostError, RedisConnection
from service.clock import ManualClock
from tests.fake_redis import FakeRedis, bulk, fake_redis, message, on_both_loops, until

PASSWORD = "the password"
SILENT = b""
REQUEST: ContextVar[str] = ContextVar("request", default="none")


class Client(RedisConnection):
    """A connection whose owner writes down what it is told."""

    def __init__(
        self, port: int, *, prefix: str = "redis://", path: str = "", password: str = "", seconds: float = 60
    ) -> None:
        super().__init__(
            f"{prefix}127.0.0.1:{port}{path}",
            password,
            timeout_seconds=seconds,
            on_message=self._hear,
            on_lost=self._note_loss,
            clock=ManualClock(),
        )
        self.heard: list[tuple[bytes, bytes]] = []
        self.heard_in: list[str] = []
        self.losses: list[bool] = []
        """Whether it said of itself that it was open, each time that it was lost."""

    def _hear(self, channel: bytes, payload: bytes) -> None:
        if payload == b"raise":
            raise ValueError("what is told cannot be understood")
        self.heard.append((channel, payload))
        self.heard_in.append(REQUEST.get())

    def _note_loss(self) -> None:
        self.losses.append(self.is_open)


@asynccontextmanager
async def connected(*channels: bytes) -> AsyncIterator[tuple[FakeRedis, Client]]:
    async with fake_redis() as fake:
        client = Client(fake.port)
        await client.open(*channels)
        yield fake, client
        await client.close()


@pytest.mark.parametrize(
    ("prefix", "path", "password", "handshake"),
    [
        ("redis://", "", "", [["HELLO", "3", "SETNAME", "janua"]]),
        ("redis://", "/0", "pw", [["HELLO", "3", "AUTH", "default", "pw", "SETNAME", "janua"]]),
        ("redis://a%40b@", "/7", "pw", [["HELLO", "3", "AUTH", "a@b", "pw", "SETNAME", "janua"], ["SELECT", "7"]]),
    ],
)
@on_both_loops
async def test_the_handshake(prefix: str, path: str, password: str, handshake: list[list[str]]) -> None:
    async with fake_redis() as fake:
        client = Client(fake.port, prefix=prefix, path=path, password=password)
        assert not client.is_open
        await client.open(b"one", b"two")
        assert client.is_open
        subscribed = [["SUBSCRIBE", "one"], ["SUBSCRIBE", "two"], ["INFO", "server", "replication"]]
        assert [[word.decode() for word in command] for command in fake.commands] == handshake + subscribed
        await client.open(b"one", b"two")
        assert await client.send("GET", "key") == b"key"
        assert fake.accepted == 1
        await client.close()


@pytest.mark.parametrize("url", ["redis://host:port", "redis://host:1/first", "redis://host:99999"])
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ort|int"):
        RedisConnection(
            url, None, timeout_seconds=1, on_message=lambda *_: None, on_lost=lambda: None, clock=ManualClock()
        )


@pytest.mark.parametrize(
    ("replies", "reason", "timed_out"),
    [
        ({b"HELLO": b"-WRONGPASS invalid: " + PASSWORD.encode() + b"\r\n"}, "WRONGPASS", False),
        ({b"HELLO": b"-ERR unknown command HELLO with args AUTH " + PASSWORD.encode() + b"\r\n"}, "ERR", False),
        ({b"SUBSCRIBE": b"-NOPERM this channel\r\n"}, "NOPERM", False),
        ({b"INFO": b"$5\r\nempty\r\n"}, "INFO does not say", False),
        ({b"HELLO": b"HTTP/1.1 400 Bad Request\r\n"}, "not RESP", False),
        ({b"INFO": bulk(b"run_id:a\r\nmaster_replid:b\r\n") + b"and then nonsense\r\n"}, "not RESP", False),
        ({b"HELLO": SILENT, b"SELECT": SILENT, b"SUBSCRIBE": SILENT, b"INFO": SILENT}, "no answer within", True),
        ({b"INFO": SILENT}, "no answer within", True),
    ],
)
@on_both_loops
async def test_a_failed_handshake_says_why_and_leaves_no_socket(
    replies: dict[bytes, bytes], reason: str, timed_out: bool
) -> None:
    async with fake_redis() as fake:
        fake.replies = replies
        client = Client(fake.port, password=PASSWORD, seconds=0.2 if timed_out else 60)
        with pytest.raises(ConnectionLostError, match=reason) as error:
            await client.open(b"channel")
        assert error.value.timed_out == timed_out
        assert PASSWORD not in f"{error.value!r} {error.value.__cause__!r}"
        assert not client.is_open
        await until(lambda: not fake.writers)
        assert client.losses == []


@on_both_loops
async def test_where_nobody_listens() -> None:
    async with fake_redis() as fake:
        pass
    with pytest.raises(ConnectionLostError, match=f"127.0.0.1:{fake.port}.*[Cc]onnect") as error:
        await Client(fake.port).open()
    assert not error.value.timed_out


@on_both_loops
async def test_an_open_that_is_cancelled_at_whatever_step_leaves_no_socket() -> None:
    async with fake_redis() as fake:
        cancelled = 0
        for turns in range(60):
            client = Client(fake.port)
            opening = asyncio.create_task(client.open(b"channel"))
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            [result] = await asyncio.gather(opening, return_exceptions=True)
            cancelled += isinstance(result, asyncio.CancelledError)
            assert client.is_open == (result is None)
            await client.close()
            await until(lambda: not fake.writers)
        assert cancelled > 5
        assert fake.accepted > 5


@on_both_loops
async def test_callers_share_one_attempt_and_a_cancelled_one_does_not_end_it() -> None:
    async with fake_redis() as fake:
        client = Client(fake.port)
        callers = [asyncio.create_task(client.open(b"channel")) for _ in range(10)]
        await asyncio.sleep(0)
        callers[0].cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [None] * 9
        assert client.is_open
        assert fake.accepted == 1
        await client.close()


@on_both_loops
async def test_callers_share_a_failure_and_the_next_one_tries_anew() -> None:
    async with fake_redis() as fake:
        fake.replies = {b"HELLO": b"-LOADING\r\n"}
        client = Client(fake.port)
        results = await asyncio.gather(*[client.open() for _ in range(10)], return_exceptions=True)
        assert [type(result) for result in results] == [ConnectionLostError] * 10
        assert fake.accepted == 1
        fake.replies = {}
        await client.open()
        assert client.is_open
        await client.close()


@on_both_loops
async def test_closing_ends_an_attempt_and_its_callers_are_told() -> None:
    async with fake_redis() as fake:
        fake.replies = {b"INFO": SILENT}
        client = Client(fake.port)
        opening = asyncio.create_task(client.open())
        await until(lambda: len(fake.commands) == 2)
        await client.close()
        with pytest.raises(ConnectionLostError, match="was closed"):
            await opening
        fake.replies = {}
        await client.open()
        assert client.is_open
        assert client.losses == []
        await client.close()


def hang_up(fake: FakeRedis) -> None:
    fake.writers[0].close()


def reset(fake: FakeRedis) -> None:
    fake.writers[0].transport.abort()


def speak_another_protocol(fake: FakeRedis) -> None:
    fake.say(b"HTTP/1.1 400 Bad Request\r\n")


def say_what_the_owner_cannot_bear(fake: FakeRedis) -> None:
    fake.say(message(b"channel", b"raise"))


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (hang_up, "Redis closed"),
        (reset, "Redis"),
        (speak_another_protocol, "not RESP"),
        (say_what_the_owner_cannot_bear, "broke: ValueError$"),
        (None, "was closed"),
    ],
)
@on_both_loops
async def test_a_lost_connection_stays_lost_until_it_is_opened_again(
    end: Callable[[FakeRedis], None] | None, reason: str
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of an owner that raises the loop tells
    async with connected(b"channel") as (fake, client):
        fake.replies = {b"GET": SILENT}
        answers = [client.send("GET", "a") for _ in range(3)]
        answers[0].cancel()
        await until(lambda: len(fake.commands) == 6)
        if end is None:
            await client.close()
        else:
            end(fake)
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] + [ConnectionLostError] * 2
        assert re.search(reason, str(results[1]))
        assert client.losses == [False]
        with pytest.raises(ConnectionLostError):
            client.send("GET", "a")
        await until(lambda: not fake.writers)
        assert fake.accepted == 1

        fake.replies = {}
        await client.open(b"channel")
        fake.say(message(b"channel", b"again"))
        assert await client.send("GET", "b") == b"b"
        assert client.heard == [(b"channel", b"again")]
        await client.close()
        assert client.losses == [False, False]


@on_both_loops
async def test_what_is_published_before_it_is_open_is_not_handed_on() -> None:
    async with fake_redis() as fake:
        fake.replies = {b"HELLO": b"+OK\r\n" + message(b"channel", b"early")}
        client = Client(fake.port)
        await client.open(b"channel")
        fake.say(message(b"channel", b"in time"))
        await until(lambda: bool(client.heard))
        assert client.heard == [(b"channel", b"in time")]
        await client.close()


@on_both_loops
async def test_messages_are_not_heard_in_the_context_of_the_request_that_opened_it() -> None:
    async with fake_redis() as fake:
        client = Client(fake.port)
        REQUEST.set("that opened it")
        await client.open(b"channel")
        fake.say(message(b"channel", b"for all"))
        await until(lambda: bool(client.heard))
        assert client.heard_in == ["none"]
        await client.close()


@on_both_loops
async def test_an_incarnation_is_that_of_a_server_and_its_data() -> None:
    async with connected() as (fake, client):
        first = client.incarnation
        assert len(first) == 16
        assert await client.read_incarnation() == first
        seen = {first}
        for name in ("run_id", "master_replid"):
            setattr(fake, name, b"c3")
            await client.close()
            await client.open()
            seen.add(client.incarnation)
        assert len(seen) == 3
        assert int(client.incarnation, 16) >= 0


@on_both_loops
async def test_another_incarnation_on_the_same_connection_ends_it() -> None:
    async with connected() as (fake, client):
        before = client.incarnation
        fake.master_replid = b"of another master"
        with pytest.raises(ConnectionLostError, match="other data"):
            await client.read_incarnation()
        assert client.losses == [False]
        assert client.incarnation == before
        await client.open()
        assert client.incarnation != before


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and the certificate of 127.0.0.1 that it signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@on_both_loops
async def test_tls_with_a_certificate_that_is_trusted(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with fake_redis(tls) as fake:
        client = Client(fake.port, prefix="rediss://")
        await client.open(b"channel")
        assert await client.send("GET", "a") == b"a"
        await client.close()
        assert client.losses == [False]


@on_both_loops
async def test_tls_with_a_certificate_that_is_not_trusted(tls: ssl.SSLContext) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the server's
    async with fake_redis(tls) as fake:
        client = Client(fake.port, prefix="rediss://")
        with pytest.raises(ConnectionLostError, match=r"[Cc]ertificate"):
            await client.open()
        assert fake.commands == []


@on_both_loops
async def test_tls_with_a_server_that_does_not_shake_hands_leaves_no_socket() -> None:
    greeting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting.set_result(await reader.read())
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as server:
        client = Client(server.sockets[0].getsockname()[1], prefix="rediss://", seconds=2)
        with pytest.raises(ConnectionLostError, match="no answer within") as error:
            await client.open()
        assert error.value.timed_out
        assert len(await greeting) > 0  # known when the client's side is closed
