"""Where cards come from: one `Feed` a reader, which says when the next card is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from cardkit.apdu import Link
from cardkit.apdu.link import LinkLostError, chain
from cardkit.errors import UnreachableError

Stop = Callable[[], bool]
Obstacle = Callable[[UnreachableError], None]


class FeedEmpty(Exception):  # noqa: N818 - not an error: there are no more cards
    """The feed has no more cards."""


class Feed(Protocol):
    """Gives one card after the other."""

    @property
    def name(self) -> str:
        """Name of the reader, for the record."""

    def next_card(self, stop: Stop, obstacle: Obstacle) -> AbstractContextManager[Link | None]:
        """The next card, from the moment it is in until it may be taken out.

        Parameters
        ----------
        stop : callable
            Asked several times a second; once true, the wait ends with None.
        obstacle : callable
            Told what stands in the way, each time that changes.

        Raises
        ------
        FeedEmpty
            There will be no more.
        UnreachableError
            Reader, card or service is gone; ask again, waiting goes on when it is back.
        """


class NextCardError(UnreachableError):
    """The card that was made, or refused, is still in."""

    def __init__(self, reader: str) -> None:
        super().__init__(
            f"the card in {reader} is done",
            hint="take it out, put the next one in",
            zh=f"{reader} 中的卡片已处理完：请取出，放入下一张",
        )


class UnfinishedCardError(UnreachableError):
    """The card that was in is not finished, and not back yet."""

    def __init__(self, reader: str) -> None:
        super().__init__(
            f"the card that was in {reader} is not finished",
            hint="put the same card in again, here or in another reader",
            zh=f"{reader} 中的卡片没有做完：请放回同一张卡（哪台读卡器都可以）",
        )


class PcscFeed:
    """A PC/SC reader that a person, or a machine, puts cards into.

    Parameters
    ----------
    reader : str
        Full name of the reader.
    idle : float, optional
        Seconds without a card after which the feed counts as empty; None waits for ever.
    """

    def __init__(self, reader: str, *, idle: float | None = None) -> None:
        self.name = reader
        self._idle = idle
        self._seen: int | None = None
        self._unfinished = False

    @contextmanager
    def next_card(self, stop: Stop, obstacle: Obstacle) -> Iterator[Link | None]:
        """See `Feed`. The same card is not given twice: it has to be taken out first."""
        from cardkit.apdu import pcsc  # noqa: PLC0415 - pyscard only where a reader is used

        def tell(error: UnreachableError) -> None:
            if self._seen is None or not isinstance(error, pcsc.NoCardError):
                obstacle(error)
            elif self._unfinished:
                obstacle(UnfinishedCardError(self.name))
            else:
                obstacle(NextCardError(self.name))

        try:
            state = pcsc.wait_for_card(
                self.name, self._idle, after=self._seen, stop=stop, on_obstacle=tell
            )
        except pcsc.NoCardError:
            raise FeedEmpty from None
        if state is None:
            yield None
            return
        with pcsc.open_card(self.name) as link:
            self._unfinished = False
            try:
                yield chain(link, t0=link.protocol == "T=0")
            except LinkLostError:
                self._unfinished = True
                raise
            finally:
                link.close(pcsc.Disposition.UNPOWER)
                self._seen = state.events
