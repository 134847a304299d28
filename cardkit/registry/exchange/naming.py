"""Names of exchange files, and the batch number where only the name has it."""

from __future__ import annotations

import re
from pathlib import PurePath

from cardkit.registry.exchange.errors import Fault, FileFaultsError
from cardkit.registry.exchange.layout import Layout
from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.work import Work

_PARTS = {
    "batch": r"(?P<batch>[0-9]{1,20})",
    "partner": r"[A-Za-z0-9-]+",
    "date": r"[0-9]{8}",
    "source": r"[A-Za-z0-9_-]+",
}


def file_name(layout: Layout, work: Work) -> str:
    """Name of a file as its layout declares it; ``{source}`` is the layout of what came."""
    return layout.file_name.format(
        batch=work.number, partner=work.partner, date=work.today, source=work.layout.name
    )


def result_name(name: str, layout: Layout, role: str) -> str:
    """Name of what came of a file: of which layout it was, and what became of its rows."""
    return with_suffix(name, f"{layout.name}.{role}")


def numbered(name: str, number: int) -> str:
    """The name for the second, third ... file that would have the same one.

    Examples
    --------
    >>> numbered("KK_1.li.txt.age", 1), numbered("KK_1.li.txt.age", 2)
    ('KK_1.li.txt.age', 'KK_1.li-2.txt.age')
    """
    if number == 1:
        return name
    sealed = ".age" if name.endswith(".age") else ""
    path = PurePath(name.removesuffix(sealed))
    return f"{path.stem}-{number}{path.suffix}{sealed}"


def carried_name(name: str, carrier: str) -> str:
    """Name under which a file is carried: by whom [D19].

    Examples
    --------
    >>> carried_name("KK_bank_000001.txt", "zhang")
    'KK_bank_000001.zhang.txt'
    """
    return with_suffix(name, carrier)


def plain(name: str) -> str:
    """The last part of a name only, without what may not stand in a file name.

    Examples
    --------
    >>> plain("../in/KK_bank_000001.txt"), plain("a" * 300)[-1]
    ('KK_bank_000001.txt', 'a')
    """
    cleaned = "".join(c if c.isprintable() and c not in '<>:"|?*\\' else "_" for c in name)
    return PurePath(cleaned).name[:120] or "file"


def with_suffix(name: str, word: str) -> str:
    """The same name with a word before its ending.

    Examples
    --------
    >>> with_suffix("KK_1.txt", "failure")
    'KK_1.failure.txt'
    """
    path = PurePath(name)
    return f"{path.stem}.{word}{path.suffix}"


def our_number(number: int) -> str:
    """Batch number of a file that the registry makes.

    Examples
    --------
    >>> our_number(7)
    '000007'
    """
    return f"{number:06d}"


def _is_number(layout: Layout) -> bool:
    """Whether zeros in front of the batch number mean nothing: they may be gone in an answer."""
    both = (*layout.header, *layout.trailer)
    return any(one.holds == "batch" and one.kind == "number" for one in both)


def number_of(layout: Layout, content: Content, name: str) -> str:
    """Batch number of a file: from its header, otherwise from its name.

    Raises
    ------
    FileFaultsError
        Neither has one.
    """
    held = content.held(layout, "batch")
    if held:
        return our_number(int(held)) if _is_number(layout) else held
    pattern = re.escape(layout.file_name)
    for word, part in _PARTS.items():
        pattern = pattern.replace(re.escape("{" + word + "}"), part)
    match = re.match(pattern.removesuffix(re.escape(PurePath(layout.file_name).suffix)), name)
    if match and "batch" in match.groupdict():
        return match["batch"]
    fault = Fault(
        0,
        "batch",
        f"has no batch number; its name should look like {layout.file_name}",
        f"没有批次号；文件名应为 {layout.file_name} 的形式",
    )
    raise FileFaultsError(plain(name), [fault])
