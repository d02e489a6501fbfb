"""Every alert, by what it watches over."""

from alerts import dependencies, objectives, saturation, upkeep
from alerts.alert import Alert
from alerts.targets import Targets


def alerts(targets: Targets) -> list[Alert]:
    """Return every alert, derived from the targets."""
    return [*objectives.alerts(targets), *dependencies.alerts(), *saturation.alerts(), *upkeep.alerts()]
