"""From ``--psam`` to a key store: a PSAM in a reader, or a virtual one of an image file."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from cardkit.apdu.link import Link, chain
from cardkit.cli import common, places
from cardkit.cli.connect import VIRTUAL, choose_reader, find_pcsc
from cardkit.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.apdu.pcsc import PcscLink
    from cardkit.keys.psam import Connect
    from cardkit.keys.psam_guard import GuardedPsam
    from cardkit.profile import Profile

T = TypeVar("T")

_LOOK = 0.3  # seconds between two looks whether the PSAM is back
_SILENT = 2.0  # an outage is told once; after so many seconds without one, the next is another


def psam_options(command: common.F) -> common.F:
    """``--psam`` and ``--psam-image`` (parameters ``psam`` and ``psam_image``)."""
    reader = click.option(
        "--psam",
        metavar="NAME",
        envvar="CARDKIT_PSAM",
        help="Keys from the PSAM 安全存取模块 in this reader (part of its name).",
    )
    image = click.option(
        "--psam-image", type=common.PATH, help="Keys from the virtual PSAM of this image file."
    )
    return reader(image(command))


def psam_reader(name: str | None, image: Path | None) -> str | None:
    """Full name of the reader with the PSAM; None without one.

    Raises
    ------
    UsageError
        Both a reader and an image, or several readers may be meant.
    PcscError
        No such reader.
    """
    if name is None:
        return None
    if image is not None:
        raise UsageError(
            "--psam-image is a PSAM without a reader", hint="leave out --psam or --psam-image"
        )
    if name == VIRTUAL:
        raise UsageError("a virtual PSAM is named by its file", hint="--psam-image FILE")
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415

    return choose_reader(name, pcsc.reader_states())


@contextmanager
def psam_connection(reader: str | None, image: Path | None) -> Iterator[Connect]:
    """What `cardkit.keys.psam.PsamStore` connects with, for the length of a ``with`` block.

    At the end the PSAM loses its power, so that no process key stays in it.
    """
    if image is not None:
        yield _image_connection(image)
        return
    if reader is None:
        raise UsageError("no PSAM is named", hint="--psam NAME, or --psam-image FILE")
    owner = _Owner(reader)
    try:
        yield owner.connect
    finally:
        owner.close()


def psam_store(
    stack: contextlib.ExitStack,
    profile: Profile,
    reader: str | None,
    image: Path | None,
    purpose: str,
) -> GuardedPsam | None:
    """The PSAM that is meant, as a key store until the stack is closed; None when none is."""
    if reader is None and image is None:
        return None
    from cardkit.keys.open_psam import PsamAccess, open_psam  # noqa: PLC0415

    access = PsamAccess(psam_log(image), common.now, common.operator(), purpose)
    store = open_psam(profile, stack.enter_context(psam_connection(reader, image)), access)
    stack.callback(store.close)  # what was counted is written
    return store


def psam_log(image: Path | None) -> Path:
    """Where the use of a PSAM's keys is written unless the profile says it."""
    if image is not None:
        return image.with_name(image.name + ".audit")
    return places.make_private(places.state_directory()) / "psam.audit"


def _image_connection(image: Path) -> Connect:
    from cardkit.virtual.link import VirtualLink  # noqa: PLC0415
    from cardkit.virtual.psam import VirtualPsam  # noqa: PLC0415

    psam = VirtualPsam.load(image)

    def connect() -> Link:
        psam.power_on()
        return chain(VirtualLink(psam))

    return connect


class _Owner:
    """The PSAM's link and the one thread that uses it.

    Threads of several readers ask the PSAM, but a PC/SC context serves one thread: while that waits
    for the next card in its own reader, nobody else gets through.
    """

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="PSAM")
        self._link: PcscLink | None = None

    def connect(self) -> Link:
        """A fresh link; the PSAM is reset."""
        return self.run(self._open)

    def _open(self) -> Link:
        from cardkit.apdu import pcsc  # noqa: PLC0415

        if self._link is not None:
            self._link.close()
        self._link = pcsc.open_card(self._reader)
        self._link.reset()
        return _Remote(self, chain(self._link, t0=self._link.protocol == "T=0"))

    def run(self, work: Callable[[], T]) -> T:
        """Have the thread do something, and wait for it."""
        return self._thread.submit(work).result()

    def close(self) -> None:
        """Let go of the PSAM, without power, and end the thread."""
        with contextlib.suppress(UnreachableError):
            self.run(self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        from cardkit.apdu import pcsc  # noqa: PLC0415

        if self._link is not None:
            self._link.close(pcsc.Disposition.UNPOWER)


class _Remote:
    """A link whose commands another thread sends."""

    def __init__(self, owner: _Owner, link: Link) -> None:
        self._owner = owner
        self._link = link

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._link.atr

    def transmit(self, apdu: bytes) -> bytes:
        """See `Link`."""
        return self._owner.run(lambda: self._link.transmit(apdu))

    def reset(self) -> bytes:
        """See `Link`."""
        return self._owner.run(self._link.reset)


class Patience:
    """Waits for a PSAM that was pulled, and tells the operator once.

    Parameters
    ----------
    tell : callable
        Gets the error.
    stopped : callable
        True when nobody wants to wait any longer.
    """

    def __init__(
        self, tell: Callable[[UnreachableError], None], stopped: Callable[[], bool]
    ) -> None:
        self._tell = tell
        self._stopped = stopped
        self._last = 0.0

    def __call__(self, error: UnreachableError) -> bool:
        """Wait a little; False to give up."""
        if self._stopped():
            return False
        now = time.monotonic()
        if not self._last or now - self._last > _SILENT:
            self._tell(error)
        time.sleep(_LOOK)
        self._last = time.monotonic()
        return True
