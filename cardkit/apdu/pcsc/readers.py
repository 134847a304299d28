"""Which readers are there, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardkit.apdu.pcsc.calls import E_NO_READERS_AVAILABLE, call, scard
from cardkit.apdu.pcsc.errors import NoSuchReaderError

# Bits of a reader state, PC/SC part 5 (winscard.h); the event counter is in the upper 16 bits.
STATE_UNAWARE: Final = 0x0000
STATE_UNKNOWN: Final = 0x0004
STATE_UNAVAILABLE: Final = 0x0008
STATE_PRESENT: Final = 0x0020
STATE_EXCLUSIVE: Final = 0x0080
STATE_INUSE: Final = 0x0100
STATE_MUTE: Final = 0x0200

_NONE: Final = frozenset({E_NO_READERS_AVAILABLE})


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What a reader says of itself.

    Parameters
    ----------
    name : str
        As PC/SC lists it.
    present : bool
        A card is in it.
    atr : bytes
        Answer to reset of that card, empty when there is none or it is mute.
    in_use, exclusive : bool
        A program is connected to the card; it does not share it.
    mute : bool
        The card gives no ATR.
    events : int
        Counts insertions and removals; starts again with the service.
    """

    name: str
    present: bool
    atr: bytes = b""
    in_use: bool = False
    exclusive: bool = False
    mute: bool = False
    events: int = 0

    @classmethod
    def decode(cls, name: str, state: int, atr: bytes) -> ReaderState:
        """Read the state bits of SCardGetStatusChange.

        Examples
        --------
        >>> ReaderState.decode("R", 0x000201A2, b"").exclusive
        True
        """
        return cls(
            name,
            bool(state & STATE_PRESENT),
            atr,
            bool(state & STATE_INUSE),
            bool(state & STATE_EXCLUSIVE),
            bool(state & STATE_MUTE),
            state >> 16,
        )


def list_readers() -> list[str]:
    """Names of all readers, in the service's order; empty when none is connected.

    Raises
    ------
    NoServiceError, NoPermissionError
        The service cannot be asked.
    """
    answer = call(lambda context: scard().SCardListReaders(context, []), accept=_NONE)
    return list(answer[1])


def reader_states() -> list[ReaderState]:
    """What every reader says of itself; errors as `list_readers`."""
    names = list_readers()
    if not names:
        return []
    wanted = [(name, STATE_UNAWARE) for name in names]
    _, states = call(lambda context: scard().SCardGetStatusChange(context, 0, wanted))
    return [ReaderState.decode(name, state, bytes(atr)) for name, state, atr in states]


def find_reader(part_of_name: str) -> str:
    """The one reader whose name contains this text; an exact name wins.

    Raises
    ------
    NoSuchReaderError
        None or several have it.
    NoServiceError, NoPermissionError
        The service cannot be asked.
    """
    names = list_readers()
    wanted = part_of_name.casefold()
    found = [name for name in names if wanted in name.casefold()]
    exact = [name for name in found if name.casefold() == wanted]
    if len(exact or found) == 1:
        return (exact or found)[0]
    there = "; ".join(names) or "none"
    if found:
        raise NoSuchReaderError(
            f"{len(found)} readers have {part_of_name!r} in their name",
            hint=f"give more of the name; readers: {there}",
            zh=f"有 {len(found)} 台读卡器的名称含有“{part_of_name}”，请写得更完整；现有：{there}",
        )
    raise NoSuchReaderError(
        f"no reader has {part_of_name!r} in its name",
        hint=f"readers: {there}",
        zh=f"没有名称含有“{part_of_name}”的读卡器；现有：{there}",
    )
