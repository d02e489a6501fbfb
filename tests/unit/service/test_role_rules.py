"""Who may give which role to whom, over whatever hypothesis thinks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.problems import ProblemError
from service.roles.rules import (
    Catalogue,
    RoleChange,
    grants_of,
    permissions_of,
    require_known,
    require_permitted,
    require_within,
)

permission_sets = st.frozensets(st.sampled_from("abcd"))
catalogues = st.fixed_dictionaries(dict.fromkeys(("one", "two", "three"), permission_sets))
role_sets = st.frozensets(st.sampled_from(("one", "two", "three")))


def verdict(change: RoleChange, catalogue: Catalogue, own: frozenset[str], *, of_oneself: bool) -> str | None:
    """The slug of the problem, or None."""
    try:
        require_permitted(change, catalogue, own, of_oneself=of_oneself)
    except ProblemError as error:
        return error.slug
    return None


@given(role_sets, role_sets)
def test_a_change_leads_from_one_set_to_the_other(held: frozenset[str], wanted: frozenset[str]) -> None:
    change = RoleChange.between(held, [*wanted, *wanted])
    assert held - change.removed | change.added == wanted
    assert change.removed <= held
    assert change.added.isdisjoint(held)
    assert bool(change) is (held != wanted)


@given(catalogues, role_sets, role_sets, permission_sets)
def test_nobody_touches_a_permission_that_they_lack(
    catalogue: Catalogue, held: frozenset[str], wanted: frozenset[str], own: frozenset[str]
) -> None:
    said = verdict(RoleChange.between(held, wanted), catalogue, own, of_oneself=False)
    touched = {permission for role in held ^ wanted for permission in catalogue[role]}
    assert said == (None if touched <= own else "exceeds-own-permissions")


@given(catalogues, role_sets, role_sets, permission_sets)
def test_nobody_can_raise_themselves_or_take_from_themselves(
    catalogue: Catalogue, held: frozenset[str], wanted: frozenset[str], own: frozenset[str]
) -> None:
    said = verdict(RoleChange.between(held, wanted), catalogue, own, of_oneself=True)
    if said is None:
        assert held <= wanted
        assert permissions_of(wanted - held, catalogue) <= own
    else:
        assert said in {"exceeds-own-permissions", "own-roles"}


def test_every_role_that_is_unknown_is_named_once() -> None:
    catalogue: Catalogue = {"one": frozenset()}
    require_known(["one", "one"], catalogue)
    with pytest.raises(ProblemError) as raised:
        require_known(["two", "one", "three", "two"], catalogue)
    assert raised.value.status_code == 404
    assert raised.value.members == {"roles": ["three", "two"]}


def test_grants_are_sorted_and_each_there_once() -> None:
    catalogue: Catalogue = {"two": frozenset("ca"), "one": frozenset("ab"), "three": frozenset("z")}
    grants = grants_of(["two", "one", "two"], catalogue)
    assert (grants.roles, grants.permissions) == (["one", "two"], ["a", "b", "c"])
    assert grants_of([], catalogue).permissions == []


def test_whoever_has_no_permissions_is_in_anybody_s_reach() -> None:
    require_within(frozenset(), [])
    require_within(frozenset("ab"), ["a"])
    with pytest.raises(ProblemError, match="beyond their own"):
        require_within(frozenset("ab"), ["a", "c"])
