"""What is done with the content of exchange files, one module a purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cardkit.registry.exchange.reading import Content
from cardkit.registry.exchange.services import (
    blacklist,
    comparison,
    factory,
    inquiry,
    loss,
    numbers,
    opening,
)
from cardkit.registry.exchange.work import Incoming, Outgoing, Work

Receive = Callable[[Work, Content], Incoming]
Send = Callable[[Work, int | None, list[int] | None], Outgoing]

RECEIVE: Mapping[str, Receive] = {
    "opening": opening.receive,
    "factory": factory.receive,
    "inquiry": inquiry.receive,
    "loss": loss.receive,
    "comparison": comparison.receive,
}
"""By the service of the layout of an incoming file."""

SEND: Mapping[str, Send] = {
    "opening": opening.send,
    "factory": factory.send,
    "numbers": numbers.send,
    "blacklist": blacklist.send,
}
"""By the service of the layout of an outgoing file; answers are made by `RECEIVE`."""
