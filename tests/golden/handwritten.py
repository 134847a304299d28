"""Reads ``issued-card.txt``, the dump of an issued card that was written by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DUMP = Path(__file__).with_name("issued-card.txt")


@dataclass
class GoldenFile:
    """What one elementary file must hold.

    Parameters
    ----------
    label : str
        ``EF05``: the file identifier, in hex.
    kind : str
        ``file`` (linear records), ``binary`` or ``cyclic``.
    opened_by : str
        ``free``, ``PIN``, ``PIN or RK``, ``PIN and RK1``, ``RKSSSE``.
    records : list of str
        Hex, in the order of the record numbers; of a binary file its whole content.
    """

    directory: str
    label: str
    kind: str
    size: int
    opened_by: str
    records: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.directory}-{self.label}"


def read_dump(text: str | None = None) -> list[GoldenFile]:
    """Every file of the dump, in its order."""
    files: list[GoldenFile] = []
    directory = ""
    for line in (DUMP.read_text(encoding="utf-8") if text is None else text).splitlines():
        content, _, _ = line.partition("#")
        words = content.split()
        if not words or words == ["no", "record"]:
            continue
        if words[0] == "directory":
            directory = words[1]
        elif words[0] in ("file", "binary", "cyclic"):
            files.append(_heading(directory, content))
        elif words[1:2] == ["x"]:
            files[-1].records.append(words[0] * int(words[2], 16))
        elif words[0].endswith(":"):
            assert int(words[0][:-1]) == len(files[-1].records) + 1, line
            files[-1].records.append("".join(words[1:]))
        else:
            files[-1].records[-1] += "".join(words)
    return files


def _heading(directory: str, content: str) -> GoldenFile:
    left, _, opened_by = content.partition("read:")
    kind, label, *size = left.split()
    return GoldenFile(
        directory, label, kind, int(size[0], 16) if size else 0, " ".join(opened_by.split())
    )
