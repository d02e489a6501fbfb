"""The cases in the form that `promtool test rules` reads."""

from collections.abc import Sequence

import yaml

from alerts.alert import Alert
from alerts.cases import cases
from alerts.cases.case import Case, Firing
from alerts.rule_files import Links, annotations, labels
from alerts.rules import alerts
from alerts.series import Series
from alerts.targets import Targets

# A stack does so with each scrape, but nothing here depends on it, and promtool would take three times as long.
EVALUATED = "15s"


def promtool_files(targets: Targets) -> dict[str, str]:
    """Return the test files, name to text, for a directory beside that of the rules."""
    by_name = {alert.name: alert for alert in alerts(targets)}
    return {f"{case.alert}.yml": _file(by_name[case.alert], case) for case in cases(targets)}


def _file(alert: Alert, case: Case) -> str:
    fires = [(case.fires_on, case.firing), *case.also]
    content = {
        "rule_files": ["../rules/recordings.yml", "../rules/alerts.yml"],
        "evaluation_interval": EVALUATED,
        "tests": [
            *(_test(f"{alert.name} fires", given, case, _expected(alert, firing)) for given, firing in fires),
            *(
                _test(f"{alert.name} keeps silent: {reason}", given, case, [])
                for reason, given in case.silent_on.items()
            ),
        ],
    }
    return yaml.safe_dump(content, sort_keys=False, width=110)


def _expected(alert: Alert, firing: Sequence[Firing]) -> list[dict[str, object]]:
    return [
        {
            "exp_labels": {**labels(alert), **each.labels},
            "exp_annotations": annotations(alert, Links(), each.figure, each.labels),
        }
        for each in firing
    ]


def _test(name: str, given: Series, case: Case, expected: list[dict[str, object]]) -> dict[str, object]:
    return {
        "name": name,
        "interval": case.interval,
        "input_series": [{"series": key, "values": values} for key, values in given.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }
