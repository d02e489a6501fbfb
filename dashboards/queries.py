"""What a dashboard asks Prometheus: every expression in its JSON, by where it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ALL_VALUES = {"route": "/api/v1/.*", "tenant": ".*"}
"""The variables of dashboards, and what each stands for as long as nobody has chosen."""


@dataclass(frozen=True)
class Expression:
    """PromQL with Grafana's variables in it, and the panel (or annotation) that asks it."""

    board: str
    panel: str
    promql: str

    @property
    def place(self) -> str:
        """Return where it stands, for people."""
        return f"{self.board} / {self.panel}"

    def filled(self, window: str = "1m") -> str:
        """Return it as Grafana would ask it, with nothing chosen."""
        return self.unchosen().replace("$__rate_interval", window)

    def unchosen(self) -> str:
        """Return it with all values of every variable, the window left to Grafana."""
        text = self.promql
        for name, value in ALL_VALUES.items():
            text = text.replace(f"${name}", value)
        return text


def panel_expressions(board: Mapping[str, Any]) -> Iterator[tuple[Expression, dict[str, Any]]]:
    """Yield the expression of every panel's query in a dashboard's JSON, and the query."""
    for panel in board["panels"]:
        for query in panel.get("targets", []):
            yield Expression(board["title"], panel["title"], query["expr"]), query


def expressions(board: Mapping[str, Any]) -> Iterator[Expression]:
    """Yield every expression of a dashboard's JSON."""
    for expression, _ in panel_expressions(board):
        yield expression
    for annotation in board["annotations"]["list"]:
        yield Expression(board["title"], f"annotation {annotation['name']}", annotation["expr"])
