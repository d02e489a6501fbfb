"""The exporter that the settings ask for."""

from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.trace.export import SpanExporter

from service.settings import Settings, read_secret

# Spans wait meanwhile, and a process that stops waits for as long.
_TIMEOUT_SECONDS = 2


def make_exporter(settings: Settings) -> SpanExporter:
    """What sends spans to `settings.traces_url`, in the thread that calls it."""
    if settings.traces_format == "zipkin":
        return ZipkinExporter(endpoint=settings.traces_url, timeout=_TIMEOUT_SECONDS)
    return OTLPSpanExporter(
        settings.traces_url, headers=_headers(read_secret(settings.traces_headers_file)), timeout=_TIMEOUT_SECONDS
    )


def address_of(settings: Settings) -> str:
    """Host and port that traces are sent to, for the log: the rest of the address may hold a key."""
    return urlsplit(settings.traces_url).netloc


def _headers(text: str | None) -> dict[str, str]:
    """`name: value`, a line each."""
    lines = (line.partition(":") for line in (text or "").splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in lines}
