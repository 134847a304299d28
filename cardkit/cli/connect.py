"""From ``--reader`` and ``--image`` to a link with a chip at its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardkit.apdu.link import Link, chain
from cardkit.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.apdu.pcsc import ReaderState

VIRTUAL = "virtual"

_VIRTUAL_HINT = (
    "name the file of the card with --image; or start readers: sudo cardkit virtual readers"
)
_VIRTUAL_ZH = "没有虚拟读卡器：请用 --image 指明卡片映像文件，或先启动虚拟读卡器"

Wrap = Callable[[Link], Link]


@dataclass(frozen=True, slots=True)
class Connection:
    """A chip that can be talked to.

    Parameters
    ----------
    reader : str
        Full name of the reader, or ``virtual``.
    link : Link
        Behind the usual chain of links, unless it was asked for bare.
    t0 : bool
        Whether the chip is spoken to in T=0.
    """

    reader: str
    link: Link
    t0: bool = True


def find_pcsc() -> None:
    """Let PC/SC find a running service of virtual readers; before its first use."""
    if os.name != "posix":
        return
    from cardkit.virtual import service  # noqa: PLC0415

    directory = os.environ.get("CARDKIT_RUNTIME_DIR")
    found = service.client_environment(os.environ, Path(directory) if directory else None)
    os.environ.update(found)


@contextmanager
def open_reader(
    name: str | None,
    image: Path | None = None,
    *,
    raw: bool = False,
    wrap: Wrap | None = None,
    reset_after: bool = False,
) -> Iterator[Connection]:
    """Connect to a chip for the length of a ``with`` block.

    Parameters
    ----------
    name : str or None
        Part of a PC/SC reader's name. None, or a part that several readers share: the one with a
        card in it.
    image : Path, optional
        A virtual card in this process; ``name`` is then None or ``virtual``. What changes on it is
        saved when the block ends.
    raw : bool
        Without the chain: 61xx and 6Cxx are seen.
    wrap : callable, optional
        Put a link of its own (a trace) between the bare link and the chain.
    reset_after : bool
        Reset the chip at the end: levels that a PIN or key has opened stay open for nobody.

    Raises
    ------
    UsageError
        ``name`` and ``image`` contradict each other, or several readers have a card.
    PcscError
        No reader, no card, a busy card, no service.
    """
    if image is None:
        with _pcsc(name, reset_after=reset_after) as connection:
            yield _dressed(connection, raw=raw, wrap=wrap)
        return
    if name not in (None, VIRTUAL):
        raise UsageError(
            "--image is a card without a reader",
            hint="leave out --reader, or leave out --image",
            zh="--image 的卡片不用读卡器：请去掉 --reader 或 --image",
        )
    with _image(image) as connection:
        yield _dressed(connection, raw=raw, wrap=wrap)


def _dressed(connection: Connection, *, raw: bool, wrap: Wrap | None) -> Connection:
    link = wrap(connection.link) if wrap is not None else connection.link
    return Connection(
        connection.reader, link if raw else chain(link, t0=connection.t0), connection.t0
    )


@contextmanager
def _pcsc(name: str | None, *, reset_after: bool) -> Iterator[Connection]:
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415

    try:
        states = pcsc.reader_states()
    except pcsc.NoServiceError as error:
        if name != VIRTUAL:
            raise
        raise pcsc.NoSuchReaderError(
            f"no virtual reader: {error.message}", hint=_VIRTUAL_HINT, zh=_VIRTUAL_ZH
        ) from None
    reader = choose_reader(name, states)
    link = pcsc.open_card(reader)
    try:
        yield Connection(reader, link, t0=link.protocol == "T=0")
    finally:
        link.close(pcsc.Disposition.RESET if reset_after else pcsc.Disposition.LEAVE)


@contextmanager
def _image(image: Path) -> Iterator[Connection]:
    from cardkit.virtual.card import VirtualCard  # noqa: PLC0415
    from cardkit.virtual.link import VirtualLink  # noqa: PLC0415

    card = VirtualCard.load(image)
    before = card.snapshot()
    try:
        yield Connection(VIRTUAL, VirtualLink(card))
    finally:
        if card.snapshot() != before:  # a spent PIN try counts, whatever happened
            card.save(image)


def choose_reader(part: str | None, states: list[ReaderState]) -> str:
    """The reader that is meant: by its name, or because it alone has a card.

    Raises
    ------
    NoSuchReaderError
        No reader, or none of that name.
    NoCardError
        Several may be meant and all are empty.
    UsageError
        Several may be meant and have a card.
    """
    from cardkit.apdu.pcsc import NoCardError  # noqa: PLC0415

    wanted = (part or "").casefold()
    meant = [state for state in states if wanted in state.name.casefold()]
    exact = [state for state in meant if state.name.casefold() == wanted]
    if len(exact or meant) == 1:
        return (exact or meant)[0].name
    if not meant:
        raise _none_of_that_name(part, states)
    filled = [state.name for state in meant if state.present]
    if len(filled) == 1:
        return filled[0]
    if filled:
        raise UsageError(
            f"{len(filled)} readers have a card",
            hint=f"name one with --reader: {'; '.join(filled)}",
            zh=f"有 {len(filled)} 台读卡器里有卡片：请用 --reader 指明一台：{'；'.join(filled)}",
        )
    raise NoCardError(
        f"none of {len(meant)} readers has a card",
        hint="put a card in, or wait a moment",
        zh=f"{len(meant)} 台读卡器里都没有卡片：请插入卡片",
    )


def _none_of_that_name(part: str | None, states: list[ReaderState]) -> UnreachableError:
    from cardkit.apdu.pcsc import NoSuchReaderError  # noqa: PLC0415

    if part == VIRTUAL:
        return NoSuchReaderError("no virtual reader is there", hint=_VIRTUAL_HINT, zh=_VIRTUAL_ZH)
    if not states:
        from cardkit.apdu.pcsc.calls import VIRTUAL_READERS  # noqa: PLC0415

        return NoSuchReaderError(
            "no reader is connected",
            hint=f"plug one in; {VIRTUAL_READERS}",
            zh="没有连接读卡器：请连接一台",
        )
    there = "; ".join(state.name for state in states)
    return NoSuchReaderError(
        f"no reader has {part!r} in its name",
        hint=f"readers: {there}",
        zh=f"没有名称含有“{part}”的读卡器；现有：{there}",
    )
