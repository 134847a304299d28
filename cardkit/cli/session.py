"""A session with one card: its link, what is known about it, its keys, and a trace of it all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from cardkit.apdu.link import Link
from cardkit.cli import common
from cardkit.cli.card_trace import trace_options, tracing
from cardkit.cli.connect import open_reader
from cardkit.cli.pins import PinSource, pin_options
from cardkit.cli.psam_link import psam_options, psam_reader, psam_store
from cardkit.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from cardkit.card.card import Card
    from cardkit.card.files import Tree
    from cardkit.card.key_request import CardKeys, External, Internal, Seal, WriteKey
    from cardkit.card.procedure import Procedure
    from cardkit.card.procedures.read import Means
    from cardkit.issuance.card_in_reader import CardInReader
    from cardkit.keys import KeyStore
    from cardkit.keys.psam_guard import GuardedPsam
    from cardkit.profile import Profile

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """Which card a command works with, and how.

    Parameters
    ----------
    reader, image : optional
        See `cardkit.cli.connect.open_reader`.
    psam, psam_image : optional
        A PSAM that has the keys, see `cardkit.cli.psam_link`.
    profile : str or None
        Name or path; says which generation and which keys.
    trace : Path or None
        Where to record the session; ``unmask`` hides nothing in it.
    """

    reader: str | None
    image: Path | None
    profile: str | None
    trace: Path | None
    unmask: bool
    psam: str | None = None
    psam_image: Path | None = None

    def load_profile(self) -> Profile | None:
        """The profile, None when none is named."""
        return common.load_profile(self.profile) if self.profile else None


@dataclass(frozen=True, slots=True)
class KeysAndPin:
    """What a command may present to the card: the profile's keys, the holder's PIN."""

    keys: bool
    pin: PinSource = field(repr=False)

    def means(self) -> Means:
        """Get the PIN, if one is to be used."""
        from cardkit.card.procedures.read import Means  # noqa: PLC0415

        return Means(self.keys, self.pin.read("PIN 密码") if self.pin.wanted else None)

    @property
    def any(self) -> bool:
        """Whether anything is presented, so that the card is reset afterwards."""
        return self.keys or self.pin.wanted


def target_options(command: F) -> F:
    """Give a command the options of a `Target`, as one parameter ``target``."""

    def packed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        names = ("reader", "image", "profile", "trace", "unmask", "psam", "psam_image")
        target = Target(**{name: kwargs.pop(name) for name in names})
        return command(*args, target=target, **kwargs)

    text = "Profile 配置 of the card: its generation, and the keys to check or open it with."
    decorated = trace_options(_in_place_of(command, packed))
    decorated = common.profile_option(text=text)(psam_options(decorated))
    decorated = common.image_option()(decorated)
    return common.reader_option()(decorated)


def opening_options(command: F) -> F:
    """Give a command ``--with-keys`` and the PIN options, as one parameter ``opening``."""

    def packed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        pin = PinSource(kwargs.pop("pin"), kwargs.pop("pin_file"), kwargs.pop("pin_stdin"))
        return command(*args, opening=KeysAndPin(kwargs.pop("with_keys"), pin), **kwargs)

    ask = click.option(
        "--pin", is_flag=True, help="Ask for the holder's PIN 密码 and open files with it."
    )
    keys = click.option(
        "--with-keys", is_flag=True, help="Open files with the read keys 读密钥 of the profile."
    )
    return keys(ask(pin_options(_in_place_of(command, packed))))


def _in_place_of(command: F, packed: Callable[..., Any]) -> F:
    """``packed`` with name, help and options of ``command``, to be taken for it."""
    return cast(F, update_wrapper(packed, command))


@dataclass(slots=True)
class Session:
    """One card in a reader.

    Parameters
    ----------
    reader : str
        Full name, or ``virtual``.
    link : Link
        Behind its chain.
    card : Card
        What is known about it.
    keys : CardKeys
        Its keys, or `NoKeys`.
    """

    reader: str
    link: Link
    card: Card
    keys: CardKeys
    profile: Profile | None

    def run(self, procedure: Procedure[T]) -> T:
        """Run a procedure against this card."""
        from cardkit.card.procedure import run  # noqa: PLC0415

        return run(procedure, self.link, self.keys)

    def in_reader(self) -> CardInReader:
        """The same card, for a service at a window.

        Raises
        ------
        UsageError
            There is no profile.
        """
        from cardkit.issuance.card_in_reader import CardInReader  # noqa: PLC0415

        if self.profile is None:
            raise _no_profile()
        return CardInReader(self.profile, self.card, self.run, os.urandom)

    def reset(self) -> bytes:
        """Reset the chip; nothing is selected or open any more."""
        self.card.forget()
        return self.link.reset()


@contextmanager
def card_session(target: Target, *, opens: bool = False, keys: bool = False) -> Iterator[Session]:
    """Talk to the card of a target for the length of a ``with`` block.

    Parameters
    ----------
    opens : bool
        A PIN or key is presented: reset the card at the end.
    keys : bool
        The command cannot do without keys.

    Raises
    ------
    UsageError
        ``keys`` without a profile.
    """
    profile = target.load_profile()
    if (keys or target.psam or target.psam_image) and profile is None:
        raise _no_profile()
    from cardkit.card.authentication import KEY_VERSION  # noqa: PLC0415
    from cardkit.card.card import Card  # noqa: PLC0415

    tree = tree_of(profile)
    with (
        _psam_of(target, profile) as store,
        tracing(target.trace, unmask=target.unmask, generation=tree.generation) as wrap,
        open_reader(target.reader, target.image, wrap=wrap, reset_after=opens) as connection,
    ):
        atr = connection.link.atr
        held = keys_for(profile, atr, store)
        version = profile.card.key_version if profile else KEY_VERSION
        card = Card(tree, atr, key_version=version)  # it is believed about its algorithm
        yield Session(connection.reader, connection.link, card, held, profile)


def _no_profile() -> UsageError:
    return UsageError(
        "keys belong to a profile",
        hint="name it with --profile",
        zh="密钥由配置决定：请用 --profile 指明配置",
    )


@contextmanager
def _psam_of(target: Target, profile: Profile | None) -> Iterator[GuardedPsam | None]:
    with ExitStack() as stack:
        reader = psam_reader(target.psam, target.psam_image)
        if profile is None:
            yield None
        else:
            yield psam_store(stack, profile, reader, target.psam_image, "card")


def tree_of(profile: Profile | None) -> Tree:
    """Specification tree of a profile; generation 2.0 without one."""
    from cardkit.card.files import GENERATION_2, TREES  # noqa: PLC0415

    return GENERATION_2 if profile is None else TREES[profile.card.generation]


def keys_for(profile: Profile | None, atr: bytes, psam: GuardedPsam | None = None) -> CardKeys:
    """Keys of the card with this ATR, each derived when it is first needed."""
    if profile is None or len(atr) < 8:
        return NoKeys()
    from cardkit.cli.key_access import open_keys  # noqa: PLC0415
    from cardkit.issuance.plan import algorithm_of  # noqa: PLC0415
    from cardkit.keys import CardKeySet  # noqa: PLC0415
    from cardkit.keys.open_store import factors_above  # noqa: PLC0415

    store: KeyStore = psam or open_keys(profile, "card")
    algorithm = algorithm_of(profile).value
    return CardKeySet.on_demand(store, factors_above(profile), atr[-8:], algorithm)


class NoKeys:
    """Stands where keys would be; every question is refused with the way to get them."""

    def external(self, request: External) -> bytes:
        """Refuse."""
        raise _no_key(request.key)

    def internal(self, request: Internal) -> bytes:
        """Refuse."""
        raise _no_key(request.key)

    def seal(self, request: Seal) -> bytes:
        """Refuse."""
        raise _no_key(request.key)

    def write_key(self, request: WriteKey) -> bytes:
        """Refuse."""
        raise _no_key(request.key)


def _no_key(name: str) -> RefusedError:
    return RefusedError(f"this needs the key {name}", hint="name a profile with --profile")
