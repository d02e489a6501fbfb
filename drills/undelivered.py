"""What Alertmanager knows about an alert whose page never came."""

import json
import re
import urllib.request
from urllib.parse import urlencode

from drills.stack import Stack

_TIMEOUT_SECONDS = 5
_TROUBLE = re.compile(r"\blevel=(WARN|ERROR)\b", re.IGNORECASE)


def reasons(stack: Stack, alert: str, since: float) -> list[str]:
    """Return the state of each alert of that name, what silences or inhibits it, and the warnings since (Unix time).

    Raises OSError if Alertmanager does not answer.
    """
    query = urlencode({"filter": f'alertname="{alert}"'})
    address = f"{stack.alertmanager_url}/api/v2/alerts?{query}"
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own stack
        states = [f"{one['labels']}: {one['status']}" for one in json.load(answer)]
    log = stack.parts("alertmanager")[0].logs(since=int(since)).decode()
    return [*(states or [f"it has no alert {alert}"]), *filter(_TROUBLE.search, log.splitlines())]
