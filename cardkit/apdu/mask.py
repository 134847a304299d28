"""Masking: which bytes of an exchange a trace may show.

The rules are the table of `cardkit.apdu.instructions`. Header, Lc and status word stay visible, and
so does the length of what is hidden. Whatever is not in the table, is protected by secure
messaging, chained, on another channel or of a shape that does not agree with itself is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cardkit.apdu.instructions import GET_RESPONSE, UNKNOWN, Instruction, Shown, find, protected

HIDDEN = "**"
"""How a hidden byte is written."""

_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_HEADER = 5  # CLA INS P1 P2 P3
_STATUS = 2
_TAG_AND_LENGTH = 2
_CHAINING_BIT = 0x10
_TAG_MODE = 0x07  # low bits of P2 of record commands: 0 means that P1 is a tag


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bytes of which some are hidden.

    Parameters
    ----------
    value : bytes
        00 where a byte is hidden.
    hidden : frozenset of int
        Positions of the hidden bytes.

    Examples
    --------
    >>> Pattern.parse("00DC072C0B07**").matches(bytes.fromhex("00DC072C0B0799"))
    True
    >>> Pattern.parse("9000")
    Pattern(2 bytes, 0 hidden)
    """

    value: bytes = field(repr=False)
    hidden: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read hex digits, with ``**`` for a hidden byte; spaces between bytes do not count.

        Raises
        ------
        ValueError
            Anything else.
        """
        digits = text.replace(" ", "").replace("\t", "")
        pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)] if "*" in digits else []
        hidden = frozenset(at for at, pair in enumerate(pairs) if pair == HIDDEN)
        shown = "".join("00" if pair == HIDDEN else pair for pair in pairs) if pairs else digits
        if len(shown) % 2 or not _HEX_DIGITS.issuperset(shown):
            raise ValueError("pairs of hex digits or ** wanted")
        return cls(bytes.fromhex(shown), hidden)

    @classmethod
    def showing(cls, data: bytes, *visible: range) -> Pattern:
        """Hide all but some ranges of positions."""
        value = bytearray(len(data))
        for part in visible:
            value[part.start : part.stop] = data[part.start : part.stop]
        return cls(bytes(value), frozenset(range(len(data))).difference(*visible))

    def hiding(self, other: Pattern) -> Pattern:
        """The same bytes without those that ``other`` hides."""
        hidden = self.hidden | other.hidden
        shown = bytes(0 if at in hidden else byte for at, byte in enumerate(self.value))
        return Pattern(shown, hidden)

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Pattern({len(self.value)} bytes, {len(self.hidden)} hidden)"

    def __str__(self) -> str:
        return self.part(0, len(self.value))

    def part(self, start: int, end: int) -> str:
        """Hex of some positions."""
        digits = self.value[start:end].hex().upper()
        if not self.hidden:
            return digits
        hidden = self.hidden
        pairs = range(0, len(digits), 2)
        return "".join(
            [HIDDEN if start + at // 2 in hidden else digits[at : at + 2] for at in pairs]
        )

    def matches(self, data: bytes) -> bool:
        """Whether ``data`` has this length and the same visible bytes."""
        return self.difference(data) is None

    def difference(self, data: bytes) -> int | None:
        """First position that differs, the shorter length when one runs out, None for a match."""
        for at, (mine, other) in enumerate(zip(self.value, data, strict=False)):
            if mine != other and at not in self.hidden:
                return at
        return None if len(data) == len(self.value) else min(len(data), len(self.value))


class Masker:
    """Hides what must not be seen of one session, exchange after exchange.

    It remembers the last command: GET RESPONSE brings the rest of that one's answer, and what
    follows a piece of a chain begins somewhere within the data.
    """

    def __init__(self) -> None:
        self._waiting = UNKNOWN
        self._chained = False

    def reset(self) -> None:
        """The chip was reset: nothing waits."""
        self._waiting, self._chained = UNKNOWN, False

    def mask(self, command: bytes, answer: bytes | None) -> tuple[Pattern, Pattern | None]:
        """Hide what must be hidden of a command and of its answer."""
        row = find(command)
        if row.ins == GET_RESPONSE:
            shown = self._waiting.answer is Shown.ALL
            return _command(command, Shown.NOTHING), _answer(answer, len(answer or b"") * shown)
        # A protected answer carries a MAC, whatever it is about.
        usable = UNKNOWN if protected(command) or self._chained else row
        self._waiting = usable
        self._chained = bool(command) and bool(command[0] & _CHAINING_BIT)
        return _command(command, usable.data), _answer(answer, _shown(usable, command, answer))


def mask(command: bytes, answer: bytes | None = None) -> tuple[Pattern, Pattern | None]:
    """Mask one exchange that stands alone; the answer of a GET RESPONSE is hidden."""
    return Masker().mask(command, answer)


def _command(command: bytes, shown: Shown) -> Pattern:
    head = min(_HEADER, len(command))
    lc = command[4] if len(command) > _HEADER else 0
    agrees = len(command) - _HEADER - lc in (0, 1) and lc
    if not agrees:  # extended lengths too: nothing that long is free of personal data
        return Pattern.showing(command, range(head))
    if shown is Shown.ALL:
        return Pattern(command)
    # Le stays hidden too: in a command with a wrong Lc it would be the last byte of the data.
    visible = _visible(shown, command, command[_HEADER : _HEADER + lc])
    return Pattern.showing(command, range(head + visible))


def _shown(row: Instruction, command: bytes, answer: bytes | None) -> int:
    return _visible(row.answer, command, answer[:-_STATUS]) if answer else 0


def _answer(answer: bytes | None, visible: int) -> Pattern | None:
    if answer is None:
        return None
    if len(answer) < _STATUS:
        return Pattern.showing(answer)
    data = len(answer) - _STATUS
    return Pattern.showing(answer, range(min(visible, data)), range(data, len(answer)))


def _visible(shown: Shown, command: bytes, data: bytes) -> int:
    """How many bytes of ``data`` may be seen, from the left."""
    if shown is Shown.ALL:
        return len(data)
    by_tag = shown is Shown.TAG and command[3] & _TAG_MODE == 0 and command[2] != 0
    if by_tag and data[:_TAG_AND_LENGTH] == bytes((command[2], (len(data) - 2) & 0xFF)):
        return _TAG_AND_LENGTH
    return 0
