"""What goes onto a card: pure, from a profile and a card record to a value for every item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from cardkit.card.card import Card
from cardkit.card.files import TREES, Tree
from cardkit.card.files.codings import Value
from cardkit.card.key_request import KeyUse
from cardkit.card.messaging import Messaging
from cardkit.card.procedures.identify import Expected
from cardkit.codec.text import FOUR_BYTES, split_name
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import CardkitError, ExitCode
from cardkit.profile import Profile
from cardkit.registry.records import CardRecord


class PlanError(CardkitError):
    """What the registry holds of a person does not fit the card."""

    exit_code = ExitCode.PARTIAL
    zh = "登记资料不符合卡片数据项的格式，未写入：请更正花名册后重新登记"


@dataclass(frozen=True, slots=True)
class Plan:
    """Values by address; an address that is missing stays unfilled."""

    card_id: int
    values: Mapping[str, Value] = field(repr=False)


def tree_of(profile: Profile) -> Tree:
    """Specification tree of the profile's generation."""
    return TREES[profile.card.generation]


def algorithm_of(profile: Profile) -> Algorithm:
    """What the cards of a profile compute with."""
    return Algorithm.of_card(profile.card.algorithm)


def card_of(profile: Profile, atr: bytes) -> Card:
    """A card of a profile, of which nothing is known but its ATR."""
    version = profile.card.key_version
    return Card(tree_of(profile), atr, algorithm_of(profile), key_version=version)


def messaging_of(profile: Profile) -> Messaging:
    """How the chips of a profile protect commands."""
    rules = profile.messaging
    return Messaging(
        KeyUse(rules.key),
        rules.challenge,
        {"": None, "left4": False, "fold4": True}[rules.mac],
        rules.padding == "always",
    )


def expected_card(profile: Profile) -> Expected:
    """What a card must show to be written under the profile."""
    return Expected(profile.card.version, profile.district, profile.card.algorithm)


def plan(profile: Profile, record: CardRecord) -> Plan:
    """Work out what is written for a record whose chip has been chosen.

    The issue date is the local day of the record's intent, so that a card taken up again the next
    day still carries one date everywhere.

    Raises
    ------
    PlanError
        A value does not fit its item: registered under other rules than the roster's are now.
    """
    try:
        return Plan(record.card_id, _values(profile, record))
    except (ValueError, KeyError):
        raise PlanError(
            f"the data of card record {record.card_id} do not fit the card",
            hint="correct the roster and enrol it again",
        ) from None


def _values(profile: Profile, record: CardRecord) -> dict[str, Value]:
    tree = tree_of(profile)
    issued = local_day(profile, record.writing_at)
    name, extension = split_name(record.name, FOUR_BYTES)
    values: dict[str, Value] = {
        "SSSE.EF05.05": issued,
        "SSSE.EF05.06": years_later(issued, profile.issue.validity_years),
        "SSSE.EF05.07": record.card_number,
        "SSSE.EF06.08": record.citizen_number,
        "SSSE.EF06.09": name,
        "SSSE.EF06.4E": extension or None,
        "SSSE.EF06.0A": record.sex,
        "SSSE.EF06.0B": record.nation or None,
        "SSSE.EF06.0C": record.birthplace or None,
        "SSSE.EF06.0D": record.birth_date,
    }
    if profile.card.check_factory_items:
        values["SSSE.EF05.02"] = profile.card.card_class
        values["SSSE.EF05.04"] = profile.card.institution or None
    values |= _supplied(tree, record.items)
    for address, value in values.items():
        tree.find(address).encode(value)
    return values


def factory_values(profile: Profile, id_code: bytes) -> dict[str, Value]:
    """What the factory writes into EF05: id code, class, version, institution."""
    return {
        "SSSE.EF05.01": id_code,
        "SSSE.EF05.02": profile.card.card_class,
        "SSSE.EF05.03": profile.card.version,
        "SSSE.EF05.04": profile.card.institution or None,
    }


def local_day(profile: Profile, instant: str) -> dt.date:
    """Calendar day at the profile's place of an instant in UTC text."""
    zone = dt.timezone(dt.timedelta(hours=profile.region.utc_offset_hours))
    return dt.datetime.fromisoformat(instant).astimezone(zone).date()


def years_later(day: dt.date, years: int) -> dt.date:
    """The same day of a later year; 29 February becomes the 28th.

    Examples
    --------
    >>> years_later(dt.date(2012, 2, 29), 10)
    datetime.date(2022, 2, 28)
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _supplied(tree: Tree, items: Mapping[str, str]) -> dict[str, Value]:
    """Agency data of DF01-DF04 in the order of the tree, so that no directory is opened twice.

    Parts of a template come together as one value.
    """
    values: dict[str, Value] = {}
    parts: dict[str, dict[str, Value]] = {}
    for address, value in items.items():
        found = tree.find(address)
        if found.inner is None:
            values[address] = value
        else:
            parts.setdefault(address.rpartition(".")[0], {})[found.inner.name] = value
    values |= parts
    return {f.address: values[f.address] for f in tree.fields if f.address in values}
