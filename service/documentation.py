"""What the OpenAPI document says about the problems that many routes have in common."""

from typing import Any

from fastapi import FastAPI

from service import problems
from service.problems import Problem

_MISSING = problems.FieldError(field="email", location="body", message="Field required")
_MALFORMED = problems.FieldError(field="limit", location="query", message="Input should be less than or equal to 200")

ALWAYS = (problems.database_unavailable(),)
WITH_TOKEN = (problems.invalid_token(), *ALWAYS)
WITH_BODY = (
    problems.malformed_body(),
    problems.body_too_slow(15),
    problems.body_too_large(64 * 1024),
    problems.invalid_fields(_MISSING),
    *ALWAYS,
)
WITH_QUERY = (problems.invalid_fields(_MALFORMED), *ALWAYS)
WITH_HASH = (problems.too_busy(2),)
WITH_TENANT = (problems.unknown_tenant("acme"),)


def describe_problems(app: FastAPI) -> None:
    """Add the schema of problem documents to the OpenAPI document, where routes refer to it by name."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        for method in (method for path in document["paths"].values() for method in path.values()):
            # The framework's own description of a 422, where the only parameter is a header that cannot be wrong.
            if "application/json" in method["responses"].get("422", {}).get("content", {}):
                del method["responses"]["422"]
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        document["components"]["schemas"] |= schema.pop("$defs") | {"Problem": schema}
        return document

    app.openapi = openapi  # type: ignore[method-assign]
