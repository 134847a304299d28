"""Who works with the registry: roles, and the operator that every act names.

domain.md "People and places", [D19]: real-name accounts, several people for what nobody may do
alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What somebody is there for."""

    WINDOW = "window"  # 窗口: applications, cards, loss, PINs; also a bank's counter
    TOWNSHIP = "township"  # 乡镇: first check
    COUNTY = "county"  # 县经办: second check, freezing, ending
    INSPECTOR = "inspector"  # 稽核: looks, changes nothing
    ADMINISTRATOR = "administrator"  # 系统管理员: accounts and upkeep, no cards
    ENCRYPTION = "encryption"  # 密码管理员: keys


@dataclass(frozen=True, slots=True)
class Operator:
    """A person with an account.

    Parameters
    ----------
    operator_id : int
        Number of the account.
    login : str
        What the history calls this person.
    name : str
        Real name 真实姓名; not shown by ``repr``.
    place : str
        Code of the place this person works at, ``''`` for all.
    """

    operator_id: int
    login: str
    name: str = field(repr=False)
    roles: frozenset[Role]
    place: str = ""

    def has(self, *roles: Role) -> bool:
        """Whether this person has one of some roles.

        Examples
        --------
        >>> Operator(1, "li", "李", frozenset({Role.COUNTY})).has(Role.WINDOW, Role.COUNTY)
        True
        """
        return not self.roles.isdisjoint(roles)
