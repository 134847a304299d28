"""Wire clock: how long the same work takes on a real chip.

A T=0 command is 5 header bytes, one procedure byte when data follow, the data, and SW1 SW2; a
character takes 12 etu (ISO 7816-3: 10 moments and a guard time of 2). To that comes the time the
chip needs to program EEPROM pages; its figures are ours, taken from common data sheets.
"""

from __future__ import annotations

from cardkit.virtual.card.atr import DEFAULT_FI_DI, bits_per_second, offered_fi_di
from cardkit.virtual.card.card import VirtualCard

ETU_PER_CHARACTER = 12
PAGE_SECONDS = 0.004  # programming one page of 64 bytes (ours)
USUAL_SPEEDS = (9_600, 38_400, 115_200)  # bit/s
_PPS_CHARACTERS = 8  # PPSS PPS0 PPS1 PCK, there and back
_HEADER, _PROCEDURE, _STATUS = 5, 1, 2


def characters(command: bytes, answer: bytes) -> int:
    r"""Characters of one exchange on the wire.

    Examples
    --------
    >>> characters(bytes.fromhex("00D60000F7") + bytes(247), b"\x90\x00")
    255
    >>> characters(bytes.fromhex("00B2012C12"), bytes(18) + b"\x90\x00")
    26
    """
    sent = min(command[4], len(command) - 5) if len(command) > 5 else 0
    received = len(answer) - _STATUS
    return _HEADER + (_PROCEDURE if sent or received else 0) + sent + received + _STATUS


def speeds(atr: bytes) -> tuple[int, ...]:
    """Speeds in bit/s at 3.5712 MHz that an ATR allows, slowest first.

    Examples
    --------
    >>> speeds(bytes.fromhex("3B6D00000087BF10028649639900000001"))
    (9600,)
    """
    fastest = bits_per_second(offered_fi_di(atr))
    usual = {speed for speed in USUAL_SPEEDS if speed <= fastest}
    return tuple(sorted(usual | {bits_per_second(DEFAULT_FI_DI), fastest}))


class WireClock:
    """Adds up the exchanges of one card from the moment it is made.

    Parameters
    ----------
    card : VirtualCard
        Its resets and answered commands are counted. A command that a fault left unanswered is
        not, its EEPROM pages are.

    Attributes
    ----------
    exchanges, characters, resets, reset_characters : int
        Answered commands (GET RESPONSE too) with their characters, and ATRs with theirs.
    """

    def __init__(self, card: VirtualCard) -> None:
        self._card = card
        self.restart()
        card.on_exchange.append(self._exchanged)
        card.on_reset.append(self._reset)

    def restart(self) -> None:
        """Count from zero again."""
        self.exchanges = self.characters = self.resets = self.reset_characters = 0
        self._first_page = self._card.chip.memory.pages_written

    def stop(self) -> None:
        """Stop counting; the figures stay."""
        self._card.on_exchange.remove(self._exchanged)
        self._card.on_reset.remove(self._reset)

    def _exchanged(self, command: bytes, answer: bytes) -> None:
        self.exchanges += 1
        self.characters += characters(command, answer)

    def _reset(self, atr: bytes) -> None:
        self.resets += 1
        self.reset_characters += len(atr)

    @property
    def pages(self) -> int:
        """EEPROM pages programmed."""
        return self._card.chip.memory.pages_written - self._first_page

    @property
    def speeds(self) -> tuple[int, ...]:
        """Speeds in bit/s that the card's ATR allows."""
        return speeds(self._card.atr)

    def seconds(self, speed: int, *, offered: bool = True) -> float:
        """Time of everything so far at a speed.

        ATR and PPS always go at the slowest speed; PPS is needed after each reset for any other.

        Parameters
        ----------
        speed : int
            bit/s.
        offered : bool
            False to ask what the same work would take on a chip whose ATR offers the speed.

        Raises
        ------
        ValueError
            The ATR does not offer this speed.
        """
        if offered and speed not in self.speeds:
            raise ValueError(f"this card offers {self.speeds} bit/s, not {speed}")
        slowest = self.speeds[0]
        negotiated = self.resets * _PPS_CHARACTERS if speed != slowest else 0
        slow = self.reset_characters + negotiated
        return (
            _wire_seconds(slow, slowest)
            + _wire_seconds(self.characters, speed)
            + self.pages * PAGE_SECONDS
        )


def _wire_seconds(count: int, speed: int) -> float:
    return count * ETU_PER_CHARACTER / speed
