"""How far somebody's work reaches: a township's people act on the people of their township.

Which roles are bound to their place is a setting of the rules (``bound_to_place``). Whoever may do
an act by another role too is not bound.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from cardkit.registry.books import Books
from cardkit.registry.lifecycle.errors import NotAllowedError
from cardkit.registry.lifecycle.many import among, chunks
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.places.fund import within
from cardkit.registry.schema.places import places, residence

_EVERYWHERE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one person's work reaches.

    Parameters
    ----------
    free : frozenset of Role
        The person's roles that are bound to no place.
    bound : bool
        Whether there are others that are.
    inside : frozenset of int
        Numbers of the person's place and of those below it.
    """

    free: frozenset[Role]
    bound: bool
    inside: frozenset[int] = _EVERYWHERE

    def everywhere(self, roles: Collection[Role]) -> bool:
        """Whether the person does what these roles do wherever somebody belongs."""
        return not self.bound or not self.free.isdisjoint(roles)

    def outside(
        self, connection: Connection, roles: Collection[Role], person_ids: Sequence[int]
    ) -> frozenset[int]:
        """Those of some people whom this person's work does not reach."""
        if self.everywhere(roles):
            return frozenset()
        near: set[int] = set()
        for some in chunks(person_ids):
            query = select(residence.c.person).where(
                among(residence.c.person, some),
                residence.c.until == "",
                among(residence.c.place, list(self.inside)),
            )
            near.update(connection.execute(query).scalars())
        return frozenset(person_ids) - near

    def reaches_address(
        self, connection: Connection, roles: Collection[Role], address: str
    ) -> bool:
        """The same for somebody who is not in the books yet: by the longest prefix that fits."""
        if self.everywhere(roles):
            return True
        rows = connection.execute(select(places.c.address_prefix, places.c.id)).all()
        fitting = [(len(row[0]), row[1]) for row in rows if row[0] and address.startswith(row[0])]
        return bool(fitting) and max(fitting)[1] in self.inside


def reach_of(connection: Connection, rules: RuleSet, operator: Operator) -> Reach:
    """How far the work of a person reaches.

    Raises
    ------
    NotAllowedError
        The person works by a bound role only, and has no place where the rules want one, or one
        that the registry does not know.
    """
    settings: Mapping[str, object] = rules.settings
    bound = frozenset(map(Role, rules.settings["bound_to_place"]))
    free = operator.roles - bound
    if free == operator.roles:
        return Reach(free, bound=False)
    if not operator.place and not settings["place_needed"]:
        return Reach(free, bound=False)
    number = connection.execute(select(places.c.id).where(places.c.code == operator.place)).scalar()
    if number is None and not free:
        raise NotAllowedError(
            "place",
            "your account has no place that the registry knows",
            hint="an administrator gives it one: cardkit operator place LOGIN CODE",
            zh="您的账号没有登记有效的工作地点：请系统管理员用 cardkit operator place 设置",
        )
    inside = frozenset() if number is None else frozenset(within(connection, number))
    return Reach(free, bound=True, inside=inside)


def elsewhere() -> NotAllowedError:
    """Why an act on somebody of another place is refused."""
    return NotAllowedError(
        "place",
        "this person belongs to another place than yours",
        hint="let their place do it, or the county",
        zh="该人员不属于您的辖区：请由其所属乡镇或县经办办理",
    )


def outside(
    books: Books,
    rules: RuleSet,
    operator: Operator,
    roles: Collection[Role],
    persons: Sequence[int],
) -> frozenset[int]:
    """Those of some people whom a person's work in these roles does not reach.

    Raises
    ------
    NotAllowedError
        See `reach_of`.
    """
    with books.store.reading() as connection:
        return reach_of(connection, rules, operator).outside(connection, roles, persons)
