"""What differs by place about accounts: data, given by the rule set of the profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from cardkit.errors import UsageError
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.roles import Role

_LONGEST = 128
_APART = (
    "administrator window",
    "administrator township",
    "administrator county",
    "administrator encryption",
    "encryption window",
    "encryption township",
    "encryption county",
    "township county",
    "inspector window",
    "inspector township",
    "inspector county",
    "inspector administrator",
    "inspector encryption",
)


@dataclass(frozen=True, slots=True)
class OperatorRules:
    """Rules about accounts, passwords, sessions and approvals.

    Parameters
    ----------
    password_length : int
        Least number of characters.
    password_kinds : int
        Least number of kinds of them: small letters, capitals, digits, others.
    lock_after : int
        Wrong passwords one after the other that lock an account.
    idle_minutes : int
        After so long without a command a person is signed off.
    approval_hours : int
        After so long an approval that was not used is void.
    apart : tuple of str
        Pairs of roles that nobody has together.
    """

    password_length: int = 10
    password_kinds: int = 2
    lock_after: int = 5
    idle_minutes: int = 15
    approval_hours: int = 24
    apart: tuple[str, ...] = _APART

    def __post_init__(self) -> None:
        """Refuse rules that protect nothing, and roles that do not exist."""
        counts = (self.password_length, self.lock_after, self.idle_minutes, self.approval_hours)
        if min(counts) < 1 or not 1 <= self.password_kinds <= 4:
            raise UsageError("rules of operators: numbers below their least", hint="[operators]")
        known = {role.value for role in Role}
        for pair in self.apart:
            if len(pair.split()) != 2 or not known.issuperset(pair.split()):
                raise UsageError(
                    f"rules of operators: {pair!r} is not a pair of roles",
                    hint=f"roles are {', '.join(sorted(known))}",
                )

    def check_roles(self, roles: Iterable[Role]) -> None:
        """Refuse roles that one person must not have together.

        Raises
        ------
        NotAllowedError
            Names the pair.

        Examples
        --------
        >>> OperatorRules().check_roles([Role.WINDOW])
        """
        held = sorted(set(roles))
        if not held:
            raise UsageError("an account has at least one role", hint=", ".join(Role))
        forbidden = {frozenset(pair.split()) for pair in self.apart}
        for pair in combinations(held, 2):
            if frozenset(role.value for role in pair) in forbidden:
                first, second = pair
                raise NotAllowedError(
                    "roles-apart",
                    f"nobody has the roles {first} and {second} together",
                    hint="give them to two people",
                    zh=f"{first} 与 {second} 两个角色不能由同一人担任：请分给两个人",
                )

    def check_password(self, password: str, login: str) -> None:
        """Refuse a password that is too weak; says what is missing, never the password.

        Examples
        --------
        >>> OperatorRules().check_password("Tea-at-five", "li")
        """
        problem = next(self._weaknesses(password, login), "")
        if problem:
            raise NotAllowedError(
                "weak-password",
                f"this password {problem}",
                hint=f"{self.password_length} characters or more, of {self.password_kinds} kinds",
                zh=f"密码太弱：至少{self.password_length}位，含{self.password_kinds}类字符，"
                "不得含账号名",
            )

    def _weaknesses(self, password: str, login: str) -> Iterator[str]:
        if len(password) < self.password_length:
            yield "is too short"
        if len(password) > _LONGEST:
            yield "is too long"
        if login.casefold() in password.casefold():
            yield "contains the login"
        kinds = {
            "lower" if c.islower() else "upper" if c.isupper() else "digit" if c.isdigit() else "?"
            for c in password
        }
        if len(kinds) < self.password_kinds:
            yield "is of too few kinds of characters"
