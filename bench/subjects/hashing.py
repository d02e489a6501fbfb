"""What a password costs without a service around it: `python -m bench.subjects.hashing SECONDS THREADS HASH LIBRARY`.

Verifies the hash of the benchmark's password again and again, and prints a JSON object: `hashes`, and the
`cpu_seconds` of all threads. LIBRARY is `argon2-cffi`, as most programs have it, or `libsodium`, as the service has it.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from nacl.pwhash import argon2id

from bench.population import PASSWORD

_HASHER = PasswordHasher()
_VERIFY: dict[str, Callable[[str], bool]] = {
    "argon2-cffi": lambda encoded: _HASHER.verify(encoded, PASSWORD),
    "libsodium": lambda encoded: argon2id.verify(encoded.encode(), PASSWORD.encode()),
}


def main(seconds: float, threads: int, encoded: str, library: str) -> None:
    """Keep the threads busy for so long, and print what they did."""
    verify = _VERIFY[library]
    before, ends = time.process_time(), time.monotonic() + seconds

    def verify_until_then(_thread: int) -> int:
        hashes = 0
        while time.monotonic() < ends:
            verify(encoded)
            hashes += 1
        return hashes

    with ThreadPoolExecutor(threads) as pool:
        hashes = sum(pool.map(verify_until_then, range(threads)))
    print(json.dumps({"hashes": hashes, "cpu_seconds": time.process_time() - before}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
