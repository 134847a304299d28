"""The county that the story is about: places, people who do not exist, and what is true of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cardkit.codec.nations import NATIONS
from cardkit.issuance.roster.columns import BY_FIELD
from cardkit.issuance.roster.sample.people import people
from cardkit.issuance.roster.table import SourceFormat
from cardkit.issuance.roster.writing import write_records
from cardkit.registry.places import PlaceRow

TOWNSHIPS = 14
EMPLOYERS = 5
COUNTY, STORE, FACTORY, WINDOW = "C", "K1", "F1", "W1"

_TOWNS = (
    "青禾", "柳湾", "石桥", "河西", "南坪", "云岭", "双泉", "红土", "东风", "北塘", "新集", "三岔",
    "白杨", "金沟",
)  # fmt: skip
_COLUMNS = (
    "insurance_number", "name", "citizen_number", "address", "phone", "nation", "card_kind",
)  # fmt: skip
_KINDS = {"adult": "成人", "child": "儿童"}
_FORMAT = SourceFormat("gb18030", ",", "\r\n")

MISSPELT = 0.003  # names the bank's check finds wrong
MISTYPED = 0.001  # citizen numbers a wrong digit of which is seen at once
TWICE = 0.0005  # people two files name
IN_TOWN = 0.02  # people of a township who live in no village
EMPLOYED = 0.01


@dataclass(slots=True)
class Citizen:
    """Somebody, as the police know them."""

    number: str = field(repr=False)
    insurance: str = field(repr=False)
    name: str = field(repr=False)
    sex: str
    nation: str
    birth: str = field(repr=False)
    address: str = field(repr=False)
    phone: str = field(repr=False)
    kind: str
    place: str  # code of the village, or of the township
    employer: str = ""


class County:
    """The truth, which the registry is told of by files only.

    Parameters
    ----------
    count, villages : int
        How many people and villages.
    """

    def __init__(self, count: int, villages: int, seed: int = 2015) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.townships = [f"T{n:02d}" for n in range(1, min(TOWNSHIPS, -(-villages // 3)) + 1)]
        self.villages = {
            f"V{n:03d}": self.townships[n % len(self.townships)] for n in range(1, villages + 1)
        }
        self.citizens: dict[str, Citizen] = {}
        codes = list(self.villages)
        for person in people(count, seed):
            home = self.rng.choice(codes)
            if self.rng.random() < IN_TOWN:
                home = self.villages[home]
            self.citizens[person.citizen_number] = Citizen(
                person.citizen_number, person.insurance_number, person.name, person.sex,
                person.nation, person.birth_date, self.address(home), person.phone,
                person.card_kind, home,
            )  # fmt: skip
        everybody = list(self.citizens.values())
        adults = [one for one in everybody if one.kind == "adult"]
        for one in self.rng.sample(adults, share(count, EMPLOYED)):
            one.employer = f"E{self.rng.randint(1, EMPLOYERS)}"
        self.misspelt = {one.number for one in self.rng.sample(everybody, share(count, MISSPELT))}
        rest = [one for one in everybody if one.number not in self.misspelt]
        self.mistyped = {one.number for one in self.rng.sample(rest, share(count, MISTYPED))}
        rest = [one for one in rest if one.number not in self.mistyped]
        self.twice = {one.number for one in self.rng.sample(rest, share(count, TWICE))}

    def address(self, place: str) -> str:
        """An address in a village or in the middle of a township."""
        return f"{self.prefix(place)}{self.rng.randrange(1, 200)}号"

    def prefix(self, place: str) -> str:
        """How the addresses of a place begin."""
        if place in self.villages:
            return f"测试县{self.town(self.villages[place])}第{place[1:]}村"
        return f"测试县{self.town(place)}"

    def town(self, township: str) -> str:
        """Its name."""
        return f"{_TOWNS[int(township[1:]) - 1]}镇"

    def places(self) -> list[PlaceRow]:
        """All places, as the county's list has them."""
        rows = [
            PlaceRow(COUNTY, "county", "测试县"),
            PlaceRow(STORE, "store", "县库房", COUNTY),
            PlaceRow(FACTORY, "factory", "制卡厂"),
            PlaceRow(WINDOW, "window", "县一号窗口", COUNTY),
        ]
        rows += [
            PlaceRow(code, "township", self.town(code), COUNTY, self.prefix(code))
            for code in self.townships
        ]
        rows += [
            PlaceRow(code, "village", f"第{code[1:]}村", above, self.prefix(code))
            for code, above in self.villages.items()
        ]
        return rows + [
            PlaceRow(f"E{n}", "employer", f"测试第{n}厂", COUNTY) for n in range(1, EMPLOYERS + 1)
        ]

    # -- the lists of the agency [D1] -----------------------------------------------------------

    def write_lists(self, folder: Path) -> list[Path]:
        """One list a township, with the mistakes that lists have."""
        by_town: dict[str, list[Citizen]] = {code: [] for code in self.townships}
        following = dict(zip(self.townships, self.townships[1:] + self.townships[:1], strict=True))
        for one in self.citizens.values():
            home = self.township_of(one)
            by_town[home].append(one)
            if one.number in self.twice:  # somebody moved: the next list has them too
                by_town[following[home]].append(one)
        paths = []
        for code, some in by_town.items():
            paths.append(folder / f"{code}.csv")
            write_records(paths[-1], _FORMAT, self._rows(some, wrong=True))
        return paths

    def write_corrections(self, path: Path, numbers: Sequence[str]) -> Path:
        """The people whose rows were refused, with their numbers as they are."""
        some = [self.citizens[number] for number in numbers]
        write_records(path, _FORMAT, self._rows(some, wrong=False))
        return path

    def township_of(self, one: Citizen) -> str:
        """The township somebody lives in."""
        return self.villages.get(one.place, one.place)

    def _rows(self, some: Sequence[Citizen], *, wrong: bool) -> Iterator[list[str]]:
        yield [BY_FIELD[name].label("zh") for name in _COLUMNS]
        for one in some:
            name, number = one.name, one.number
            if one.number in self.misspelt:
                name = _misspelt(name)
            if wrong and one.number in self.mistyped:
                number = _mistyped(number)
            yield [
                one.insurance, name, number, one.address, one.phone, NATIONS[one.nation],
                _KINDS[one.kind],
            ]  # fmt: skip


def share(count: int, part: float) -> int:
    """So many of a number of people; a few at least, so that a small county has all of it."""
    return max(round(count * part), 3)


def _misspelt(name: str) -> str:
    return name[:-1] + ("明" if name[-1] != "明" else "民")


def _mistyped(number: str) -> str:
    """With a wrong check character."""
    return number[:-1] + ("0" if number[-1] != "0" else "1")
