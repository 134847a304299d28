"""What the operator of a canary run brings: keys, profile, rosters, PIN files, all of it marked."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cardkit.codec.numbers import citizen_check
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.diversify import diversify
from cardkit.issuance.roster.table import SourceFormat
from cardkit.issuance.roster.writing import write_records
from cardkit.keys.card_keys import UNDERIVED
from cardkit.keys.reference import city_factor, province_factor
from tests.canary.markers import (
    CANARY,
    INITIAL_PIN,
    KEY_HALF,
    NEW_PIN,
    WRONG_PIN,
    Kind,
    Marker,
    citizen_number,
    personal_number,
)
from tests.canary.sandbox import Sandbox

PROVINCE, CITY = "63", "639900"
HEADINGS = (
    "养老保险号", "姓名", "身份证号码", "地址", "联系电话", "民族", "DF01.EF05.21", "DF01.EF06.28",
)  # fmt: skip
_TEST_KEYS = Path(__file__).parents[2] / "keys_test" / "masters-3des.toml"

Row = tuple[str, ...]


def master_keys(*, wrong: tuple[str, ...] = ()) -> dict[str, bytes]:
    """A marked key for every name in the file of test keys; those in ``wrong`` are others."""
    names = tomllib.loads(_TEST_KEYS.read_text(encoding="utf-8"))["keys"]
    return {
        name: KEY_HALF + bytes((2, number, 0x5A, *name.encode()[-4:], 16 * (name in wrong)))
        for number, name in enumerate(names)
    }


def card_keys(keys: dict[str, bytes], factor: bytes) -> Iterator[Marker]:
    """Both halves of every key of a card, which nothing but the card itself may hold."""
    above = (province_factor(PROVINCE), city_factor(CITY))
    for name, key in keys.items():
        if name not in UNDERIVED:
            derived = diversify(key, *above, factor)
            yield Marker(Kind.CARD_KEY, f"{name} of card {factor.hex()}", derived[:8])
            yield Marker(Kind.CARD_KEY, f"{name} of card {factor.hex()}, second half", derived[8:])


# --- people --------------------------------------------------------------------------------------


def person(order: int, name: str, **other: str) -> Row:
    """A row that can be issued."""
    values = {
        "insurance": f"63997391{order:04d}",
        "name": name,
        "number": citizen_number(order),
        "address": f"测试市{CANARY}巷{order}号",
        "phone": f"0973739{order:04d}",
        "nation": "汉族",
        "home": f"{CANARY}里{order}号",
        "called": f"0973739{order:04d}",
    } | other
    return tuple(values.values())


def good_rows(first: int, count: int) -> list[Row]:
    """People who get a card: short names, and names that continue in the extension."""
    names = (CANARY, f"阿卜杜热合曼·吐尔逊江·买买提·{CANARY}", f"{CANARY}甲")
    return [person(first + n, names[n % len(names)]) for n in range(count)]


def bad_rows(first: int) -> list[Row]:
    """One row for everything that can be wrong with a row."""
    wrong_check = citizen_number(first)[:17] + ("1" if citizen_number(first)[17] != "1" else "2")
    impossible = "63990019370230001"
    future = "63990020990101001"
    numbers = {
        "check digit": wrong_check,
        "no such day": impossible + citizen_check(impossible),
        "born tomorrow": future + citizen_check(future),
        "old number": "639900370707001",
        "spreadsheet": "6.39E+17",
        "apostrophe": "'" + citizen_number(first + 1),
        "letters": citizen_number(first + 2)[:12] + "ABCDEF",
        "twin": citizen_number(first + 3),
        "twin again": citizen_number(first + 3),
    }
    rows = [person(first + 10 + n, f"{CANARY}乙", number=x) for n, x in enumerate(numbers.values())]
    rows += [
        person(first + 30, ""),
        person(first + 31, f"{CANARY}㐂"),
        person(first + 32, f"{CANARY}\x07"),
        person(first + 33, CANARY * 9),
        person(first + 34, f"{CANARY}丙", nation=f"{CANARY}族"),
        person(first + 35, f"{CANARY}丁", home=CANARY * 20),
        person(first + 36, f"{CANARY}戊", called=citizen_number(first + 36)),
    ]
    return rows


def csv_text(rows: list[Row], *, ragged: bool = False) -> str:
    """A roster as text; with a row of another width at its end."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    if ragged:
        writer.writerow((*rows[0], "one column more"))
    return text.getvalue()


# --- files ---------------------------------------------------------------------------------------


class Materials:
    """The files in ``in/``, and the markers that come with them.

    Parameters
    ----------
    box : Sandbox
        Where they go; learns every marker.
    """

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self.keys = master_keys()
        self.profile = self._profile("profile.toml", "keys.toml", self.keys)
        for key in self.keys.values():
            box.markers.append(Marker(Kind.KEY, "whole master key", key))
        self.initial = self._file("initial.pin", INITIAL_PIN)
        self.wrong = self._file("wrong.pin", WRONG_PIN)
        self.change = self._file("change.pin", f"{INITIAL_PIN}\n{NEW_PIN}")
        self.changed = self._file("new.pin", NEW_PIN)

    def wrong_profile(self, *names: str) -> Path:
        """A profile some of whose keys are others."""
        stem = names[0].lower()
        wrong = master_keys(wrong=names)
        for name in names:
            self._box.markers.append(Marker(Kind.KEY, "whole wrong key", wrong[name]))
        return self._profile(f"profile-{stem}.toml", f"wrong-{stem}-keys.toml", wrong)

    def roster(self, name: str, rows: list[Row], *, ragged: bool = False) -> Path:
        """A roster: ``.xlsx`` a workbook, anything else CSV in GB18030."""
        self._mark(rows)
        path = self._box.given / name
        if path.suffix == ".xlsx":
            records = [HEADINGS, *([cell.replace("\x07", "") for cell in row] for row in rows)]
            write_records(path, SourceFormat("", "", sheet="花名册"), records)
        else:
            path.write_text(csv_text(rows, ragged=ragged), encoding="gb18030")
        return path

    def text(self, name: str, content: str | bytes) -> Path:
        """Any other file."""
        path = self._box.given / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def _mark(self, rows: list[Row]) -> None:
        known = {marker.value for marker in self._box.markers}
        for row in rows:
            for number in (row[0], row[2].lstrip("'"), row[4]):
                marker = personal_number(number)
                if len(number) > 10 and marker.value not in known:
                    known.add(marker.value)
                    self._box.markers.append(marker)

    def _profile(self, name: str, keys_name: str, keys: dict[str, bytes]) -> Path:
        self.text(keys_name, _key_file(keys))
        return self.text(name, _PROFILE.format(keys=keys_name, pin=INITIAL_PIN, city=CITY))

    def _file(self, name: str, pin: str) -> Path:
        path = self.text(name, pin + "\n")
        path.chmod(0o600)
        return path


def _key_file(keys: dict[str, bytes]) -> str:
    parts = ['format = "cardkit test keys 1"\n']
    for name, key in keys.items():
        parts.append(
            f'[keys."{name}"]\nversion = 1\nvalue = "{key.hex().upper()}"\n'
            f'check_value = "{check_value_3des(key).hex().upper()}"\n'
        )
    return "\n".join(parts)


_PROFILE = """
name = "canary"
test = true
[region]
province = "63"
city = "{city}"
[card]
institution = "91560000026399006399006A"
[pin]
initial = "{pin}"
[keys]
store = "{keys}"
plain_key_loading = ["MK"]
"""
