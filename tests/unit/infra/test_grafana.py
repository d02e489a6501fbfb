"""A Grafana that others run: what is put there, changed, noticed and taken away, against a small one of our own."""

import json
from collections.abc import Iterator
from typing import Any

import dill  # type: ignore[import-untyped]
import pytest

from infra.grafana.api import Api, GrafanaError
from infra.grafana.resources import GrafanaProvider
from tests.fake_grafana import TOKEN, Things, fake_grafana

PROVIDER = GrafanaProvider()
SOURCE = {"uid": "prometheus", "name": "Prometheus", "type": "prometheus", "url": "http://a", "jsonData": {"x": 1}}


@pytest.fixture
def things(monkeypatch: pytest.MonkeyPatch) -> Iterator[Things]:
    monkeypatch.setenv("no_proxy", "*")
    with fake_grafana() as served:
        yield served


def properties(things: Things, kind: str, content: dict[str, Any], **others: str) -> dict[str, Any]:
    made = {"kind": kind, "uid": content["uid"], "content": json.dumps(content), "url": things.url, "token": TOKEN}
    return {**made, "owner": "staging", "folder": "janua", **others}


def test_a_data_source_is_made_changed_and_removed(things: Things) -> None:
    wanted = properties(things, "datasource", SOURCE)
    made = PROVIDER.create(wanted)
    assert made.id == "datasource/prometheus"
    assert things.sources["prometheus"]["jsonData"] == {"x": 1, "januaStack": "staging"}
    changed = properties(things, "datasource", {**SOURCE, "url": "http://b"})
    assert PROVIDER.diff(made.id, wanted, changed).changes
    PROVIDER.update(made.id, wanted, changed)
    assert things.sources["prometheus"]["url"] == "http://b"
    PROVIDER.delete(made.id, changed)
    assert things.sources == {}
    PROVIDER.delete(made.id, changed)


@pytest.mark.parametrize("marks", [{}, {"januaStack": "production"}])
def test_somebody_else_s_data_source_is_left_alone(things: Things, marks: dict[str, str]) -> None:
    theirs = {**SOURCE, "url": "http://theirs", "jsonData": marks}
    things.sources["prometheus"] = theirs
    with pytest.raises(GrafanaError, match="not this stack's"):
        PROVIDER.create(properties(things, "datasource", SOURCE))
    assert things.sources["prometheus"] == theirs


def test_dashboards_go_into_their_folder_which_goes_last(things: Things) -> None:
    folder = properties(things, "folder", {"uid": "janua", "title": "Janua"})
    board = properties(things, "dashboard", {"uid": "janua-cache", "title": "Janua cache"})
    with pytest.raises(GrafanaError, match="folder not found"):
        PROVIDER.create(board)
    for wanted in (folder, board):
        PROVIDER.create(wanted)
    assert things.dashboards["janua-cache"]["title"] == "Janua cache"
    for wanted in (board, folder):
        PROVIDER.delete("", wanted)
    assert (things.dashboards, things.folders) == ({}, {})


def test_a_folder_in_which_somebody_keeps_something_stays(things: Things) -> None:
    folder = properties(things, "folder", {"uid": "janua", "title": "Janua"})
    PROVIDER.create(folder)
    things.dashboards["somebody's"] = {}
    PROVIDER.delete("", folder)
    assert "janua" in things.folders


def test_what_somebody_removed_is_noticed(things: Things) -> None:
    wanted = properties(things, "datasource", SOURCE)
    PROVIDER.create(wanted)
    assert PROVIDER.read("datasource/prometheus", wanted).id == "datasource/prometheus"
    things.sources.clear()
    assert PROVIDER.read("datasource/prometheus", wanted).id == ""


def test_another_place_is_another_thing_and_nothing_new_is_none(things: Things) -> None:
    wanted = properties(things, "datasource", SOURCE)
    assert not PROVIDER.diff("", wanted, dict(wanted)).changes
    assert PROVIDER.diff("", wanted, {**wanted, "url": "http://elsewhere.test"}).replaces == ["url"]
    assert PROVIDER.diff("", wanted, {**wanted, "token": "a-newer-one"}).replaces == []
    assert PROVIDER.diff("", wanted, {**wanted, "token": "a-newer-one"}).changes


def test_a_refusal_and_a_silence_are_named(things: Things) -> None:
    with pytest.raises(GrafanaError, match="Invalid API key"):
        Api(things.url, "wrong").find("/api/folders/janua")
    with pytest.raises(GrafanaError, match="does not answer"):
        Api("http://127.0.0.1:9", TOKEN).find("/api/folders/janua")


def test_the_state_holds_the_provider_s_name_and_none_of_its_code() -> None:
    """Its code may then change without a change of every resource, and nothing of this machine is written down."""
    written = dill.dumps(PROVIDER)
    assert b"infra.grafana.resources" in written
    assert b"_put" not in written
    assert len(written) < 200
