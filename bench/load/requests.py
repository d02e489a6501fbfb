"""What is sent: requests with the answer that each must get, and the mixtures of them."""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from loadtest.population.users import Population
from service.tenants.header import DEFAULT_TENANT

VALIDATE, LOGIN, SIGNUP, REFRESH, LOGOUT = "validate", "login", "signup", "refresh", "logout"
API = "/api/v1/auth"


class Request(NamedTuple):
    """The bytes of a request, the status that the right answer has, and what must be in that answer's body."""

    kind: str
    data: bytes
    status: int
    contains: bytes = b""


def validation(token: str, user_id: UUID | None, path: str = f"{API}/validate") -> Request:
    """The validation of a token; only an answer with the user's id is right, if one is given."""
    contains = str(user_id).encode() if user_id else b""
    data = f"GET {path} HTTP/1.1\r\nHost: janua\r\nAuthorization: Bearer {token}\r\n\r\n"
    return Request(VALIDATE, data.encode(), 200, contains)


def login(email: str, password: str, path: str = f"{API}/login", tenant: str = DEFAULT_TENANT) -> Request:
    """A login."""
    data = _post_json(path, {"email": email, "password": password}, tenant)
    return Request(LOGIN, data, 200, b'"access_token"')


class Workload(ABC):
    """An endless sequence of requests, the same each time that it is begun."""

    @abstractmethod
    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""


@dataclass(frozen=True)
class Validations(Workload):
    """Validations of the users `first` to `last` - 1: drawn at random, or one after the other.

    Only the answer with the id of the token's user is right, unless nothing is `checked`.
    """

    population: Population
    first: int
    last: int
    draw: Literal["random", "in turn"] = "random"
    path: str = f"{API}/validate"
    checked: bool = True

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        for number in _numbers(self.first, self.last, self.draw):
            user_id = self.population.user_id(number) if self.checked else None
            yield validation(self.population.token(number), user_id, self.path)


@dataclass(frozen=True)
class Logins(Workload):
    """Logins of the users `first` to `last` - 1, in turn; fastapi-users wants a form instead of JSON."""

    population: Population
    first: int
    last: int
    path: str = f"{API}/login"
    form: bool = False

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        for number in _numbers(self.first, self.last, "in turn"):
            if self.form:
                account = {"username": self.population.email(number), "password": self.population.password}
                yield Request(LOGIN, _post_form(self.path, account), 200, b'"access_token"')
            else:
                population = self.population
                yield login(population.email(number), population.password, self.path, population.tenant(number))


@dataclass(frozen=True)
class Others(Workload):
    """Signups, refreshes and logouts in turn; the last two use sessions up: those of the users from `spare` on.

    `name` keeps the addresses of two sequences' signups apart.
    """

    population: Population
    spare: int
    name: str

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        number = self.spare
        while True:
            account = {
                "email": f"{self.name}-{number}@load.example.com",
                "password": self.population.password,
            }
            yield Request(SIGNUP, _post_json(f"{API}/signup", account), 201)
            body = {"refresh_token": self.population.refresh_token(number)}
            yield Request(REFRESH, _post_json(f"{API}/refresh", body), 200)
            yield Request(LOGOUT, _post(f"{API}/logout", "", b"", self.population.token(number + 1)), 204)
            number += 2


@dataclass(frozen=True)
class Mixed(Workload):
    """95 % validations, 4 % logins, and 1 % signups, refreshes and logouts in equal parts.

    Validations and logins are of users of `first` to `last` - 1, the others from `spare` on.
    """

    population: Population
    first: int
    last: int
    spare: int
    name: str

    def __iter__(self) -> Iterator[Request]:
        """Begin the sequence."""
        dice = random.Random(self.name)  # noqa: S311 - which request comes next is no secret
        validations = iter(Validations(self.population, self.first, self.last))
        logins = iter(Logins(self.population, self.first, self.last))
        others = iter(Others(self.population, self.spare, self.name))
        while True:
            chance = dice.random()
            yield next(validations if chance < 0.95 else logins if chance < 0.99 else others)


def _numbers(first: int, last: int, draw: Literal["random", "in turn"]) -> Iterator[int]:
    if draw == "random":
        dice = random.Random(first)  # noqa: S311 - whose token comes next is no secret
        while True:
            yield dice.randrange(first, last)
    while True:
        yield from range(first, last)


def _post_json(path: str, body: dict[str, str], tenant: str = DEFAULT_TENANT) -> bytes:
    return _post(path, "application/json", json.dumps(body).encode(), tenant=tenant)


def _post_form(path: str, body: dict[str, str]) -> bytes:
    return _post(path, "application/x-www-form-urlencoded", urlencode(body).encode())


def _post(path: str, content_type: str, body: bytes, token: str = "", tenant: str = DEFAULT_TENANT) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: janua", f"Content-Length: {len(body)}"]
    if tenant != DEFAULT_TENANT:
        lines.append(f"X-Tenant: {tenant}")
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode() + body
