"""`make drill NAME=…`: holds one drill, or all; `healthy` loads and demands silence, `clear` takes left-overs out."""

import argparse
import signal
import sys
import time

from docker.errors import DockerException
from pulumi import automation

from alerts import targets
from bench.load.samples import Samples
from drills import faults, receiver
from drills.catalogue import BY_NAME, DRILLS
from drills.drill import PAGE_SECONDS, RESOLVE_SECONDS, Drill, Load
from drills.judgement import judge
from drills.load import prepare, send, sending
from drills.stack import DrillError, Stack
from drills.undelivered import reasons
from drills.watch import GRACE_SECONDS, Watch, prometheus_alerts
from infra.alone import BusyError, alone

# What a drill's load may last at most after its warm-up, should the drill itself hang.
LOAD_SECONDS = PAGE_SECONDS + GRACE_SECONDS + RESOLVE_SECONDS + 60


def hold(stack: Stack, watch: Watch, drill: Drill) -> bool:
    """Hold one drill and print its time line; return whether all went as it must."""
    print(f"{drill.name}: {drill.about}; {drill.alert} must come within {PAGE_SECONDS} s", flush=True)
    try:
        watch.until_quiet()
        with sending(stack, prepare(stack, drill.load), drill.load.warm_up_seconds + LOAD_SECONDS):
            time.sleep(drill.load.warm_up_seconds)
            run = watch.hold(drill, stack)
        undelivered = [] if run.page else reasons(stack, drill.alert, run.fault or time.time())
    except DrillError as error:
        print(f"  NOT HELD: {error}", flush=True)
        return False
    wrong = judge(drill, run) + [f"Alertmanager: {line}" for line in undelivered]
    print(
        "\n".join([*run.lines(), *(f"  WRONG: {line}" for line in wrong)] + ([] if wrong else ["  passed"])), flush=True
    )
    return not wrong


def healthy(stack: Stack, watch: Watch, seconds: float) -> bool:
    """Load the stack as on a good day; return whether it was answered as on one, and nobody was paged."""
    watch.until_quiet()
    print(f"healthy: {seconds:g} s of load, nobody must be paged", flush=True)
    samples = send(stack, prepare(stack, Load()), seconds)
    notices = watch.notices()
    paged = sorted({notice.alert for notice in notices if notice.route == "page"})
    tickets = sorted({notice.alert for notice in notices if notice.route == "ticket"})
    print(f"  pages    {', '.join(paged) or 'none'}\n  tickets  {', '.join(tickets) or 'none'}")
    wrong = not_answered(samples)
    print("\n".join([f"  requests {samples.count()}", *(f"  WRONG: {line}" for line in wrong)]))
    return not paged and not wrong


def not_answered(samples: Samples) -> list[str]:
    """Return why a load says nothing: a stack that pages nobody and answers nobody, or wrongly, is not well."""
    most = targets.load().error_rate_max_percent
    if samples.error_percent() < most:
        return []
    return [f"{samples.not_right()} answers were not right, target below {most} %: {samples.first_not_right}"]


def clear(stack: Stack) -> None:
    """Take out what a killed drill left, and say so."""
    for note in [*receiver.forget(stack), *faults.clear(stack)]:
        print(f"  left over: {note}")


def _held(options: argparse.Namespace) -> bool:
    stack = Stack.running(options.stack)
    with alone(f"drill-{stack.name}"):
        clear(stack)
        if options.name == "clear":
            return True
        try:
            with receiver.receiving(stack) as mailbox:
                watch = Watch(lambda: prometheus_alerts(stack.prometheus_url), mailbox.notices)
                if options.name == "healthy":
                    return healthy(stack, watch, options.seconds)
                drills = DRILLS if options.name == "all" else [BY_NAME[options.name]]
                # Every one is held, whatever became of those before it.
                results = [hold(stack, watch, drill) for drill in drills]
                return all(results)
        finally:
            clear(stack)


def main() -> int:
    """Return 0 if every drill passed, 1 if one did not or could not be held."""
    parser = argparse.ArgumentParser(prog="drills", description=__doc__)
    parser.add_argument("name", choices=[*BY_NAME, "all", "healthy", "clear"])
    parser.add_argument("--stack", default="staging")
    parser.add_argument("--seconds", type=float, default=600, help="how long `healthy` loads")
    options = parser.parse_args()
    # Ended from outside, a drill still takes its fault out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        return 0 if _held(options) else 1
    except BusyError:
        print(f"drill: another one is held on stack {options.stack}", file=sys.stderr)
        return 1
    except (DrillError, automation.StackNotFoundError, DockerException, OSError) as error:
        print(f"drill: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
