"""Who may give which role to whom."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service import problems
from service.users.models import Grants

Catalogue = Mapping[str, frozenset[str]]
"""The permissions of roles, by the role's name."""


@dataclass(frozen=True, slots=True)
class RoleChange:
    """The roles that a user gets and loses."""

    added: frozenset[str]
    removed: frozenset[str]

    @classmethod
    def between(cls, held: Iterable[str], wanted: Iterable[str]) -> "RoleChange":
        """What leads from the roles that a user has to those that it shall have."""
        before, after = frozenset(held), frozenset(wanted)
        return cls(added=after - before, removed=before - after)

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.removed)


def require_permitted(change: RoleChange, catalogue: Catalogue, own: frozenset[str], *, of_oneself: bool) -> None:
    """The rule for a change by somebody with the permissions `own`. Problems: 403, 409.

    Whoever could give a role beyond their own permissions would have them all in two steps, and whoever could take
    one away could lock out those above. Nobody takes a role from themselves, so that a tenant keeps the last one
    who can give roles.
    """
    require_within(own, permissions_of(change.added | change.removed, catalogue))
    if of_oneself and change.removed:
        raise problems.own_roles()


def require_within(own: frozenset[str], touched: Iterable[str]) -> None:
    """Nobody touches permissions that they lack. Problems: 403."""
    if not own.issuperset(touched):
        raise problems.exceeds_own_permissions()


def require_known(wanted: Iterable[str], catalogue: Catalogue) -> None:
    """There are such roles. Problems: 404, which names those that there are not."""
    unknown = sorted(set(wanted) - catalogue.keys())
    if unknown:
        raise problems.unknown_roles(unknown)


def permissions_of(roles: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """What follows from roles all together."""
    return frozenset().union(*(catalogue[role] for role in roles))


def grants_of(roles: Iterable[str], catalogue: Catalogue) -> Grants:
    """Roles and what follows from them, as a user has them."""
    return Grants(roles=sorted(set(roles)), permissions=sorted(permissions_of(roles, catalogue)))
