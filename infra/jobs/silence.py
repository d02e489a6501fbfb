"""Silences what the smoke run of a release can cause, for as long as its requests count.

Those go to replicas that do not serve yet, with cold caches, on a machine that is busy deploying: the gate judges them,
nobody has to get up. Everything else pages as ever, and the silences end by themselves, whatever becomes of the
release.

Environment: ALERTMANAGER_URL, STACK, RELEASE, and SILENCES, a JSON list of `{"alerts": [names], "seconds": number}`.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from urllib.request import Request, urlopen

TIMEOUT_SECONDS = 10


def silence(alerts: list[str], stack: str, release: str, begins: datetime, seconds: float) -> dict[str, object]:
    """Return the silence of some alerts of a stack, as Alertmanager's API takes it."""
    return {
        "matchers": [
            {"name": "alertname", "value": "|".join(alerts), "isRegex": True, "isEqual": True},
            {"name": "stack", "value": stack, "isRegex": False, "isEqual": True},
        ],
        "startsAt": begins.isoformat(),
        "endsAt": (begins + timedelta(seconds=seconds)).isoformat(),
        "createdBy": "janua",
        "comment": f"smoke run of release {release}",
    }


def post(url: str, body: dict[str, object]) -> str:
    """Give a silence to the Alertmanager at `url`; return its identifier. Raises OSError, ValueError, HTTPException."""
    request = Request(  # noqa: S310 - the address is the stack's own
        f"{url}/api/v2/silences", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        return str(json.load(response)["silenceID"])


def main() -> int:
    """Post the silences. A page too many is no reason not to deploy: whatever fails is told, and the update goes on."""
    url, stack, release = (os.environ[name] for name in ("ALERTMANAGER_URL", "STACK", "RELEASE"))
    for wanted in json.loads(os.environ["SILENCES"]):
        body = silence(wanted["alerts"], stack, release, datetime.now(UTC), wanted["seconds"])
        try:
            print(f"silence {post(url, body)}: {', '.join(wanted['alerts'])} for {wanted['seconds']} s")
        except (OSError, ValueError, HTTPException) as error:
            print(f"WARNING: nothing is silenced, the smoke run may page: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
