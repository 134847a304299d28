"""A window in a test: profile, registry, key ring, card factory, and people who want a card."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import itertools
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cardkit.apdu import Link
from cardkit.apdu.link import LinkLostError, chain
from cardkit.codec.numbers import citizen_check
from cardkit.issuance.feed import FeedEmpty, Obstacle, Stop
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import algorithm_of, tree_of
from cardkit.issuance.writer import Outcome, Writer
from cardkit.keys import KeyStore
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import Profile, load
from cardkit.registry.numbering import Numbering
from cardkit.registry.people import Applicant
from cardkit.registry.records import BatchInfo
from cardkit.registry.registry import Registry, sqlite_url
from cardkit.registry.store import CommitHook
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from cardkit.virtual.link import VirtualLink

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
LONG_NAME = "阿卜杜热合曼江·阿卜杜克热木·吐尔逊"


def master_keys() -> dict[tuple[str, int], bytes]:
    """The public test keys, for stores that hold a wrong one among them."""
    file = importlib.resources.files("keys_test") / "masters-3des.toml"
    keys = tomllib.loads(file.read_text(encoding="utf-8"))["keys"]
    return {(name, 1): bytes.fromhex(entry["value"]) for name, entry in keys.items()}


def counting_random() -> Callable[[int], bytes]:
    """Random bytes that are the same in every run."""
    numbers = itertools.count(1)
    return lambda n: next(numbers).to_bytes(8, "big").rjust(n, b"\x5a")[-n:]


def applicant(row: int, name: str = LONG_NAME, **more: object) -> Applicant:
    """A synthetic person of the unassigned district 639900; all ten window items are given."""
    body = f"63990019900101{row:03d}"
    values: dict[str, object] = {
        "row": row,
        "name": name,
        "citizen_number": body + citizen_check(body),
        "insurance_number": f"6399{row:06d}",
        "sex": "1" if row % 2 else "2",
        "birth_date": "19900101",
        "birthplace": "639900",
        "nation": "05",
    }
    return Applicant(**(values | more))  # type: ignore[arg-type]


class Workshop:
    """Everything a window has."""

    def __init__(
        self,
        folder: Path,
        people: list[Applicant],
        on_commit: CommitHook | None = None,
        profile: str = "test",
    ) -> None:
        self.profile: Profile = load(profile)
        self.store = open_store(self.profile)
        self.factory = CardFactory(self.profile, counting_random())
        self.url = sqlite_url(folder / "registry.db")
        self.people = people
        self.on_commit = on_commit
        with self.registry() as registry:
            self.enrol(registry, people)

    def registry(self, on_commit: CommitHook | None = None) -> Registry:
        """The registry, opened anew."""
        return Registry.open(self.url, clock=lambda: NOW, actor="tester", on_commit=on_commit)

    def enrol(self, registry: Registry, people: list[Applicant]) -> list[int | None]:
        """Card records of people."""
        numbers = self.profile.numbers
        numbering = Numbering(
            numbers.card_prefix, numbers.card_first, numbers.serial_first, self.profile.region.city
        )
        return registry.enrol(people, numbering, BatchInfo("roster.csv", "0" * 64, 1)).card_ids

    def writer(self, registry: Registry, store: object = None) -> Writer:
        """A writer for every planned record."""
        used: KeyStore = store or self.store  # type: ignore[assignment]
        above, tree = factors_above(self.profile), tree_of(self.profile)
        keyring = Keyring(used, above, tree, algorithm_of(self.profile))
        return Writer(self.profile, registry, registry.worklist(), keyring, counting_random())

    def process(self, card: VirtualCard) -> Outcome:
        """Put a card into the reader of a program that was just started."""
        with self.registry() as registry:
            return self.writer(registry).process(chain(VirtualLink(card)), "virtual")


class StackFeed:
    """A stack of virtual cards; what lost its power is put in again."""

    def __init__(self, name: str, cards: list[VirtualCard]) -> None:
        self.name = name
        self.cards = cards

    @contextmanager
    def next_card(self, stop: Stop, obstacle: Obstacle) -> Iterator[Link | None]:  # noqa: ARG002
        """See `cardkit.issuance.feed.Feed`."""
        if not self.cards:
            raise FeedEmpty
        card = self.cards.pop(0)
        card.insert()
        try:
            yield chain(VirtualLink(card))
        except LinkLostError:
            self.cards.insert(0, card)
            raise
        finally:
            card.power_off()
