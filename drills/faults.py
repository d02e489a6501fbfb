"""The faults. Each can be taken out again by whoever finds it: `clear` needs no memory of what was put in."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from docker.models.containers import Container

from drills.stack import DrillError, Stack
from infra.containers import CPU_PERIOD
from infra.serving import REPLICA
from infra.tiers.application import PROCESSORS
from infra.waiting import until_it_answers

TRIGGER = "janua_drill"
# A fifth of a processor, 10 ms in every 50 (in microseconds): a login needs some 30 ms of one, so wherever in a period
# it begins, two pauses of 40 ms stretch it beyond 50 ms. At 20 ms in every 100 one that begins late meets none.
THROTTLED_PERIOD, THROTTLED_QUOTA = 50_000, 10_000
# Less than the half second within which every replica notices a new generation.
_FLUSH_SECONDS = 0.4
_START_SECONDS = 30
_SLOW = "PERFORM pg_sleep(0.12)"
_FAILS = "RAISE EXCEPTION 'a drill: no session can be stored'"


@contextmanager
def dead(stack: Stack, part: str) -> Iterator[None]:
    """Kill the last container of a part: the engine leaves one alone that it was told to kill."""
    victim = stack.parts(part)[-1]
    victim.kill()
    try:
        yield
    finally:
        victim.start()


@contextmanager
def slow_database(stack: Stack) -> Iterator[None]:
    """Let the database take 120 ms more for each new session, as a lock or a missing index would."""
    with _on_new_session(stack, _SLOW):
        yield


@contextmanager
def failing_logins(stack: Stack) -> Iterator[None]:
    """Let the database refuse new sessions, as after a migration that does not fit: it is up, logins fail."""
    with _on_new_session(stack, _FAILS):
        yield


@contextmanager
def throttled_replicas(stack: Stack) -> Iterator[None]:
    """Give each replica a fifth of a processor: to users, a release that needs several times the CPU per request."""
    replicas = stack.parts(REPLICA)
    try:
        for replica in replicas:
            replica.update(cpu_period=THROTTLED_PERIOD, cpu_quota=THROTTLED_QUOTA)
        yield
    finally:
        for replica in replicas:
            _unthrottle(replica)


@contextmanager
def emptied_caches(stack: Stack) -> Iterator[None]:
    """Empty Redis and make the replicas' own copies worthless, again and again; it ends with this process."""
    ended = Event()
    worker = Thread(target=_empty_until, args=(stack, ended), daemon=True)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


def clear(stack: Stack) -> list[str]:
    """Take out whatever a drill that was killed left in the stack; return what was found."""
    found = [note for container in stack.containers() for note in _heal(container)]
    # A server that was started just now takes a moment.
    until_it_answers(lambda: _sql(stack, "SELECT 1"), (DrillError,), _START_SECONDS)
    left = _sql(stack, f"SELECT count(*) FROM pg_trigger WHERE tgname = '{TRIGGER}'")  # noqa: S608 - made of constants
    if left.strip() != "0":
        _drop_trigger(stack)
        found.append("postgres: trigger dropped")
    return found


def _heal(container: Container) -> list[str]:
    notes = []
    if container.status == "paused":
        container.unpause()
        notes.append(f"{container.name}: went on")
    if container.status in ("exited", "created"):
        container.start()
        notes.append(f"{container.name}: started")
    if container.attrs["HostConfig"]["CpuPeriod"] == THROTTLED_PERIOD:
        _unthrottle(container)
        notes.append(f"{container.name}: has its processors again")
    return notes


def _unthrottle(replica: Container) -> None:
    """Give a replica the processors that it was deployed with."""
    replica.update(cpu_period=CPU_PERIOD, cpu_quota=PROCESSORS * CPU_PERIOD)


@contextmanager
def _on_new_session(stack: Stack, action: str) -> Iterator[None]:
    function = f"CREATE OR REPLACE FUNCTION {TRIGGER}() RETURNS trigger LANGUAGE plpgsql"
    body = f"AS $body$ BEGIN {action}; RETURN NEW; END $body$"
    trigger = f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION {TRIGGER}()"
    try:
        _sql(stack, f"{function} {body}; {trigger}")
        yield
    finally:
        _drop_trigger(stack)


def _drop_trigger(stack: Stack) -> None:
    _sql(stack, f"DROP TRIGGER IF EXISTS {TRIGGER} ON sessions; DROP FUNCTION IF EXISTS {TRIGGER}()")


def _empty_until(stack: Stack, ended: Event) -> None:
    flush = 'REDISCLI_AUTH="$(cat /run/secrets/redis_password)" redis-cli FLUSHALL'
    while not ended.wait(_FLUSH_SECONDS):
        try:
            stack.execute("redis", flush)
            _sql(stack, "UPDATE cache_generation SET value = value + 1")
        except DrillError as error:
            print(f"  not emptied: {error}")


def _sql(stack: Stack, statements: str) -> str:
    """Run statements as the owner of the tables, by the server's own socket."""
    quoted = statements.replace("'", "'\\''")
    return stack.execute("postgres", f"psql -qAt -v ON_ERROR_STOP=1 -U janua -d janua -c '{quoted}'")
