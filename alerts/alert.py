"""What an alert is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from dashboards import uids

PERCENT = '{{ $value | printf "%.1f" }} %'
MILLISECONDS = '{{ $value | printf "%.1f" }} ms'


class Severity(StrEnum):
    """Who hears of it: a person at once, a person in working hours, or the dead man's switch."""

    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


@dataclass(frozen=True)
class Alert:
    """One alert.

    `summary` is a format string: `{value}` stands for the figure, where there is more to say than up or down,
    and any other name for the label of that name. `figure` is the Prometheus template that renders the value.
    `dashboard` is the one to look at first. `labels` are added to those that the expression yields. `explained_by`
    names the alerts that make this one a mere consequence: while one of them fires with the same `explained_within`
    labels, this one notifies nobody. `by_smoke`: the smoke run of a release, on cold replicas that do not serve yet,
    can cause it, so it is silenced for as long as that runs.
    """

    name: str
    severity: Severity
    expression: str
    summary: str
    figure: str = '{{ $value | printf "%.0f" }}'
    pending: str = "0s"
    dashboard: str = uids.OVERVIEW
    explained_by: tuple[str, ...] = ()
    explained_within: tuple[str, ...] = ("stack",)
    labels: Mapping[str, str] = field(default_factory=dict)
    by_smoke: bool = False
