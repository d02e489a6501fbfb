"""The OpenAPI document: what it promises. That the service keeps it is for tests/integration/test_fuzzing.py."""

from typing import Any

import pytest

from tests.harness import Api

API = "/api/v1"
ROUTES = {
    *((f"{API}/auth/{name}", "post") for name in ("signup", "login", "refresh", "logout", "logout-all", "password")),
    *((f"{API}/auth/{name}", "post") for name in ("introspect", "jwt")),
    *((f"{API}/auth/{name}", "get") for name in ("me", "validate", "sessions")),
    (f"{API}/auth/sessions/{{session_id}}", "delete"),
    (f"{API}/users/me", "patch"),
    (f"{API}/users", "get"),
    (f"{API}/users/{{user_id}}", "get"),
    (f"{API}/users/{{user_id}}", "patch"),
    (f"{API}/users/{{user_id}}/roles", "get"),
    (f"{API}/users/{{user_id}}/roles", "put"),
    (f"{API}/tenants", "get"),
    (f"{API}/tenants", "post"),
    (f"{API}/audit-logs", "get"),
    (f"{API}/cache/stats", "get"),
    ("/.well-known/jwks.json", "get"),
    ("/livez", "get"),
    ("/readyz", "get"),
}
_BODY = {"400", "408", "413", "422", "503"}


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    return api.app.openapi()


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method): each for path, methods in document["paths"].items() for method, each in methods.items()}


def test_it_is_version_3_1_and_has_the_routes(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert operations(document).keys() == ROUTES


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("/auth/signup", "post", {"201", "404", "409", "429", *_BODY}),
        ("/auth/login", "post", {"200", "401", "404", "429", *_BODY}),
        ("/auth/me", "get", {"200", "401", "503"}),
        ("/auth/validate", "get", {"200", "401", "503"}),
        ("/auth/logout", "post", {"204", "401", "503"}),
        ("/auth/refresh", "post", {"200", "401", "429", *_BODY}),
        ("/auth/password", "post", {"204", "401", "429", *_BODY}),
        ("/auth/sessions", "get", {"200", "401", "422", "503"}),
        ("/users/{user_id}/roles", "put", {"200", "401", "403", "404", "409", "429", *_BODY}),
        ("/tenants", "post", {"201", "401", "403", "409", "429", *_BODY}),
    ],
)
def test_problems_are_documented(document: dict[str, Any], path: str, method: str, statuses: set[str]) -> None:
    assert operations(document)[API + path, method]["responses"].keys() == statuses


def test_every_problem_is_a_problem_document_with_an_example(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if status >= "400":
                [(media_type, content)] = response["content"].items()
                assert media_type == "application/problem+json"
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["example"]["status"] == int(status)
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["required"]) == {"type", "title", "status", "detail", "request_id", "trace_id"}


def test_bodies_refuse_unknown_fields_and_every_field_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    requests = [
        operation["requestBody"]["content"] for operation in operations(document).values() if "requestBody" in operation
    ]
    names = {media["schema"]["$ref"].rpartition("/")[2] for content in requests for media in content.values()}
    assert len(names) == 8
    for name in names:
        assert schemas[name]["additionalProperties"] is False, name
        for field, schema in schemas[name]["properties"].items():
            assert "examples" in str(schema) or "$ref" in str(schema), f"{name}.{field}"


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        assert len(operation["description"]) > 20, route
        assert operation["tags"], route


def test_bearer_is_the_only_security_scheme(document: dict[str, Any]) -> None:
    [scheme] = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    public = {route for route, operation in operations(document).items() if "security" not in operation}
    assert public == {
        *((f"{API}/auth/{name}", "post") for name in ("signup", "login", "refresh")),
        *((path, "get") for path in ("/.well-known/jwks.json", "/livez", "/readyz")),
    }
