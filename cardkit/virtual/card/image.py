"""Image file: everything of a virtual card that survives a power cut.

First line: ``cardkit virtual card image 1 - TEST ONLY, holds keys and personal data in clear``.
Then one JSON object: ``atr``, ``transport_key``, ``transport_tries``, ``capacity``, ``messaging``
(``process`` or ``direct``), for chips that differ there ``fold`` and ``always_pad``, ``locked``,
and ``mf``: null or a directory file with ``creation`` (the data of its CREATE command),
``pre_issue``, ``blocked`` (0 no, 1 for now, 2 for ever), ``files``
(``creation`` and ``content``: one line a record or key, one for a whole transparent file) and
``directories``. All bytes are hex. Structure is checked by the rules of the CREATE command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cardkit.errors import UsageError
from cardkit.virtual.card import directory as directories
from cardkit.virtual.card import files, imagefile
from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.card.chip import ATR_HEAD_LENGTH, SERIAL_LENGTH, TRANSPORT_LENGTH, Chip
from cardkit.virtual.card.directory import (
    Blocked,
    DirectoryFile,
    DirectoryType,
    parse_fci_record,
)
from cardkit.virtual.card.files import ElementaryFile
from cardkit.virtual.card.memory import Memory
from cardkit.virtual.card.messaging import USUAL, Derivation, Form
from cardkit.virtual.card.status import Refusal

HEADER = "cardkit virtual card image 1 - TEST ONLY, holds keys and personal data in clear"
LARGEST = 1024 * 1024  # bytes; a full chip needs about 80 KiB


def encode(chip: Chip) -> str:
    """The text of an image."""
    content = {
        "atr": chip.atr.hex(),
        "transport_key": chip.transport.hex(),
        "transport_tries": chip.transport_tries,
        "capacity": chip.memory.capacity,
        "messaging": chip.derivation.value,
        **_encode_form(chip.form),
        "locked": chip.locked,
        "mf": _encode_directory(chip.mf) if chip.mf else None,
    }
    return imagefile.encode(HEADER, content)


def decode(text: str) -> Chip:
    """The chip of an image.

    Raises
    ------
    ValueError
        The text is no image.
    """
    return imagefile.decode(text, HEADER, _decode_chip)


def read(path: Path) -> Chip:
    """Load an image file.

    Raises
    ------
    UsageError
        It cannot be read, or is no image.
    """
    try:
        return decode(imagefile.read(path, LARGEST))
    except (ValueError, OverflowError, MemoryError):
        raise UsageError(
            f"{path} is no card image of this version, or is damaged",
            hint="use a file that `cardkit virtual card --image` has written",
        ) from None


def write(chip: Chip, path: Path) -> None:
    """Save an image: mode 0600, whole or not at all.

    Raises
    ------
    UsageError
        The directory or file cannot be written.
    """
    imagefile.write(encode(chip), path)


def _encode_form(form: Form) -> dict[str, bool]:
    """What is not usual; images of usual chips are what they always were."""
    return {
        name: value
        for name, value, usual in (
            ("fold", form.fold, USUAL.fold),
            ("always_pad", form.always_pad, USUAL.always_pad),
        )
        if value is not None and value != usual
    }


def _encode_directory(directory: DirectoryFile) -> dict[str, Any]:
    return {
        "creation": directory.creation.hex(),
        "pre_issue": directory.pre_issue,
        "blocked": int(directory.blocked),
        "files": [
            {
                "creation": file.creation.hex(),
                "content": [line.hex() for line in file.content_image()],
            }
            for file in directory.files
        ],
        "directories": [_encode_directory(child) for child in directory.directories],
    }


def _decode_chip(content: dict[str, Any]) -> Chip:
    try:
        return _build(content)
    except Refusal:
        raise ValueError("the structure is damaged (the chip refuses it)") from None


def _build(content: dict[str, Any]) -> Chip:
    atr = _hex(content["atr"])
    offered_fi_di(atr)
    transport = _hex(content["transport_key"])
    _check(len(atr) >= ATR_HEAD_LENGTH + SERIAL_LENGTH and len(transport) == TRANSPORT_LENGTH)
    chip = Chip(
        atr,
        transport,
        _number(content["capacity"], 1 << 24),
        Derivation(content["messaging"]),
        Form(**{name: _flag(content[name]) for name in ("fold", "always_pad") if name in content}),
    )
    chip.transport_tries = _number(content["transport_tries"], 3)
    chip.locked = _flag(content["locked"])
    if content["mf"] is not None:
        chip.mf = _decode_directory(content["mf"], None, chip.memory)
    names = [directory.name for directory in chip.mf.walk()] if chip.mf else []
    _check(len(set(names)) == len(names))
    chip.memory.commit()
    chip.memory.bytes_written = chip.memory.pages_written = 0
    return chip


def _decode_directory(
    content: dict[str, Any], parent: DirectoryFile | None, memory: Memory
) -> DirectoryFile:
    made = directories.create(_hex(content["creation"]), parent)
    _check(parent is None or parent.type == DirectoryType.DDF)
    memory.allocate(made.size)
    made.pre_issue = _flag(content["pre_issue"])
    made.blocked = _number(content["blocked"], Blocked.FOR_EVER)
    made.files = [_decode_file(file, made, memory) for file in content["files"]]
    made.directories = [_decode_directory(child, made, memory) for child in content["directories"]]
    fids = [made.fid, *(f.fid for f in made.files), *(d.fid for d in made.directories)]
    sfis = [file.sfi for file in made.files]
    _check(len(set(fids)) == len(fids) and len(set(sfis)) == len(sfis))
    return made


def _decode_file(
    content: dict[str, Any], directory: DirectoryFile, memory: Memory
) -> ElementaryFile:
    made = files.create(_hex(content["creation"]), directory.fid)
    memory.allocate(made.size)
    made.restore([_hex(line) for line in content["content"]])
    if made.sfi == files.FCI_FILE:
        for line in content["content"]:
            parse_fci_record(_hex(line))
    return made


def _hex(text: str) -> bytes:
    return bytes.fromhex(text)


def _number(value: object, most: int) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise ValueError("damaged")


def _flag(value: object) -> bool:
    _check(isinstance(value, bool))
    return bool(value)


def _check(condition: object) -> None:
    if not condition:
        raise ValueError("damaged")
