"""The cases in the form that `promtool test rules` reads."""

import yaml

from alerts.cases import Case, cases
from alerts.rule_files import Links, annotations, labels
from alerts.rules import Alert, alerts
from alerts.series import INTERVAL, Series
from alerts.targets import Targets


def promtool_files(targets: Targets) -> dict[str, str]:
    """Return the test files, name to text, for a directory beside that of the rules."""
    by_name = {alert.name: alert for alert in alerts(targets)}
    return {f"{case.alert}.yml": _file(by_name[case.alert], case) for case in cases(targets)}


def _file(alert: Alert, case: Case) -> str:
    expected: list[dict[str, object]] = [
        {
            "exp_labels": {**labels(alert), **firing.labels},
            "exp_annotations": annotations(alert, Links(), firing.figure, firing.labels),
        }
        for firing in case.firing
    ]
    content = {
        "rule_files": ["../rules/recordings.yml", "../rules/alerts.yml"],
        "evaluation_interval": INTERVAL,
        "tests": [
            _test(f"{alert.name} fires", case.fires_on, case, expected),
            *(
                _test(f"{alert.name} keeps silent: {reason}", given, case, [])
                for reason, given in case.silent_on.items()
            ),
        ],
    }
    return yaml.safe_dump(content, sort_keys=False, width=110)


def _test(name: str, given: Series, case: Case, expected: list[dict[str, object]]) -> dict[str, object]:
    return {
        "name": name,
        "interval": INTERVAL,
        "input_series": [{"series": key, "values": values} for key, values in given.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }
