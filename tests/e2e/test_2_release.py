"""A second release: its steps run again, its replicas replace the first one's, and nothing is lost."""

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.e2e.deployment import Deployment
from tests.e2e.test_1_staging import PASSWORD

REQUESTS_PER_SECOND = 20


@contextmanager
def asking(staging: Deployment) -> Iterator[Counter[str]]:
    """Ask the edge all the time on one kept-alive connection; the counter has each answer's status, or the error."""
    answers: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> None:
        with staging.api() as api:
            while not done.wait(1 / REQUESTS_PER_SECOND):
                try:
                    answers[str(api.get("/livez").status_code)] += 1
                except httpx.HTTPError as error:
                    answers[repr(error)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        done.set()
        thread.join()


def test_a_changed_setting_is_a_new_release(staging: Deployment) -> None:
    first = staging.outputs()
    body = {"email": f"kept-{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    with staging.api() as api:
        assert api.post("/api/v1/auth/signup", json=body).status_code == 201
    old = {container.id for container in staging.containers("service-1")}
    # Short, for the releases of the tests that follow.
    staging.configure("smokeDuration", "5s")
    with asking(staging) as answers:
        up = staging.pulumi("up --yes --skip-preview")
    assert up.returncode == 0, up.stdout
    assert set(answers) == {"200"}, answers
    assert answers["200"] > REQUESTS_PER_SECOND
    second = staging.outputs()
    assert second["release"] != first["release"]
    assert second["gate"]["figures"]["k6_requests"] < first["gate"]["figures"]["k6_requests"]
    (replica,) = staging.containers("service-1")
    assert replica.id not in old
    with staging.api() as api:
        assert api.post("/api/v1/auth/login", json=body).status_code == 200


def test_the_data_was_dumped_before_the_migration(staging: Deployment) -> None:
    (dump,) = (staging.folder / "backups").glob(f"{staging.stack}-*.dump")
    assert dump.stat().st_mode & 0o077 == 0
    assert dump.read_bytes().startswith(b"PGDMP")
    (backup,) = staging.containers("backup")
    assert dump.name in backup.logs().decode()
