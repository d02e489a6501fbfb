"""OpenTelemetry's spans of a request that has ended."""

import os
import re
import socket
from dataclasses import dataclass

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from service import __version__
from service.observability.context import INTERNAL, Operation, RequestContext
from service.observability.tracing.sampling import Reason

_SCOPE = InstrumentationScope("janua", __version__)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """A request that leaves a trace; `path` is the route's template, `started` nanoseconds since 1970."""

    request: RequestContext
    reason: Reason
    method: str
    path: str
    status: int
    milliseconds: float
    started: int

    @property
    def ended(self) -> int:
        """When its answer was complete, in nanoseconds since 1970."""
        return self.started + int(1e6 * self.milliseconds)


def describe_process(release: str) -> Resource:
    """Who sends the spans: the names are OpenTelemetry's."""
    return Resource({"service.name": "janua", "service.version": release, "service.instance.id": socket.gethostname()})


def spans_of(traced: TracedRequest, process: Resource) -> list[ReadableSpan]:
    """The span of the request, then one for each thing that it waited for.

    The SDK's tracer would make them while the request is served, also for the many that leave no trace; what its
    exporters take is the same.
    """
    request = traced.request
    trace_id = int(request.trace_id, 16)
    parent = _context(trace_id, int(request.parent.span_id, 16), is_remote=True) if request.parent else None
    root = _context(trace_id)
    server = ReadableSpan(
        f"{traced.method} {traced.path}",
        context=root,
        parent=parent,
        resource=process,
        attributes=_of_request(traced),
        kind=SpanKind.SERVER,
        status=Status(StatusCode.ERROR if traced.status >= 500 else StatusCode.UNSET),
        start_time=traced.started,
        end_time=traced.ended,
        instrumentation_scope=_SCOPE,
    )
    return [server, *(_span(operation, root, process) for operation in tuple(request.operations or ()))]


def _of_request(traced: TracedRequest) -> dict[str, AttributeValue]:
    request = traced.request
    return {
        "http.request.method": traced.method,
        "http.route": traced.path,
        "http.response.status_code": traced.status,
        "janua.request_id": request.request_id,
        "janua.kept_because": traced.reason,
        "janua.db_queries": request.db_queries,
        "janua.cache_hits": request.cache_hits,
        "janua.cache_misses": request.cache_misses,
    }


def _span(operation: Operation, root: SpanContext, process: Resource) -> ReadableSpan:
    name, attributes = operation.text, dict[str, AttributeValue]()
    if operation.system != INTERNAL:
        verb = operation.text.split(None, 1)[0].upper()
        table = _TABLE.search(operation.text)
        name = f"{verb} {table[1]}" if table else verb
        attributes = {"db.system.name": operation.system, "db.operation.name": verb, "db.query.text": operation.text}
    if operation.error is not None:
        attributes["error.type"] = operation.error
    return ReadableSpan(
        name,
        context=_context(root.trace_id),
        parent=root,
        resource=process,
        attributes=attributes,
        kind=SpanKind.INTERNAL if operation.system == INTERNAL else SpanKind.CLIENT,
        status=Status(StatusCode.UNSET if operation.error is None else StatusCode.ERROR),
        start_time=operation.started,
        end_time=operation.ended,
        instrumentation_scope=_SCOPE,
    )


def _context(trace_id: int, span_id: int | None = None, *, is_remote: bool = False) -> SpanContext:
    span_id = span_id or int.from_bytes(os.urandom(8))
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))
