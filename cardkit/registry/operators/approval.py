"""One request for a second person, what it is bound to, and who must be two people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.roles import Operator


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a second person, and what became of it.

    Parameters
    ----------
    digest : str
        SHA-256 of action and subjects, hex.
    subjects : int
        How many; `subject` is the number of the only one, or ``''``.
    state : str
        ``asked``, ``granted``, ``refused`` or ``used``.
    """

    number: int
    action: str
    digest: str
    subjects: int
    subject: str
    state: str
    reason: str
    asked_by: str
    asked_at: str
    decided_by: str
    decided_at: str
    used_at: str
    lapses_at: str

    def as_json(self) -> dict[str, object]:
        """The approval for programs."""
        return {name: getattr(self, name) for name in self.__slots__}


def digest_of(action: str, subjects: Iterable[int]) -> str:
    """What an approval is bound to.

    Examples
    --------
    >>> digest_of("freeze", [2, 1]) == digest_of("freeze", [1, 2])
    True
    """
    return sha256(f"{action}\n{','.join(map(str, sorted(subjects)))}".encode()).hexdigest()


def check_apart(carrier: Operator, machinist: Operator) -> None:
    """Whoever carries the cards does not carry the machine (卡机分离).

    Raises
    ------
    NotAllowedError
        It is one person.
    """
    if carrier.login == machinist.login:
        raise NotAllowedError(
            "same-person",
            "whoever carries the cards must not carry the machine",
            hint="name two people",
            zh="卡机分离：携带卡片的人不得携带机具，请指定两个人",
        )
