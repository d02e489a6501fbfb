"""What a password costs without a service around it: `python -m bench.subjects.hashing SECONDS THREADS HASH`.

Verifies the hash of the benchmark's password again and again, and prints a JSON object: `hashes`, and the
`cpu_seconds` of all threads.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from bench.population import PASSWORD


def _verify_until(ends: float, encoded: str) -> int:
    hasher, hashes = PasswordHasher(), 0
    while time.monotonic() < ends:
        hasher.verify(encoded, PASSWORD)
        hashes += 1
    return hashes


def main(seconds: float, threads: int, encoded: str) -> None:
    """Keep the threads busy for so long, and print what they did."""
    before, ends = time.process_time(), time.monotonic() + seconds
    with ThreadPoolExecutor(threads) as pool:
        hashes = sum(pool.map(_verify_until, [ends] * threads, [encoded] * threads))
    print(json.dumps({"hashes": hashes, "cpu_seconds": time.process_time() - before}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
