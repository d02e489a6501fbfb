"""The users of a population in k6: they are those of Python, and what they hold goes to the service only."""

import json
from pathlib import Path

import pytest

from loadtest.population.users import Population
from tests.unit.loadtest.k6_suite import CANNOT_BEGIN, THRESHOLDS_FAILED, Service, k6, run, script

POPULATION = Population("a seed, by which nobody is called", 1_000_000, tenants=20)
NUMBERS = [0, 1, 19, 20, 4095, 65_536, 999_999]
PRINT = """
import {{ population }} from './lib/population.js';
export default function () {{}}
export function handleSummary() {{
  return {{ stdout: JSON.stringify({numbers}.map((n) => population.user(n))) }};
}}
"""


def variables(population: Population) -> dict[str, str]:
    return {
        "POPULATION_SEED": population.seed,
        "POPULATION_COUNT": str(population.count),
        "POPULATION_TENANTS": str(population.tenants),
    }


def test_k6_and_python_agree_about_every_user(suite: Path) -> None:
    (suite / "k6" / "print.js").write_text(PRINT.format(numbers=NUMBERS))
    result = run(suite, script="print.js", **variables(POPULATION))
    assert json.loads(result.stdout) == [
        {
            "id": str(POPULATION.user_id(n)),
            "email": POPULATION.email(n),
            "password": POPULATION.password,
            "tenant": POPULATION.tenant(n),
            "token": POPULATION.token(n),
        }
        for n in NUMBERS
    ]


def test_seeded_users_log_in_and_are_validated_beside_fresh_ones(suite: Path, replicas: list[Service]) -> None:
    service, population = replicas[0], Population("seed", 50, tenants=3)
    service.knows(population)
    code, output, summary = k6(suite, BASE_URL=service.url, **variables(population))
    assert (code, summary["error_rate"], summary["seeded_users"]) == (0, 0, 50)
    assert "50 seeded users" in output
    logins = {login["email"]: login for login in service.logins}
    # Ten for the one virtual user, who come back.
    users = {population.email(n): n for n in range(10)}
    assert logins.keys() <= users.keys()
    assert all(login["tenant"] == population.tenant(users[email]) for email, login in logins.items())
    assert {login["password"] for login in logins.values()} == {population.password}
    fresh = [token for token in service.tokens if token in {f"token-of-{email}" for email in logins}]
    seeded = [token for token in service.tokens if token in service.seeded]
    assert len(fresh) + len(seeded) == len(service.tokens)
    assert abs(len(fresh) - len(seeded)) <= 1
    assert len(set(seeded)) > 1
    assert len(service.emails) == summary["iterations"]


def test_an_answer_about_somebody_else_is_an_error(suite: Path, replicas: list[Service]) -> None:
    population = Population("seed", 50)
    replicas[0].knows(population)
    replicas[0].ids.clear()
    code, _, summary = k6(suite, BASE_URL=replicas[0].url, **variables(population))
    assert (code, summary["thresholds_failed"]) == (THRESHOLDS_FAILED, ["errors rate<0.01"])


def test_what_follows_from_the_seed_stays_out_of_the_results(suite: Path, replicas: list[Service]) -> None:
    service, population = replicas[0], Population("seed-that-nobody-reads", 5)
    service.knows(population)
    settings = {**variables(population), "BASE_URL": service.url, "K6_WEB_DASHBOARD_PERIOD": "50ms"}
    result = script(suite, "smoke", **settings)
    (folder,) = (suite / "results").iterdir()
    texts = {file.name: file.read_text() for file in folder.iterdir()}
    assert texts.keys() == {"results.json", "summary.json", "k6.html"}
    secrets = [population.seed, population.password, *service.seeded]
    told = "".join([*texts.values(), result.stdout, result.stderr])
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"POPULATION_SEED": ""}, "go together: not set: POPULATION_SEED"),
        ({"POPULATION_TENANTS": ""}, "go together: not set: POPULATION_TENANTS"),
        ({"POPULATION_COUNT": "0"}, "POPULATION_COUNT is a whole number from 1 to 10000000"),
        ({"POPULATION_COUNT": "1.5"}, "POPULATION_COUNT is a whole number from 1 to 10000000"),
        ({"POPULATION_TENANTS": "none"}, "POPULATION_TENANTS is a whole number from 1 to 1000000"),
    ],
)
def test_half_a_population_is_refused(suite: Path, changes: dict[str, str], said: str) -> None:
    result = run(suite, **{**variables(POPULATION), **changes})
    assert result.returncode == CANNOT_BEGIN
    assert said in result.stderr
    assert POPULATION.seed not in result.stderr
