"""Whether a drill went as it must."""

import json
from pathlib import Path

from drills.drill import PAGE_SECONDS, RESOLVE_SECONDS, Drill, Notice, Run
from infra.config import ROOT

DASHBOARDS = ROOT / "dashboards" / "json"


def judge(drill: Drill, run: Run, root: Path = ROOT) -> list[str]:
    """Return all that is wrong; nothing if the page was in time, right and resolved."""
    if run.page is None or run.fault is None:
        return [f"no {drill.alert} arrived within {PAGE_SECONDS} s"]
    after = run.page.at - run.fault
    wrong = [f"the page came after {after:.1f} s, limit {PAGE_SECONDS} s"] if after > PAGE_SECONDS else []
    wrong += _severity(drill, run.page) + _runbook(drill, run.page, root) + _dashboard(run.page)
    if run.resolved is None:
        wrong.append(f"no resolve arrived within {RESOLVE_SECONDS} s of the fault's removal")
    return wrong


def _severity(drill: Drill, page: Notice) -> list[str]:
    wanted, label = drill.severity.value, page.labels.get("severity")
    wrong = [] if label == wanted else [f"the severity is {label}, not {wanted}"]
    return wrong if page.route == wanted else [*wrong, f"it went to the receiver {page.route}, not {wanted}"]


def _runbook(drill: Drill, page: Notice, root: Path) -> list[str]:
    """See that the link leads to the alert's own runbook, and that there is one."""
    link = page.annotations.get("runbook_url", "")
    if not link.endswith(f"/{drill.alert}.md"):
        return [f"the runbook link is {link or 'missing'}"]
    file = root / "alerts" / "runbooks" / f"{drill.alert}.md"
    return [] if file.is_file() else [f"the runbook {file.name} does not exist"]


def _dashboard(page: Notice) -> list[str]:
    link = page.annotations.get("dashboard_url", "")
    known = {str(json.loads(file.read_text())["uid"]) for file in DASHBOARDS.glob("*.json")}
    return [] if link.rpartition("/d/")[2] in known else [f"the dashboard link is {link or 'missing'}"]
