"""Makes a problem document of every error that the application raises."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response
from starlette.routing import Match

from service.problems import (
    FieldError,
    ProblemError,
    by_status,
    database_unavailable,
    invalid_fields,
    problem_response,
)

_log = logging.getLogger(__name__)

DATABASE_FAILURES = (OperationalError, InterfaceError, PoolTimeoutError)
"""What is raised when the database cannot be reached, or is too slow."""


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error that the application raises a problem document."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(StarletteHTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    for failure in DATABASE_FAILURES:
        app.add_exception_handler(failure, _on_database_failure)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101
    return problem_response(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown path, a wrong method, a body that is no JSON at all."""
    assert isinstance(error, StarletteHTTPException)  # noqa: S101
    headers = dict(error.headers) if error.headers else None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names those of the first route with that path alone.
        headers = {"Allow": ", ".join(sorted(_methods_of(request)))}
    return problem_response(by_status(error.status_code, str(error.detail), headers))


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # What was sent is left out of the answer: it may hold a password.
    errors = [_field_error(item["loc"], _message(item)) for item in error.errors()]
    return problem_response(invalid_fields(*errors))


async def _on_database_failure(_request: Request, error: Exception) -> Response:
    return database_failure_response(error)


def database_failure_response(error: Exception) -> Response:
    """The answer to a request that one of `DATABASE_FAILURES` has ended."""
    _log.warning("database_unavailable", extra={"fields": {"error": type(error).__name__, "reason": str(error)}})
    return problem_response(database_unavailable())


def _methods_of(request: Request) -> set[str]:
    """The methods of all routes with the path of the one that would have served another method."""
    routes = request.app.state.routes
    path = next(route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in routes if route.path == path for method in route.methods or ()}


def _message(error: dict[str, Any]) -> str:
    if error["type"] == "string_pattern_mismatch":
        return "does not have the right form"  # the pattern itself stands in the OpenAPI document
    return str(error["msg"]).removeprefix("Value error, ")


def _field_error(location: tuple[int | str, ...], message: str) -> FieldError:
    place, *path = location
    name = ".".join(str(part) for part in path) or str(place)
    return FieldError(field=name[:200], location=str(place), message=message)
