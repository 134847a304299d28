"""A key ceremony: a key put together from the components of several holders 分量保管人.

Each holder comes in turn. A component is made here or typed twice, goes to a sheet of its own,
and is added (XOR) to the total that the encrypted store keeps; no screen, file or state of the
program holds two components. When all have been given, the total is the key.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cardkit.crypto.bits import xor
from cardkit.errors import RefusedError, UsageError
from cardkit.keys import bulk
from cardkit.keys.audit import AuditError, Entry
from cardkit.keys.custody import Custody, RoleError, Wish, check_person, compare
from cardkit.keys.locking import create_private
from cardkit.keys.record import ALGORITHMS, KeyRecord
from cardkit.keys.reference import CheckValue
from cardkit.keys.secret import Secret
from cardkit.keys.soft_content import Ceremony, Content

COMPONENTS = 3


def begin(custody: Custody, wish: Wish, holders: tuple[str, ...]) -> Ceremony:
    """Open a ceremony for a key; role ``generate``.

    Parameters
    ----------
    holders : tuple of str
        Operators who will each give one component; two at least, usually three.

    Raises
    ------
    UsageError
        A holder is named twice, or a ceremony for that name is open.
    """
    people = {check_person(holder).casefold() for holder in holders}
    if len(holders) < 2 or len(people) != len(holders):
        raise UsageError("a ceremony wants two component holders at least, all different people")
    with custody.acting("generate", "ceremony-begin", wish.name) as content:
        if wish.name in content.ceremonies:
            raise UsageError(f"a ceremony for {wish.name} is open", hint="finish or abandon it")
        record = wish.record(
            content, test=custody.file.test, origin="components", actor=custody.actor
        )
        ceremony = Ceremony(record, holders)
        content.ceremonies[wish.name] = ceremony
        custody.note("ceremony-begin", wish.name, detail=", ".join(holders))
        return ceremony


def generate_component(
    custody: Custody, name: str, sheet: Path, random: Callable[[int], bytes] = os.urandom
) -> CheckValue:
    """Make the component of whoever acts, and its sheet; returns its check value.

    The sheet is written first: a component that nobody has on paper is not part of a key.

    Raises
    ------
    UsageError
        No such ceremony, the component was given, or the sheet exists.
    RoleError
        Whoever acts holds no component of it.
    """
    with _refusals(custody, name):
        ceremony = _turn(custody, name)
        length = ALGORITHMS[ceremony.record.algorithm]
        component = Secret(random(length))
        place = ceremony.holders.index(custody.actor) + 1
        text = sheet_text(ceremony, place, component, custody.clock())
        create_private(sheet, text.encode("utf-8"))
        try:
            return _give(custody, name, component)
        except AuditError:
            raise  # the store may hold the component already: its sheet has to stay
        except UsageError:
            sheet.unlink(missing_ok=True)
            raise


def type_component(
    custody: Custody, name: str, first: str, second: str, expected: CheckValue | None = None
) -> CheckValue:
    """Take the component of whoever acts, typed twice in hex; returns its check value.

    Raises
    ------
    UsageError
        Not hex, another length, or the two differ.
    CheckValueError
        Not the check value on the sheet.
    """
    with _refusals(custody, name):
        ceremony = _turn(custody, name)
        length = ALGORITHMS[ceremony.record.algorithm]
        one, two = _typed(first, length), _typed(second, length)
        if not hmac.compare_digest(one.reveal(), two.reveal()):
            raise UsageError(
                "the component was typed differently the second time", hint="once more"
            )
        if expected is not None:
            value = CheckValue(bulk.check_value(ceremony.record.algorithm, one.reveal()))
            compare(replace(ceremony.record, check_value=value), expected, one)
        return _give(custody, name, one)


def finish(custody: Custody, name: str, expected: CheckValue | None = None) -> KeyRecord:
    """Make the key of the components; role ``generate``. It waits for approval.

    Raises
    ------
    UsageError
        Components are missing.
    CheckValueError
        Not the check value that was agreed on.
    """
    with custody.acting("generate", "ceremony-finish", name) as content:
        ceremony = _open(content, name)
        if ceremony.missing or ceremony.total is None:
            error = UsageError(f"components are missing: {', '.join(ceremony.missing)}")
            custody.note("ceremony-finish", name, result=f"refused: {error.message}")
            raise error
        r = ceremony.record
        wish = Wish(
            r.name, r.version, r.algorithm, r.usage, r.levels, r.owner, r.valid_from, r.valid_until
        )
        record = custody.add(content, wish, Secret(ceremony.total.reveal()), origin="components")
        if expected is not None:
            compare(record, expected, ceremony.total)
        # None of those who led it or gave a component approves the key.
        people = dict.fromkeys((*ceremony.holders, custody.actor))
        others = tuple(person for person in people if person != r.made_by)
        record = replace(record, made_by=r.made_by, contributors=others)
        content.records[record.place] = record
        ceremony.wipe()
        del content.ceremonies[name]
        return record


def abandon(custody: Custody, name: str) -> None:
    """Give a ceremony up; what was summed is overwritten."""
    with custody.acting("generate", "ceremony-abandon", name, erase_old=True) as content:
        _open(content, name).wipe()
        del content.ceremonies[name]
        custody.note("ceremony-abandon", name)


def sheet_text(ceremony: Ceremony, place: int, component: Secret, now: dt.datetime) -> str:
    """The sheet of one holder, to print, sign, seal and lock away."""
    record, count = ceremony.record, len(ceremony.holders)
    value = component.reveal().hex().upper()
    groups = "  ".join(value[at : at + 4] for at in range(0, len(value), 4))
    check = CheckValue(bulk.check_value(record.algorithm, component.reveal()))
    return "\n".join(
        [
            "KEY COMPONENT 密钥分量                                   SECRET 机密",
            "",
            f"Key 密钥            {record.name}  version 版本 {record.version}",
            f"Algorithm 算法      {record.algorithm}",
            f"Component 分量      {place} of {count}",
            f"Holder 分量保管人   {ceremony.holders[place - 1]}",
            f"Made 生成时间       {now:%Y-%m-%d %H:%M} UTC",
            "",
            f"    {groups}",
            "",
            f"Check value 校验值  {check}",
            "",
            "Test key, protects nothing 测试密钥" if record.test else
            "Print, delete this file, seal the sheet, never show it to another holder.",
            "Signature 签名 ____________________    Envelope 信封号 ____________________",
            "",
        ]
    )  # fmt: skip


@contextmanager
def _refusals(custody: Custody, name: str) -> Iterator[None]:
    """A component that is not taken is on record, too."""
    try:
        yield
    except AuditError:
        raise  # nothing can be written, or the entry is there
    except (RefusedError, UsageError) as error:
        custody.note("component", name, result=f"refused: {error.message}")
        raise


def _turn(custody: Custody, name: str) -> Ceremony:
    ceremony = _open(custody.file.content, name)
    if custody.actor not in ceremony.holders:
        raise RoleError(
            f"{custody.actor} is no component holder 分量保管人 of the ceremony for {name}",
            hint=f"they are {', '.join(ceremony.holders)}",
        )
    if custody.actor in ceremony.check_values:
        raise UsageError(f"{custody.actor} has given a component of {name} already")
    return ceremony


def _give(custody: Custody, name: str, component: Secret) -> CheckValue:
    with custody.file.edit(custody.actor) as content:
        ceremony = _open(content, name)
        if custody.actor in ceremony.check_values:
            raise UsageError(f"{custody.actor} has given a component of {name} already")
        value = component.reveal()
        if not any(value):
            raise UsageError("a component of zeros is none")
        check = CheckValue(bulk.check_value(ceremony.record.algorithm, value))
        if check in ceremony.check_values.values():
            raise UsageError(
                "another holder has given the same component",
                hint="every holder has one of their own",
            )
        before = ceremony.total
        ceremony.total = Secret(value if before is None else xor(before.reveal(), value))
        ceremony.check_values[custody.actor] = check
        place = ceremony.holders.index(custody.actor) + 1
        detail = f"component {place} of {len(ceremony.holders)}, check value {check}"
        custody.file.audit.append(Entry(custody.actor, "component", name, 1, detail=detail))
    component.wipe()
    return check


def _open(content: Content, name: str) -> Ceremony:
    try:
        return content.ceremonies[name]
    except KeyError:
        raise UsageError(
            f"no ceremony for {name} is open", hint="`cardkit key ceremony begin` opens one"
        ) from None


def _typed(text: str, length: int) -> Secret:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != length:
        raise UsageError(f"a component has {2 * length} hexadecimal digits")
    return Secret(value)
