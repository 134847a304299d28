"""Image file of a virtual PSAM: everything that survives a power cut.

First line: ``cardkit virtual PSAM image 1 - TEST ONLY, holds keys in clear``. Then one JSON object:
``atr``, ``master``, ``serial``, ``terminal``, ``tries``, ``finished`` and ``keys``, a list of
objects with ``environment`` (``DES``, ``SSF33``, ``SM4``), ``usage``, ``id``, ``algorithm`` and
``value``. All bytes are hex.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cardkit.errors import UsageError
from cardkit.virtual.card import imagefile
from cardkit.virtual.card.atr import offered_fi_di
from cardkit.virtual.psam.chip import LOAD_TRIES, RECORD_SIZE, Chip, Place, StoredKey

HEADER = "cardkit virtual PSAM image 1 - TEST ONLY, holds keys in clear"
LARGEST = 256 * 1024


def encode(chip: Chip) -> str:
    """The text of an image."""
    content = {
        "atr": chip.atr.hex(),
        "master": chip.master.hex(),
        "serial": chip.serial.hex(),
        "terminal": chip.terminal.hex(),
        "tries": chip.tries,
        "finished": chip.finished,
        "keys": [
            {
                "environment": key.place.name,
                "usage": f"{key.usage:02x}",
                "id": f"{key.id:02x}",
                "algorithm": f"{key.algorithm:02x}",
                "value": key.value.hex(),
            }
            for key in chip.keys
        ],
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


def _decode_chip(content: dict[str, Any]) -> Chip:
    atr = bytes.fromhex(content["atr"])
    offered_fi_di(atr)
    chip = Chip(
        atr,
        bytes.fromhex(content["master"]),
        bytes.fromhex(content["serial"]),
        bytes.fromhex(content["terminal"]),
        tries=content["tries"],
        finished=content["finished"],
        keys=[_decode_key(key) for key in content["keys"]],
    )
    if (type(content["finished"]), type(content["tries"])) != (bool, int):
        raise TypeError
    if not 0 <= chip.tries <= LOAD_TRIES:
        raise ValueError("more tries than there can be")
    places = {(key.place, key.usage, key.id) for key in chip.keys}
    chip.memory.used = RECORD_SIZE * len(chip.keys)
    if len(places) != len(chip.keys) or chip.memory.free < 0:
        raise ValueError("keys that cannot be together on one chip")
    return chip


def _decode_key(content: dict[str, Any]) -> StoredKey:
    numbers = (int.from_bytes(bytes.fromhex(content[n])) for n in ("usage", "id", "algorithm"))
    usage, number, algorithm = numbers
    place = Place[content["environment"]]
    return StoredKey(place, usage, number, algorithm, bytes.fromhex(content["value"]))


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
            f"{path} is no PSAM image of this version, or is damaged",
            hint="make one with `cardkit key psam make`",
        ) from None


def write(chip: Chip, path: Path) -> None:
    """Save an image: mode 0600, whole or not at all.

    Raises
    ------
    UsageError
        The directory or file cannot be written.
    """
    imagefile.write(encode(chip), path)
