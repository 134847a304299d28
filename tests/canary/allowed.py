"""Where each kind of secret belongs; anywhere else it is a leak.

A place is what it is, a colon and its name: the output of a command by the words of its command
line, a file by its path in the sandbox (``*`` matches ``/`` too).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from tests.canary.markers import EVERYTHING_OF_A_CARD, PEOPLE, Kind
from tests.canary.search import Evidence, Searcher

ALLOWED: Mapping[str, Collection[Kind]] = {
    # What the operator brings.
    "file: in/*keys.toml": {Kind.KEY},
    "file: in/profile*.toml": {Kind.PIN},
    "file: in/*.pin": {Kind.PIN},
    "file: in/roster*": PEOPLE,
    # Whom it is about, for those who have to know.
    "file: work/*.db": PEOPLE,
    "file: work/*.db-wal": PEOPLE,
    "file: work/*/rejects-*": PEOPLE,
    "file: work/*/return-*": PEOPLE,
    "file: work/rejects.*": PEOPLE,
    "file: work/sample.*": PEOPLE,
    "file: work/export.*": PEOPLE,
    # The same files while they are being written, beside the place where they appear.
    "removed: work/.cardkit-*": PEOPLE,
    "removed: work/*/.cardkit-*": PEOPLE,
    # A real chip would be in a reader.
    "file: work/*.card": EVERYTHING_OF_A_CARD,
    "file: work/*/virtual-cards/*": EVERYTHING_OF_A_CARD,  # also those of a killed program
    # Asked for in so many words.
    "file: work/unmasked.trace": {*PEOPLE, Kind.PIN},
    "stdout: card read*": PEOPLE,
    "stdout: card dump*": PEOPLE,
    "stdout: card apdu*": PEOPLE,
    "stdout: card shell*": PEOPLE,
    "stdout: card trace*--unmask*": {*PEOPLE, Kind.PIN},
    "stdout: registry list*--full*": PEOPLE,
    "stdout: registry list*--json*": PEOPLE,
    "stdout: registry show*--full*": PEOPLE,
    "stdout: registry show*--json*": PEOPLE,
}


def allowed_at(place: str, belongs: Mapping[str, Collection[Kind]] = ALLOWED) -> set[Kind]:
    """Kinds that may be found at a place."""
    return {
        kind for pattern, kinds in belongs.items() if fnmatchcase(place, pattern) for kind in kinds
    }


def unneeded(
    searcher: Searcher,
    evidence: Iterable[Evidence],
    belongs: Mapping[str, Collection[Kind]] = ALLOWED,
) -> list[str]:
    """Allowances without anything to allow: permissions that are wider than they have to be."""
    pieces = sorted(evidence, key=lambda piece: len(piece.data))  # the quickest first

    def something(pattern: str) -> bool:
        return any(
            fnmatchcase(piece.place, pattern) and searcher.find([piece], {}) for piece in pieces
        )

    return [pattern for pattern in belongs if not something(pattern)]
