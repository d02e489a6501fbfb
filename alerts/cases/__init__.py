"""For each alert a case in which it fires and one in which it keeps silent."""

from alerts.cases import dependencies, objectives, saturation, upkeep
from alerts.cases.case import Case
from alerts.targets import Targets


def cases(targets: Targets) -> list[Case]:
    """Return one case per alert."""
    return [*objectives.cases(targets), *dependencies.cases(), *saturation.cases(), *upkeep.cases()]
