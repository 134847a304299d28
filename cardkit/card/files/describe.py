"""The specification tree in words: the page docs/card-files.md, made from the declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cardkit.card.files.codings import AMOUNT, BYTES, DATE, DIGITS, MONEY, TEXT
from cardkit.card.files.model import (
    Access,
    BinaryFile,
    CyclicFile,
    DirectoryFile,
    File,
    InternalFile,
    Item,
    KeySlot,
    KeyType,
    Level,
    RecordFile,
    Template,
    Tree,
)

_CODINGS = {
    TEXT: "an, text",
    DIGITS: "cn, digits",
    DATE: "cn, day",
    MONEY: "dec, money",
    AMOUNT: "hex, money",
    BYTES: "b, bytes",
}
_KEY_TYPES = {
    KeyType.MASTER: "master key 主控密钥",
    KeyType.PIN: "PIN 个人密码",
    KeyType.SECURE_MESSAGING: "secure messaging 安全报文",
    KeyType.EXTERNAL: "external authentication 外部认证",
    KeyType.INTERNAL: "internal authentication 内部认证",
}

_PURPOSES = {
    KeyType.MASTER: "build, and load keys",
    KeyType.PIN: "read, where a file says PIN",
    KeyType.SECURE_MESSAGING: "MAC of commands that lock, unlock or reset",
    KeyType.INTERNAL: "the card proves that it is genuine",
}


@dataclass(frozen=True, slots=True)
class Spaces:
    """Memory that a chip takes for what a tree declares, in bytes.

    Parameters
    ----------
    chip : str
        Name of the chip.
    capacity : int
        All it has.
    file : callable
        Bytes of an elementary file.
    keys : callable
        Bytes of the key file of a directory file.
    """

    chip: str
    capacity: int
    file: Callable[[File], int]
    keys: Callable[[DirectoryFile], int]

    def directory(self, directory: DirectoryFile) -> int:
        """Bytes of the elementary files and of the key file, together."""
        return sum(map(self.file, directory.files)) + self.keys(directory)


def describe(tree: Tree, spaces: Spaces) -> str:
    """The directory files, files, items and keys of a tree as Markdown sections.

    Parameters
    ----------
    tree : Tree
    spaces : Spaces
        What a chip takes for them.
    """
    lines = [*_overview(tree, spaces)]
    for directory in tree.directories:
        lines += _directory(tree, directory, spaces)
    return "\n".join(lines).rstrip() + "\n"


def access_in_words(access: Access, directory: DirectoryFile) -> str:
    """What has to be presented before a file can be read or updated.

    Examples
    --------
    >>> from cardkit.card.files import GENERATION_2
    >>> df03 = GENERATION_2.directory("DF03")
    >>> access_in_words(df03.file("EF05").read, df03)
    'PIN and RK1 (KID 84)'
    """
    if access.free:
        return "free"
    wanted = [
        words
        for level in (access.parent, access.own)
        if (words := _level_in_words(level, directory))
    ]
    return (" and " if access.both else " or ").join(wanted) or "never from outside"


def _level_in_words(level: int, directory: DirectoryFile) -> str:
    if level == Level.NEVER:
        return ""
    if level == Level.PIN:
        return "PIN"
    names = [slot.name for slot in directory.keys if slot.level == level]
    return f"{names[0]} (KID {level:02X})" if names else f"level {level:02X}"


def _overview(tree: Tree, spaces: Spaces) -> Iterator[str]:
    yield "## Directory files 目录文件"
    yield ""
    rows = [
        (
            f"[{d.label}](#{_anchor(d)})",
            d.chinese,
            d.parent or "–",
            f"{d.fid:04X}",
            f"`{d.aid.hex().upper()}`",
            len(d.files),
            len(d.keys),
            spaces.directory(d),
        )
        for d in tree.directories
    ]
    heads = ("directory", "中文", "below", "FID", "name (AID)", "files", "keys", "bytes")
    yield from _table(heads, rows)
    total = sum(spaces.directory(d) for d in tree.directories)
    yield (
        f"Bytes are the space on a {spaces.chip} chip of the files and of the file that holds the "
        f"keys: {total:,} of {spaces.capacity:,}. Headers of files, FCI and DIR files come on top."
    )
    yield ""


def _anchor(directory: DirectoryFile) -> str:
    return f"{directory.label}-{_plain(directory.chinese)}".lower()


def _plain(text: str) -> str:
    """As an anchor has it: letters and digits only."""
    return "".join(c for c in text if c.isalnum())


def _directory(tree: Tree, directory: DirectoryFile, spaces: Spaces) -> Iterator[str]:
    yield f"## {directory.label} {directory.chinese}"
    yield ""
    below = "" if directory.parent is None else f", below {directory.parent}"
    lock = _level_in_words(directory.lock_level, directory)
    locked = f"locked and unlocked with {lock}" if lock else "cannot be locked"
    yield (
        f"File identifier {directory.fid:04X}, name `{directory.aid.hex().upper()}`{below}; "
        f"{locked}. Source: {directory.clause}."
    )
    yield ""
    yield f"### Keys of {directory.label}"
    yield ""
    rows = [_key_row(directory, slot) for slot in directory.keys]
    yield from _table(("key", "KID", "type", "中文", "for", "mark"), rows)
    yield f"The key file takes {spaces.keys(directory)} bytes."
    yield ""
    for file in directory.files:
        yield from _file(tree, directory, file, spaces)


def _key_row(directory: DirectoryFile, slot: KeySlot) -> tuple[object, ...]:
    purpose = _PURPOSES.get(slot.type) or "; ".join(_opened(directory, slot))
    return (
        directory.key_name(slot),
        f"{slot.kid:02X}",
        _KEY_TYPES[slot.type],
        slot.chinese,
        purpose,
        slot.confidence.value,
    )


def _opened(directory: DirectoryFile, slot: KeySlot) -> Iterator[str]:
    """What an external authentication with a key is good for."""
    for doing in ("read", "update"):
        files = [f.label for f in directory.files if getattr(f, doing).own == slot.level]
        if files:
            yield f"{doing} {', '.join(files)}"
    if slot.level == directory.lock_level:
        yield "lock and unlock"
    if slot.name == "PUK":
        yield "reset the PIN"


def _file(tree: Tree, directory: DirectoryFile, file: File, spaces: Spaces) -> Iterator[str]:
    title = f"{directory.label} {file.label} {file.name} {file.chinese}".rstrip()
    yield f"### {title}"
    yield ""
    read = access_in_words(file.read, directory)
    update = access_in_words(file.update, directory)
    where = "" if isinstance(file, InternalFile) else f", SFI {file.sfi:02X}"
    yield f"{_kind(file)}, identifier {file.fid:04X}{where}."
    yield f"Read: {read}. Update: {update}."
    yield (
        f"Takes {spaces.file(file)} bytes on a {spaces.chip} chip. "
        f"Mark {file.confidence.value}; source: {file.clause}."
    )
    yield ""
    if isinstance(file, RecordFile):
        yield from _records(tree, directory, file)
    elif isinstance(file, CyclicFile):
        yield from _fields(file)


def _kind(file: File) -> str:
    if isinstance(file, RecordFile):
        return f"Record file 记录文件 of {len(file.items)} records"
    if isinstance(file, CyclicFile):
        return (
            f"Cyclic file 循环文件 of {file.count} records of {file.record_length} bytes, "
            "record 1 the newest"
        )
    if isinstance(file, BinaryFile):
        return f"Transparent file 透明文件 of {file.size} bytes"
    return "Internal file 内部文件"


def _records(tree: Tree, directory: DirectoryFile, file: RecordFile) -> Iterator[str]:
    rows: list[tuple[object, ...]] = []
    places = [f for f in tree.fields if f.directory is directory and f.file is file]
    for _, same in groupby(places, key=lambda f: f.item.tag):
        alike = list(same)
        first, last = alike[0], alike[-1]
        numbers, address = f"{first.number}", f"`{first.address}`"
        name, chinese = first.item.name, first.item.chinese
        if last is not first:
            numbers, address = f"{first.number}–{last.number}", f"{address} … `{last.address}`"
            name = f"{name} … {last.item.name}"
            chinese = f"{chinese} … {last.item.chinese}" if chinese else ""
        rows.append((numbers, *_item(first.item, name, chinese), address))
        if isinstance(first.item, Template):
            rows += [
                ("", *_item(part, part.name, part.chinese), f"`….{part.tag:02X}`")
                for part in first.item.parts
            ]
    yield from _table(("record", "tag", "bytes", "coding", "name", "中文", "mark", "address"), rows)


def _fields(file: CyclicFile) -> Iterator[str]:
    rows = [(n, *_item(f, f.name, f.chinese)[1:]) for n, f in enumerate(file.fields, start=1)]
    yield from _table(("part", "bytes", "coding", "name", "中文", "mark"), rows)


def _item(item: Item, name: str, chinese: str) -> tuple[object, ...]:
    coding = "template" if isinstance(item, Template) else _CODINGS[item.coding]
    tag = f"{item.tag:02X}"
    return (tag, item.length, coding, name, chinese, item.confidence.value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""
