"""The OpenAPI document: what it promises, and that the service keeps it."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode

from service.app import create_app
from service.settings import Settings
from tests.harness import Api

AUTH = "/api/v1/auth"
ROUTES = [
    (f"{AUTH}/signup", "post"),
    (f"{AUTH}/login", "post"),
    (f"{AUTH}/me", "get"),
    (f"{AUTH}/validate", "get"),
    (f"{AUTH}/logout", "post"),
    ("/livez", "get"),
    ("/readyz", "get"),
]


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    return api.app.openapi()


def test_it_is_version_3_1_and_has_the_routes(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    routes = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert routes == set(ROUTES)


@pytest.mark.parametrize(
    ("path", "method", "statuses"),
    [
        ("signup", "post", {"201", "400", "404", "409", "413", "422", "429", "503"}),
        ("login", "post", {"200", "400", "401", "404", "413", "422", "429", "503"}),
        ("me", "get", {"200", "401", "503"}),
        ("validate", "get", {"200", "401", "503"}),
        ("logout", "post", {"204", "401", "503"}),
    ],
)
def test_problems_are_documented(document: dict[str, Any], path: str, method: str, statuses: set[str]) -> None:
    responses = document["paths"][f"{AUTH}/{path}"][method]["responses"]
    assert responses.keys() == statuses
    for status, response in responses.items():
        if status >= "400":
            [(media_type, content)] = response["content"].items()
            assert media_type == "application/problem+json"
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status)
    problem = document["components"]["schemas"]["Problem"]
    assert set(problem["required"]) == {"type", "title", "status", "detail", "request_id"}


def test_bodies_have_examples_and_refuse_unknown_fields(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("SignupRequest", "LoginRequest"):
        assert schemas[name]["additionalProperties"] is False
        assert all("examples" in str(field) for field in schemas[name]["properties"].values())


def test_bearer_is_the_only_security_scheme(document: dict[str, Any]) -> None:
    [scheme] = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


@pytest.fixture(scope="module")
def served(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The document as a running service gives it; one user is there, with an access token."""
    file = shutil.copy(migrated, tmp_path_factory.mktemp("served") / "janua.db")
    app = create_app(Settings(database_url=f"sqlite:///{file}", hash_deadline_seconds=60, database_timeout_seconds=30))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on"))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        *((path, method, GenerationMode.POSITIVE) for path, method in ROUTES),
        *((path, method, GenerationMode.NEGATIVE) for path, method in ROUTES if path.startswith(AUTH)),
    ],
)
def test_the_service_keeps_what_the_document_promises(
    served: Any, path: str, method: str, mode: GenerationMode
) -> None:
    """Schemathesis with every check that it has, on requests that fit the document and on such that do not."""
    cases = served[path][method].as_strategy(generation_mode=mode)

    @given(case=cases)
    @hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate()

    check()
