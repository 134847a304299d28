"""Chips in PC/SC readers, on the low-level calls of pyscard.

`list_readers`, `reader_states` and `find_reader` tell what is there; `wait_for_card` and
`wait_for_removal` follow what people do, through unplugged readers and a restarted daemon;
`open_card` gives a link to a chip. Every error is one line with a hint what to do next.

pyscard is loaded with the first call, in one place.
"""

from cardkit.apdu.pcsc.errors import (
    CardBusyError,
    MuteCardError,
    NoCardError,
    NoPermissionError,
    NoServiceError,
    NoSuchReaderError,
    PcscError,
    ReaderGoneError,
)
from cardkit.apdu.pcsc.holders import Holder, find_holders
from cardkit.apdu.pcsc.link import Disposition, PcscLink, open_card
from cardkit.apdu.pcsc.readers import ReaderState, find_reader, list_readers, reader_states
from cardkit.apdu.pcsc.waiting import wait_for_card, wait_for_reader, wait_for_removal

__all__ = [
    "CardBusyError",
    "Disposition",
    "Holder",
    "MuteCardError",
    "NoCardError",
    "NoPermissionError",
    "NoServiceError",
    "NoSuchReaderError",
    "PcscError",
    "PcscLink",
    "ReaderGoneError",
    "ReaderState",
    "find_holders",
    "find_reader",
    "list_readers",
    "open_card",
    "reader_states",
    "wait_for_card",
    "wait_for_reader",
    "wait_for_removal",
]
