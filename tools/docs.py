"""Write what in docs/ is made from the program itself: ``python tools/docs.py``.

A whole page (commands.md), or the part of a page between ``<!-- name: ... -->`` and
``<!-- /name -->``. A test compares both with what the program says now.
"""  # noqa: INP001 - a program, no package

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from cardkit.card.dialects.t514 import commands as t514
from cardkit.card.files import GENERATION_2
from cardkit.card.files import describe as files
from cardkit.cli import reference
from cardkit.issuance.roster import headings_table
from cardkit.profile import describe as profiles
from cardkit.registry.exchange import catalogue
from cardkit.registry.exchange import describing as layouts
from cardkit.registry.lifecycle import describing, rules

DOCS = Path(__file__).parents[1] / "docs"
T514_CAPACITY = 0x8000

T514 = files.Spaces(
    "T514", T514_CAPACITY, t514.space, lambda d: t514.record_space([t514.KEY_RECORD] * len(d.keys))
)


def part(name: str, make: Callable[[], str]) -> Callable[[str], str]:
    """Replace the part of a page that is called ``name``."""

    def renew(page: str) -> str:
        begin, end = rf"<!-- {name}: [^\n]*-->\n", f"<!-- /{name} -->"
        found = re.search(f"({begin}).*?({end})", page, re.DOTALL)
        if found is None:
            raise SystemExit(f"the page has no part {name}")
        return f"{page[: found.start()]}{found[1]}{make().strip()}\n{end}{page[found.end() :]}"

    return renew


def whole(make: Callable[[], str]) -> Callable[[str], str]:
    """Replace a whole page."""
    return lambda page: make()  # noqa: ARG005


PAGES: dict[str, Callable[[str], str]] = {
    "card-files.md": part("files", lambda: files.describe(GENERATION_2, T514)),
    "commands.md": whole(reference.render),
    "exchange.md": part("layouts", lambda: layouts.pages(catalogue.shipped())),
    "lifecycle.md": part("table", lambda: describing.describe(rules.load())),
    "profiles.md": part("fields", profiles.describe),
    "roster.md": part("headings", headings_table),
}
"""Name of a page → what makes it current."""


def main() -> None:
    """Write the pages that have changed, and name them."""
    for name, renew in PAGES.items():
        path = DOCS / name
        before = path.read_text(encoding="utf-8")
        after = renew(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
