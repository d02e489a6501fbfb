"""What the OpenAPI document says about the problems that many routes have in common."""

from service import problems

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
