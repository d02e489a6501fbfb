"""The k6 suite, run by the real k6, and small services to run it against that answer as the API does, or do not."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from loadtest.population.users import Population

ROOT = Path(__file__).parents[3]
THRESHOLDS_FAILED = 99
CANNOT_BEGIN = 107
METRICS = (
    "janua_request_latency_milliseconds janua_db_queries_total "
    "janua_cache_hit_rate_percent janua_auth_operation_milliseconds"
)

# Where a Prometheus takes k6's figures.
WRITE = "/api/v1/write"


class Service(ThreadingHTTPServer):
    """One replica: counts what it is asked, keeps accounts, knows a population, and may refuse or be slow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: Counter[str] = Counter()
        self.emails: list[str] = []
        self.logins: list[dict[str, str]] = []
        self.tokens: list[str] = []
        # The ids of users that do not follow from their address, and the addresses of tokens that do not hold one.
        self.ids: dict[str, str] = {}
        self.seeded: dict[str, str] = {}
        self.login_status = 200
        self.validation_status = 200
        self.validation_seconds = 0.0
        self.metrics_status = 200
        self.write_status = 200

    def knows(self, population: Population) -> None:
        """Have every user of a population, with a session each."""
        for number in range(population.count):
            self.ids[population.email(number)] = str(population.user_id(number))
            self.seeded[population.token(number)] = population.email(number)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def api_requests(self) -> int:
        return sum(count for path, count in self.asked.items() if path.startswith("/api/"))

    def id_of(self, email: str) -> str:
        return self.ids.get(email, f"id-of-{email}")


class _Handler(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"
    # Head and body leave together: apart, the second would wait for the acknowledgement of the first.
    wbufsize = 65536

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked[self.path] += 1
        if self.path == WRITE:
            self._answer(self.server.write_status, {})
            return
        body = json.loads(content)
        email = body["email"]
        if self.path.endswith("/signup"):
            self.server.emails.append(email)
            self._answer(201, {"id": self.server.id_of(email), "email": email})
        else:
            self.server.logins.append({**body, "tenant": self.headers.get("X-Tenant", "")})
            self._answer(self.server.login_status, {"access_token": f"token-of-{email}"})

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        if self.path == "/metrics":
            self._answer(self.server.metrics_status, METRICS)
        else:
            token = self.headers["Authorization"].removeprefix("Bearer ")
            self.server.tokens.append(token)
            email = self.server.seeded.get(token, token.removeprefix("token-of-"))
            time.sleep(self.server.validation_seconds)
            self._answer(self.server.validation_status, {"user_id": self.server.id_of(email)})

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def environment(**variables: str) -> dict[str, str]:
    """This process's environment with the real k6 on the path; runs last a second unless they say otherwise."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "K6_NO_USAGE_REPORT": "true", "DURATION": "1s", **variables}


def run(suite: Path, *, script: str = "main.js", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run k6 as the gate does."""
    return _run(["k6", "run", "--quiet", str(suite / "k6" / script)], variables)


def k6(suite: Path, **variables: str) -> tuple[int, str, dict[str, Any]]:
    """Run the suite; return the exit code, what it printed, and the summary in the last line of it."""
    result = run(suite, **variables)
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("SUMMARY "))
    assert line == result.stdout.splitlines()[-1]
    return result.returncode, result.stdout, json.loads(line.removeprefix("SUMMARY "))


def script(suite: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script that keeps the results."""
    return _run([str(suite / "run-tests.sh"), *arguments], variables)


def plan(suite: Path, **variables: str) -> dict[str, Any]:
    """Return what k6 says that it would run."""
    command = ["k6", "inspect", "--include-system-env-vars", "--execution-requirements", str(suite / "k6" / "main.js")]
    result = _run(command, {"DURATION": "", **variables})
    assert result.returncode == 0, result.stderr
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def _run(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment(**variables), capture_output=True, text=True, check=False, timeout=60
    )
