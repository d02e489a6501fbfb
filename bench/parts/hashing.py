"""What this machine can hash, which bounds what else it can do."""

import json
import os

from bench.measuring import Bench

CPUS = len(os.sched_getaffinity(0))
USUAL, OWN = "argon2-cffi", "libsodium"
"""What most programs verify passwords with, and what the service does."""
# The share of the machine that hashing may take where latency is measured: a queue in front of the processors is
# not what that is to show.
_SHARE = 0.35


def hash_ms(bench: Bench, library: str = USUAL) -> float:
    """CPU milliseconds of one hash with as many threads as there are processors, measured now."""
    answer = json.loads(bench.programs.hashing(bench.plan.round_seconds, CPUS, library))
    return 1000 * float(answer["cpu_seconds"]) / float(answer["hashes"])


def hashes_per_second(milliseconds: float) -> float:
    """How many hashes of that cost may be asked for in a second."""
    return _SHARE * CPUS / (milliseconds / 1000)
