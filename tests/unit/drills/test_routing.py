"""The drill's receiver hears what people hear, and leaves no trace in Alertmanager's configuration."""

import yaml

from alerts import targets
from alerts.alertmanager import Receivers, alertmanager_yaml
from alerts.rules import alerts
from drills.routing import with_drill, without_drill

ORIGINAL = alertmanager_yaml(Receivers(webhook_url="http://127.0.0.1:9/alerts"), alerts(targets.load()))
DRILLED = with_drill(ORIGINAL, "http://mailbox:8000")


def test_pages_and_tickets_come_to_the_drill_with_the_same_timing_and_go_on_to_people() -> None:
    routes = yaml.safe_load(DRILLED)["route"]["routes"]
    for name in ("page", "ticket"):
        (people,) = (route for route in routes if route["receiver"] == name)
        (drill,) = (route for route in routes if route["receiver"] == f"drill-{name}")
        assert drill == {**people, "receiver": f"drill-{name}", "continue": True}
        assert routes.index(drill) < routes.index(people)


def test_the_receivers_tell_by_their_address_which_route_it_was_and_tell_of_resolves() -> None:
    receivers = {one["name"]: one for one in yaml.safe_load(DRILLED)["receivers"]}
    (webhook,) = receivers["drill-page"]["webhook_configs"]
    assert webhook == {"url": "http://mailbox:8000/page", "send_resolved": True}


def test_taken_out_again_the_file_is_what_it_was() -> None:
    assert without_drill(DRILLED) == ORIGINAL
    assert without_drill(ORIGINAL) == ORIGINAL
    assert with_drill(DRILLED, "http://mailbox:8000") == DRILLED
