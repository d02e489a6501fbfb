"""What a password costs without a service around it.

`python -m bench.subjects.hashing SECONDS THREADS LIBRARY HASH FILE` verifies the hash of the password in a file again
and again, and prints a JSON object: `hashes`, and the `cpu_seconds` of all threads. LIBRARY is `argon2-cffi`, as most
programs have it, or `libsodium`, as the service has it.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher
from nacl.pwhash import argon2id

_HASHER = PasswordHasher()
_VERIFY: dict[str, Callable[[str, str], bool]] = {
    "argon2-cffi": _HASHER.verify,
    "libsodium": lambda encoded, password: argon2id.verify(encoded.encode(), password.encode()),
}


def main(seconds: float, threads: int, library: str, encoded: str, file: str) -> None:
    """Keep the threads busy for so long, and print what they did."""
    verify = _VERIFY[library]
    password = Path(file).read_text()
    before, ends = time.process_time(), time.monotonic() + seconds

    def verify_until_then(_thread: int) -> int:
        hashes = 0
        while time.monotonic() < ends:
            verify(encoded, password)
            hashes += 1
        return hashes

    with ThreadPoolExecutor(threads) as pool:
        hashes = sum(pool.map(verify_until_then, range(threads)))
    print(json.dumps({"hashes": hashes, "cpu_seconds": time.process_time() - before}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
