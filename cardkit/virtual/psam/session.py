"""What a reset of a PSAM takes away: where it is, the challenge, the process key."""

from __future__ import annotations

from cardkit.virtual.psam.chip import Place


class ProcessKey:
    """A key that lives for one card.

    Parameters
    ----------
    kind : int
        Type of the key it comes from.
    """

    def __init__(self, place: Place, kind: int, value: bytes) -> None:
        self.place = place
        self.kind = kind
        self.value = value
        self.chain: bytes | None = None
        """Last block of a MAC that is not finished yet."""

    def __repr__(self) -> str:
        return f"ProcessKey({self.place.name})"


class Session:
    """From one reset to the next; the MF, which is the DES environment, is selected."""

    def __init__(self) -> None:
        self.place = Place.DES
        self.in_application = False
        self.file: int | None = None
        self.waiting = b""
        self.challenge: bytes | None = None
        self.process_key: ProcessKey | None = None

    def enter(self, place: Place, *, application: bool) -> None:
        """After SELECT of a directory: no file, no process key."""
        self.place = place
        self.in_application = application
        self.file = None
        self.process_key = None
