"""A log that shows when somebody changed it: every entry carries the digest of all before it.

Pure: entries go in as plain fields, digests come out; where they are kept is the caller's matter.
The registry, the key store and the terminals keep their logs in this shape.

``digest(n) = SHA-256(digest(n-1) || canonical(entry n))``, with 32 zero bytes before the first.
The canonical form is a JSON array of the fields without spaces, everything outside ASCII escaped,
so it does not depend on an encoding and two different entries never look alike. The first field
is the sequence number, 1, 2, 3 ... without a gap.

A chain cannot know that entries are missing *at its end*. Whoever wants to notice that keeps the
last digest somewhere else (a report, a signed page) and compares it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

GENESIS = bytes(32)

Scalar = str | int | None

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode


def canonical(fields: Sequence[Scalar]) -> bytes:
    r"""The bytes of an entry that are hashed.

    Examples
    --------
    >>> canonical([1, "2012-05-01T08:00:00.000Z", "新", None])
    b'[1,"2012-05-01T08:00:00.000Z","\\u65b0",null]'
    """
    return _encode(fields).encode("ascii")


def link(previous: bytes, fields: Sequence[Scalar]) -> bytes:
    """Digest of an entry that follows the one with digest `previous` (32 bytes each).

    Examples
    --------
    >>> link(GENESIS, [1, "a"]).hex()[:16]
    'a5a757075f6d1826'
    """
    return sha256(previous + canonical(fields)).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends: the number and the digest of its last entry."""

    sequence: int = 0
    digest: bytes = GENESIS


def chained(
    head: Head, entries: Iterable[Sequence[Scalar]]
) -> Iterator[tuple[Sequence[Scalar], bytes]]:
    """Digest of each of several new entries; their first fields continue from `head`.

    Raises
    ------
    ValueError
        An entry does not continue the numbering.
    """
    sequence, digest = head.sequence, head.digest
    for fields in entries:
        sequence += 1
        if fields[0] != sequence:
            raise ValueError(f"entry {fields[0]} cannot follow entry {sequence - 1}")
        digest = link(digest, fields)
        yield fields, digest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a log found.

    Parameters
    ----------
    head : Head
        The last entry up to which everything agrees.
    problem : str
        ``''``, or one line naming the first entry that does not agree.
    """

    head: Head
    problem: str = ""

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problem


def verify(entries: Iterable[tuple[Sequence[Scalar], bytes]], start: Head | None = None) -> Verdict:
    """Check a log from `start` (by default its beginning) to its end.

    Parameters
    ----------
    entries : iterable of (fields, digest)
        In the order in which they were written.

    Examples
    --------
    >>> one = link(GENESIS, [1, "made"])
    >>> two = link(one, [2, "handed out"])
    >>> verify([([1, "made"], one), ([2, "handed out"], two)]).intact
    True
    >>> verify([([1, "lost"], one), ([2, "handed out"], two)]).problem
    'entry 1 was changed'
    """
    head = start or Head()
    for fields, digest in entries:
        expected = head.sequence + 1
        if fields[0] != expected:
            return Verdict(head, f"entry {expected} is missing")
        if link(head.digest, fields) != digest:
            return Verdict(head, f"entry {expected} was changed")
        head = Head(expected, digest)
    return Verdict(head)
