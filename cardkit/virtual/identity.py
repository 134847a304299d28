"""A virtual identity system 身份核查系统: knows the people of a file, or everybody by default.

For development and tests. Its people are synthetic; what it says follows from the file alone, so a
test says exactly what it wants to hear. The file is CSV in UTF-8 with the headings
``citizen_number``, ``name`` and optionally ``status`` (``dead``, ``cancelled``, ``photo_differs``).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.errors import UsageError
from cardkit.registry.intake.identity import Asked, IdentityUnavailableError, Verdict

_STATUS = {
    "": Verdict.MATCH,
    "dead": Verdict.DEAD,
    "cancelled": Verdict.NUMBER_CANCELLED,
    "photo_differs": Verdict.PHOTO_DIFFERS,
}


@dataclass(slots=True)
class VirtualIdentitySystem:
    """An outside system in this process.

    Parameters
    ----------
    people : mapping
        Citizen number → (name, verdict when the name is right). Empty: every number that can be
        one belongs to whoever says so.
    offline : bool
        Do not answer at all.
    answers : int or None
        Stop answering after so many people: a line that breaks in the middle.
    short : bool
        Answer with one verdict too few.
    """

    people: dict[str, tuple[str, Verdict]] = field(default_factory=dict, repr=False)
    offline: bool = False
    answers: int | None = None
    short: bool = False
    name: str = "virtual"
    asked: int = field(default=0, init=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """A system that knows the people of a file.

        Raises
        ------
        UsageError
            The file cannot be read, or a line says something unknown.
        """
        people: dict[str, tuple[str, Verdict]] = {}
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for line, row in enumerate(csv.DictReader(file), 2):
                    status = (row.get("status") or "").strip()
                    if status not in _STATUS or not row.get("citizen_number"):
                        raise UsageError(
                            f"{path.name} line {line}: number or status cannot be",
                            hint=f"status is one of {', '.join(filter(None, _STATUS))} or empty",
                        )
                    number = row["citizen_number"].strip().upper()
                    people[number] = ((row.get("name") or "").strip(), _STATUS[status])
        except (OSError, UnicodeDecodeError, csv.Error):
            raise UsageError(
                f"{path.name} cannot be read as CSV in UTF-8", hint="see docs/intake.md"
            ) from None
        return cls(people)

    def check_many(self, people: Sequence[Asked]) -> Sequence[Verdict]:
        """See `cardkit.registry.intake.identity.IdentityCheck`."""
        if self.offline:
            raise IdentityUnavailableError(self.name, "offline")
        if self.answers is not None and self.asked + len(people) > self.answers:
            raise IdentityUnavailableError(self.name, "connection lost")
        self.asked += len(people)
        verdicts = [self._verdict(person) for person in people]
        return verdicts[:-1] if self.short else verdicts

    def _verdict(self, person: Asked) -> Verdict:
        if not self.people:
            return Verdict.MATCH if _possible(person.citizen_number) else Verdict.NUMBER_UNKNOWN
        known = self.people.get(person.citizen_number)
        if known is None:
            return Verdict.NUMBER_UNKNOWN
        name, verdict = known
        return verdict if name == person.name else Verdict.NAME_DIFFERS


def _possible(number: str) -> bool:
    try:
        parse_citizen_number(number)
    except NumberError:
        return False
    return True
