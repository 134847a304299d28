"""Response APDU and status words (ISO 7816-4 5.6, PBOC/FMCOS additions in 93xx and 94xx)."""

from __future__ import annotations

from dataclasses import dataclass

from cardkit.apdu.command import Command
from cardkit.errors import CardkitError, ExitCode, RefusedError

_MEANINGS = {
    0x9000: "done",
    0x6281: "data may be corrupt",
    0x6283: "selected file invalid, or key check error",
    0x6400: "no change of memory",
    0x6581: "memory failure, the chip is worn out",
    0x6700: "wrong length",
    0x6882: "secure messaging not supported",
    0x6900: "class byte does not fit the line protection",
    0x6901: "not allowed in this state",
    0x6981: "wrong file type",
    0x6982: "security condition not met",
    0x6983: "blocked",
    0x6984: "challenge or reference data unusable",
    0x6985: "conditions of use not met",
    0x6986: "no file selected",
    0x6987: "secure messaging object missing",
    0x6988: "secure messaging object wrong",
    0x6A80: "wrong data",
    0x6A81: "function not supported, or card locked",
    0x6A82: "file not found",
    0x6A83: "record not found",
    0x6A84: "no space left in the file",
    0x6A86: "wrong P1 P2",
    0x6A88: "key not found",
    0x6B00: "offset outside the file",
    0x6D00: "instruction not known",
    0x6E00: "class not known",
    0x6F00: "no precise diagnosis",
    0x9302: "wrong MAC",
    0x9303: "application permanently locked",
    0x9401: "amount not sufficient",
    0x9403: "key index not known",
    0x9406: "MAC not available",
}

_REFUSALS = frozenset({0x6982, 0x6983, 0x6988, 0x9302, 0x9303})


class StatusWord(int):
    """SW1 SW2 of an answer.

    Examples
    --------
    >>> StatusWord(0x63C2).tries_left
    2
    >>> print(StatusWord(0x6A82))
    6A82 (file not found)
    """

    @property
    def ok(self) -> bool:
        """9000."""
        return self == 0x9000

    @property
    def more(self) -> int | None:
        """Bytes waiting for GET RESPONSE (61xx; 256 for 6100), else None."""
        return (self & 0xFF) or 256 if self >> 8 == 0x61 else None

    @property
    def right_length(self) -> int | None:
        """Le the card wants (6Cxx; 256 for 6C00), else None."""
        return (self & 0xFF) or 256 if self >> 8 == 0x6C else None

    @property
    def warning(self) -> bool:
        """62xx or 63xx: done, with a remark."""
        return self >> 8 in (0x62, 0x63)

    @property
    def tries_left(self) -> int | None:
        """Tries left of the key or PIN just presented (63Cx), 0 when blocked (6983), else None."""
        if self & 0xFFF0 == 0x63C0:
            return self & 0xF
        return 0 if self == 0x6983 else None

    @property
    def meaning(self) -> str:
        """A few words for people."""
        if self & 0xFFF0 == 0x63C0:
            return f"wrong, {self & 0xF} tries left"
        if self.more is not None:
            return f"{self.more} bytes waiting"
        if self.right_length is not None:
            return f"wrong Le, {self.right_length} bytes there"
        return _MEANINGS.get(self, "not in the list of known status words")

    def __str__(self) -> str:
        return f"{int(self):04X} ({self.meaning})"

    def __repr__(self) -> str:
        return f"StatusWord(0x{int(self):04X})"


@dataclass(frozen=True, slots=True)
class Response:
    """What a chip answered.

    Examples
    --------
    >>> answer = Response.parse(bytes.fromhex("0304322E30309000"))
    >>> answer.data.hex(), answer.sw.ok
    ('0304322e3030', True)
    """

    data: bytes
    sw: StatusWord

    def __repr__(self) -> str:
        return f"Response({len(self.data)} bytes, {int(self.sw):04X})"

    @classmethod
    def parse(cls, raw: bytes) -> Response:
        """Split data and status word.

        Raises
        ------
        ValueError
            Fewer than two bytes.
        """
        if len(raw) < 2:
            raise ValueError("an answer has at least two bytes")
        return cls(raw[:-2], StatusWord(raw[-2] << 8 | raw[-1]))

    def to_bytes(self) -> bytes:
        """Data ‖ SW1 SW2."""
        return self.data + self.sw.to_bytes(2, "big")


class StatusError(CardkitError):
    """A card refused a command.

    Parameters
    ----------
    sw : StatusWord
        What it answered.
    command : Command
        What was asked; only its header is ever shown.
    what : str
        The step in words, e.g. ``"UPDATE RECORD 08"``.
    file : str
        The file it concerned, e.g. ``"SSSE EF06"``.
    """

    exit_code = ExitCode.PARTIAL

    def __init__(
        self, sw: StatusWord, command: Command, *, what: str = "", file: str = "", hint: str = ""
    ) -> None:
        step = what or f"command {command.header.hex().upper()}"
        place = f" in {file}" if file else ""
        super().__init__(
            f"{step}{place}: card answers {sw}",
            hint=hint,
            zh=f"{' '.join(filter(None, (step, file)))}：卡片返回{int(sw):04X}，未完成",
        )
        self.sw = sw
        self.header = command.header
        self.file = file
        if sw in _REFUSALS or sw.tries_left is not None:
            self.exit_code = RefusedError.exit_code

    def details(self) -> dict[str, object]:
        """Status word, command header and file, for programs."""
        return {
            "sw": f"{int(self.sw):04X}",
            "command": self.header.hex().upper(),
            "file": self.file,
        }
