"""`make pin`: takes over what the sources carry now: a digest for every tag, the version of every Debian package.

Digests come from a registry's answer only; where none answers they stay as they are, and it is said so.
"""

import json
import subprocess
import sys

import docker
from docker.errors import DockerException

from infra.images.table import TABLE, base_reference, table


def main() -> int:
    """Rewrite images.json; return 1 if neither source answered."""
    rows = json.loads(TABLE.read_text())
    answered = _pin_digests(rows) + _pin_packages(rows)
    TABLE.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if answered else 1


def _pin_digests(rows: dict[str, dict[str, object]]) -> int:
    client = docker.from_env()
    answered = 0
    for name, image in table().items():
        try:
            rows[name]["digest"] = client.images.get_registry_data(image.registry).id
            answered += 1
        except DockerException as error:
            print(f"{name}: no registry answers for {image.registry}: {error}", file=sys.stderr)
            break
    print(f"{answered} digests resolved")
    return answered


def _pin_packages(rows: dict[str, dict[str, object]]) -> int:
    packages = [package for image in table().values() for package in image.debian or {}]
    script = f"apt-get update -qq && apt-cache policy {' '.join(packages)}"
    command = ["docker", "run", "--rm", base_reference(), "sh", "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        print(f"Debian's archive was not asked (`make setup` builds the base image): {result.stderr.strip()}")
        return 0
    candidates = parse_policy(result.stdout)
    for row in rows.values():
        if row["debian"]:
            row["debian"] = {package: candidates[package] for package in row["debian"]}  # type: ignore[attr-defined]
    print(f"{len(candidates)} package versions taken over")
    return len(candidates)


def parse_policy(text: str) -> dict[str, str]:
    """Return the candidate version of each package in the output of `apt-cache policy`."""
    candidates, package = {}, ""
    for line in text.splitlines():
        if not line.startswith(" "):
            package = line.rstrip(":")
        elif line.strip().startswith("Candidate: "):
            candidates[package] = line.split(": ", 1)[1]
    return candidates


if __name__ == "__main__":
    sys.exit(main())
