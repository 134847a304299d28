"""Sessions shown in the pages: every block ```console is run again and compared.

The blocks of a page are one session, run in order in one empty directory. A line ``$ …`` is a
command for the shell, the lines below it are what it prints (both streams). A line ``…`` stands for
any lines. What differs from run to run - instants, days, speeds, digests - is masked before texts
are compared.

``python -m tests.docs.sessions PAGE...`` runs the pages' sessions and writes what they print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANYTHING = "…"
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_VOLATILE = (
    (r"\d{8}-\d{6}", "<time>"),
    (r"\d{4}-\d{2}-\d{2}T[\d:.]+Z", "<instant>"),
    (r"(?<=issue_date).*?(20\d{6}|20\d\d-\d\d-\d\d)", "<day>"),
    (r"(?<=valid_until).*?(20\d{6}|20\d\d-\d\d-\d\d)", "<day>"),
    (r"[\d.]+ 张/小时", "<speed>"),
    (r"[\d.]+ cards an hour", "<speed>"),
    (r"about [\d:]+ left", "<left>"),
    (r"用时 \d+ 秒", "<seconds>"),
    (r"^\d+ seconds", "<seconds>"),
    (r"每小时 \d+ 张", "<speed>"),
    (r'(?<="cards_per_hour": )[\d.]+', "<speed>"),
    (r"剩余约 [\d:]+", "<left>"),
    (r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", "<minute>"),
    (r"(?<=期限：)\d{4}-\d{2}-\d{2}", "<day>"),
    (r"\b20\d{6}(?=\d{7}$)", "<day>"),  # numbers of receipts begin with it
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\+\d\.\d{6}", "<seconds>"),
    (r"\bin \d+\.\d+ s$", "<seconds>"),
    (r" +$", ""),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command of a session and what it prints."""

    command: str
    shown: str


def exchanges(block: str) -> list[Exchange]:
    """The commands of a block."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"the block does not begin with a command: {parts[0]!r}")
    found = []
    for text in parts[1:]:
        command, _, shown = text.partition("\n")
        found.append(Exchange(command, shown.strip("\n")))
    return found


def session(page: str) -> list[Exchange]:
    """All commands of a page."""
    return [exchange for block in _BLOCK.findall(page) for exchange in exchanges(block)]


def run(command: str, folder: Path) -> str:
    """What a command prints in a directory; its settings and data are there, too."""
    home = {
        f"XDG_{name}_HOME": str(folder / ".home" / name) for name in ("DATA", "STATE", "CONFIG")
    }
    ours = {n: v for n, v in os.environ.items() if not n.startswith(("CARDKIT_", "PCSCLITE_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=ours | home | {"PATH": path, "LANG": "C.UTF-8", "CARDKIT_OPERATOR": "clerk"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    text = done.stdout.decode().replace("\r\n", "\n").strip("\n")
    if done.returncode >= 70:
        raise RuntimeError(f"{command} ended with {done.returncode}: {text}")
    return text


def stable(text: str) -> str:
    """A text with everything masked that differs from run to run."""
    for pattern, mask in _VOLATILE:
        text = re.sub(pattern, mask, text, flags=re.MULTILINE)
    return text


def agrees(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows."""
    pieces = re.split(rf"^{ANYTHING}$", stable(shown), flags=re.MULTILINE)
    pattern = r"[\s\S]*".join(re.escape(piece.strip("\n")) for piece in pieces)
    whole = pattern if len(pieces) == 1 else rf"{pattern}\n?"
    return re.fullmatch(whole, stable(printed)) is not None


def renew(page: str) -> str:
    """The page with its sessions run again; what already agrees is left as it is."""
    with tempfile.TemporaryDirectory() as name:

        def again(block: re.Match[str]) -> str:
            return "".join(_renewed(e, Path(name)) for e in exchanges(block[0]))

        return _BLOCK.sub(again, page)


def _renewed(exchange: Exchange, folder: Path) -> str:
    printed = run(exchange.command, folder)
    shown = exchange.shown if agrees(exchange.shown, printed) else printed
    return f"$ {exchange.command}\n" + (f"{shown}\n" if shown else "")


def main() -> None:
    """Renew the pages that are named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
