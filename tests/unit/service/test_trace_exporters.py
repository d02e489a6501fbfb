"""What leaves the process, in either format, as whoever takes it reads it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult
from pydantic import ValidationError

from service.observability.context import Operation, RequestContext
from service.observability.tracing.exporter import make_exporter
from service.observability.tracing.spans import TracedRequest, describe_process, spans_of
from service.observability.tracing.traceparent import Parent
from service.settings import Settings

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
AT = 1_800_000_000_000_000_000
STATEMENT = "SELECT users.id FROM users WHERE users.email = ?"


def traced() -> TracedRequest:
    request = RequestContext("an-id", TRACE, db_queries=1, parent=Parent(TRACE, PARENT, is_sampled=True))
    request.operations = [
        Operation("postgresql", STATEMENT, AT - 200_000_000, AT - 100_000_000, None),
        Operation("redis", "GET", AT - 90_000_000, AT - 80_000_000, "ConnectionLostError"),
        Operation("janua", "hash a password", AT - 70_000_000, AT - 60_000_000, None),
    ]
    return TracedRequest(request, "failed", "POST", "/api/v1/auth/login", 503, 250, AT - 250_000_000)


@dataclass
class Collector:
    """Takes whatever is posted to it."""

    port: int
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def collecting(status: int = 202) -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.posts.append((self.path, {key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def export(settings: Settings) -> SpanExportResult:
    exporter = make_exporter(settings)
    try:
        return exporter.export(spans_of(traced(), describe_process("1.2.3")))
    finally:
        exporter.shutdown()


def test_zipkin_gets_its_own_json() -> None:
    with collecting() as collector:
        settings = Settings(traces_url=f"http://127.0.0.1:{collector.port}/api/v2/spans")
        assert export(settings) is SpanExportResult.SUCCESS
    [(path, headers, body)] = collector.posts
    assert (path, headers["content-type"]) == ("/api/v2/spans", "application/json")
    root, statement, command, hashing = json.loads(body)
    assert (root["traceId"], root["parentId"]) == (TRACE, PARENT)
    assert (root["name"], root["kind"]) == ("POST /api/v1/auth/login", "SERVER")
    assert (root["timestamp"], root["duration"]) == ((AT - 250_000_000) // 1000, 250_000)
    assert root["localEndpoint"]["serviceName"] == "janua"
    assert root["tags"]["service.version"] == "1.2.3"
    assert (root["tags"]["http.response.status_code"], root["tags"]["otel.status_code"]) == ("503", "ERROR")
    assert (statement["name"], statement["tags"]["db.query.text"]) == ("SELECT users", STATEMENT)
    assert (command["name"], command["tags"]["error.type"]) == ("GET", "ConnectionLostError")
    assert hashing["name"] == "hash a password"
    assert {span["parentId"] for span in (statement, command, hashing)} == {root["id"]}


def test_otlp_gets_protobuf_and_the_headers_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("Authorization: Bearer a-key\nX-Scope: janua\n")
    with collecting(200) as collector:
        settings = Settings(
            traces_url=f"http://127.0.0.1:{collector.port}/v1/traces", traces_format="otlp", traces_headers_file=file
        )
        assert export(settings) is SpanExportResult.SUCCESS
    [(path, headers, body)] = collector.posts
    assert path == "/v1/traces"
    assert (headers["authorization"], headers["x-scope"]) == ("Bearer a-key", "janua")
    [resource] = ExportTraceServiceRequest.FromString(body).resource_spans
    assert {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"] == "janua"
    [scope] = resource.scope_spans
    assert [span.name for span in scope.spans] == ["POST /api/v1/auth/login", "SELECT users", "GET", "hash a password"]
    root = scope.spans[0]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    assert {span.parent_span_id for span in scope.spans[1:]} == {root.span_id}


@pytest.mark.parametrize("form", ["zipkin", "otlp"])
def test_a_refusal_is_a_failure(form: str) -> None:
    with collecting(400) as collector:
        settings = Settings(traces_url=f"http://127.0.0.1:{collector.port}/", traces_format=form)
        assert export(settings) is SpanExportResult.FAILURE


@pytest.mark.parametrize("url", ["zipkin:9411", "http://user:password@collector/v1/traces"])
def test_an_address_is_http_without_a_password(url: str) -> None:
    with pytest.raises(ValidationError, match="traces_url"):
        Settings(traces_url=url)
