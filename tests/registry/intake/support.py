"""A registry with people who work, and applications that may be handed in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cardkit.profile import load as load_profile
from cardkit.profile.schema import Intake, Photo
from cardkit.registry.intake.applications import Applications
from cardkit.registry.intake.identity import Identities
from cardkit.registry.intake.photo import Prepared, check_photo
from cardkit.registry.intake.photos import Photos
from cardkit.registry.lifecycle import Appearance, Appears, Lifecycle, Request, load
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.people import Applicant
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.virtual.identity import VirtualIdentitySystem
from tests.registry.intake import portraits
from tests.registry.support import NUMBERING, SetClock, applicant

TODAY = dt.date(2012, 5, 1)
RULES = Photo()
AT_THE_WINDOW = Appearance(Appears.HOLDER, frozenset({"id"}))
PASSWORD = "Tea-at-five-1"


@cache
def prepared(who: int = 0) -> Prepared:
    """A photo that was taken."""
    found = check_photo(portraits.good(who), RULES).prepared
    assert found is not None
    return found


def person(index: int, **changes: str) -> Applicant:
    return applicant(index, **{"card_kind": "adult", **changes})


@dataclass
class Window:
    """Everything an application goes through."""

    registry: Registry
    rules: Intake = field(default_factory=Intake)
    crew: dict[str, Operator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lifecycle = Lifecycle(self.registry.books, load(load_profile("test")))
        operators = Operators(self.registry.books, cost=Cost(passes=1, lanes=1, kibibytes=64))
        root = operators.init("root", "管理员", PASSWORD)
        for login, role in (
            ("zhao", Role.WINDOW), ("ma", Role.TOWNSHIP), ("li", Role.COUNTY),
            ("sun", Role.INSPECTOR),
        ):  # fmt: skip
            self.crew[login] = operators.add(login, f"测试{login}", [role], PASSWORD, by=root)
        self.photos = Photos(self.registry.books)
        self.identities = Identities(self.registry.books)
        self.system = VirtualIdentitySystem()

    def room(self, login: str) -> Applications:
        return Applications(
            self.registry.books.by(login),
            self.lifecycle,
            self.rules,
            kinds=self.lifecycle.rules.kinds,
        )

    def request(self, action: str, login: str, **more: object) -> Request:
        appearance = AT_THE_WINDOW if action in ("apply", "withdraw") else Appearance()
        values: dict[str, object] = {"appearance": appearance, **more}
        return Request(action, 0, self.crew[login], **values)  # type: ignore[arg-type]

    def apply(self, who: Applicant, photo: Prepared | None = None, login: str = "zhao") -> int:
        request = self.request("apply", login)
        return self.room(login).apply(who, request, today=TODAY, photo=photo).number

    def check(self, number: int) -> None:
        self.room("ma").check(number, self.request("check", "ma"))

    def confirm(self, number: int, login: str = "li") -> int:
        request = self.request("confirm", login)
        return self.room(login).confirm(number, request, NUMBERING)[1]

    def made(self, index: int) -> int:
        """The card record of an application that went all the way."""
        number = self.apply(person(index), prepared(index))
        self.identities.check(number, self.system)
        self.check(number)
        return self.confirm(number)


def open_window(place: Path | str, rules: Intake | None = None) -> Window:
    url = place if isinstance(place, str) else sqlite_url(place)
    registry = Registry.open(url, clock=SetClock(), actor="window 1")
    return Window(registry, rules or Intake())
