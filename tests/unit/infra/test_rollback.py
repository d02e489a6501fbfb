"""Which commit was deployed before."""

import pytest

from infra.operations.rollback import RollbackError, before


def update(head: str, *, dirty: bool = False) -> dict[str, str]:
    return {"git.head": head, "git.dirty": str(dirty).lower()}


@pytest.mark.parametrize(
    ("deployed", "expected"),
    [
        ([update("b"), update("a")], "a"),
        # Repeated updates of one commit are one release.
        ([update("b"), update("b"), update("b"), update("a")], "a"),
        # Changes that are in no commit cannot be deployed again, but can be rolled back from.
        ([update("c"), update("b", dirty=True), update("a")], "a"),
        ([update("b", dirty=True), update("b"), update("a")], "b"),
        # After a rollback the release of before is the one that was rolled back from.
        ([update("a"), update("b"), update("a")], "b"),
        ([update("c"), update("a"), update("b"), update("a")], "a"),
    ],
)
def test_the_release_of_before(deployed: list[dict[str, str]], expected: str) -> None:
    assert before(deployed) == expected


@pytest.mark.parametrize("deployed", [[], [update("a")], [update("a"), update("a")], [update("b"), {}]])
def test_where_there_is_none(deployed: list[dict[str, str]]) -> None:
    with pytest.raises(RollbackError):
        before(deployed)
