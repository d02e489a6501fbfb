"""Errors as clients see them: problem documents (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from service.observability.context import current_request

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(examples=["email"])
    location: str = Field(examples=["body"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """A problem document."""

    type: str = Field(examples=["urn:janua:problem:invalid-credentials"])
    title: str = Field(examples=["Invalid credentials"])
    status: int = Field(examples=[401])
    detail: str = Field(examples=["The e-mail address or the password is wrong."])
    request_id: str = Field(examples=["0193f2b0c4de7a6f9d1c3b5a7e8f9012"])
    trace_id: str = Field(examples=["4bf92f3577b34da6a3ce929d0e0e4736"])
    errors: list[FieldError] | None = Field(default=None, description="Only with 422: one for each field.")


_EXAMPLE_IDS = ("0193f2b0c4de7a6f9d1c3b5a7e8f9012", "4bf92f3577b34da6a3ce929d0e0e4736")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="janua"'}


class ProblemError(HTTPException):
    """Ends a request with a problem document; `members` are added to it."""

    def __init__(
        self, status: int, slug: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(status, detail, headers)
        self.slug = slug
        self.members = members


def invalid_credentials() -> ProblemError:
    """The answer to an unknown user and to a wrong password alike."""
    return ProblemError(401, "invalid-credentials", "The e-mail address or the password is wrong.", headers=_CHALLENGE)


def invalid_token() -> ProblemError:
    """The answer to a bearer token that is missing, malformed, unknown, expired or revoked."""
    return ProblemError(401, "invalid-token", "The access token is missing, expired or revoked.", headers=_CHALLENGE)


def invalid_refresh_token() -> ProblemError:
    """The answer to a refresh token that is malformed, unknown, expired, revoked or used before."""
    detail = "The refresh token is expired, revoked or was used before: log in again."
    return ProblemError(401, "invalid-refresh-token", detail, headers=_CHALLENGE)


def wrong_password() -> ProblemError:
    """The answer to a change of password whose current password is wrong, or whose account is locked."""
    return ProblemError(401, "invalid-credentials", "The current password is wrong.", headers=_CHALLENGE)


def forbidden(permission: str) -> ProblemError:
    """The answer to a caller who lacks a permission."""
    return ProblemError(403, "forbidden", f"This needs the permission {permission!r}.", permission=permission)


def exceeds_own_permissions() -> ProblemError:
    """The answer to giving, taking or changing what the caller itself may not do."""
    detail = "Nobody can give or take away permissions, or change a user with permissions, beyond their own."
    return ProblemError(403, "exceeds-own-permissions", detail)


def own_roles() -> ProblemError:
    """The answer to taking a role away from oneself."""
    return ProblemError(409, "own-roles", "Somebody else has to take this role away from you.")


def not_found(what: str) -> ProblemError:
    """The answer to an id that does not exist, or belongs to another tenant or user."""
    return ProblemError(404, "not-found", f"There is no such {what}.")


def unknown_roles(names: Sequence[str]) -> ProblemError:
    """The answer to giving roles that there are not."""
    return ProblemError(404, "unknown-role", f"There is no role {', '.join(map(repr, names))}.", roles=list(names))


def slug_taken() -> ProblemError:
    """The answer to a tenant whose slug is in use."""
    return ProblemError(409, "slug-taken", "A tenant with this slug exists already.")


def unknown_tenant(slug: str) -> ProblemError:
    """The answer to an `X-Tenant` that names no tenant."""
    return ProblemError(404, "unknown-tenant", f"There is no tenant {slug[:63]!r}.")


def email_taken() -> ProblemError:
    """The answer to a signup with an address that the tenant already has."""
    return ProblemError(409, "email-taken", "A user with this e-mail address exists already.")


def malformed_body() -> ProblemError:
    """The answer to a body that cannot be parsed."""
    return by_status(400, "There was an error parsing the body")


def invalid_fields(*errors: FieldError) -> ProblemError:
    """The answer to fields that are missing, wrong or unknown."""
    detail = "The request does not match what this operation takes; `errors` names the fields."
    return ProblemError(422, "invalid-request", detail, errors=[error.model_dump() for error in errors])


def too_busy(retry_after: int) -> ProblemError:
    """The answer when no hashing thread was free in time, or others were faster again and again; in seconds."""
    headers = {"Retry-After": str(retry_after)}
    return ProblemError(429, "too-many-requests", "Too much at once: try again later.", headers=headers)


def body_too_slow(seconds: float) -> ProblemError:
    """The answer to a body that is not complete after that many seconds; the rest of it is not waited for."""
    detail = f"The request was not complete after {seconds:g} seconds."
    return ProblemError(408, "request-timeout", detail, headers={"Connection": "close"})


def took_too_long(seconds: float) -> ProblemError:
    """The answer to a request that could not be served in that many seconds."""
    detail = f"No answer could be had within {seconds:g} seconds: try again."
    return ProblemError(503, "took-too-long", detail, headers={"Retry-After": "1"})


def body_too_large(limit: int) -> ProblemError:
    """The answer to a body of more than `limit` bytes."""
    return ProblemError(413, "content-too-large", f"The body may have at most {limit} bytes.")


def database_unavailable() -> ProblemError:
    """The answer when the database cannot be reached or is too slow."""
    detail = "The database did not answer in time: try again."
    return ProblemError(503, "database-unavailable", detail, headers={"Retry-After": "1"})


def problem_response(error: ProblemError) -> Response:
    """Render a problem document."""
    request = current_request()
    content = _document(error, request.request_id if request else "", request.trace_id if request else "")
    return JSONResponse(content, error.status_code, error.headers, MEDIA_TYPE)


def problem_responses(*errors: ProblemError) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the problems that a route may answer."""
    return {
        error.status_code: {
            "description": HTTPStatus(error.status_code).phrase,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _document(error, *_EXAMPLE_IDS),
                }
            },
        }
        for error in errors
    }


def _document(error: ProblemError, request_id: str, trace_id: str) -> dict[str, Any]:
    """The members of a problem document; its title follows from its slug."""
    return {
        "type": f"urn:janua:problem:{error.slug}",
        "title": error.slug.replace("-", " ").capitalize(),
        "status": error.status_code,
        "detail": error.detail,
        "request_id": request_id,
        "trace_id": trace_id,
        **error.members,
    }


def by_status(status: int, detail: str, headers: dict[str, str] | None = None) -> ProblemError:
    """A problem that is named after its status."""
    return ProblemError(status, HTTPStatus(status).phrase.lower().replace(" ", "-"), detail, headers=headers)
