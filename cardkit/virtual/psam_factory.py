"""Makes virtual PSAMs: keys of a profile's hierarchy, at the level of a province or a city.

The keys travel as they would to a real PSAM: sealed under its master key by the store that holds
them, in WRITE KEY commands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from cardkit.apdu.link import chain
from cardkit.card.procedure import run
from cardkit.card.psam import (
    Environment,
    KeyMap,
    MapEntry,
    environment_for,
    load_key,
    perform,
    select,
)
from cardkit.crypto.algorithm import Algorithm
from cardkit.errors import RefusedError, UsageError
from cardkit.keys import CardKeySet, Factors, KeyBatch, KeyStore
from cardkit.keys.open_psam import key_map
from cardkit.keys.open_store import factors_above, open_store
from cardkit.keys.soft import SoftKeyStore
from cardkit.keys.store import KeyMissingError
from cardkit.profile import Profile
from cardkit.virtual.link import VirtualLink
from cardkit.virtual.psam import VirtualPsam

TRANSPORT = "PSAM.TRANSPORT"
TRANSPORT_KEY = b"\xff" * 16
"""Master key of a PSAM as delivered (FMCOS chips have FF bytes); public."""

_ALGORITHM_IDS = {Algorithm.TDES: 0x00, Algorithm.SM4: 0x03}
_ATR_HEAD = bytes.fromhex("3B6D00000081544C008684")
_CARD_LEVEL = 1

Random = Callable[[int], bytes]


def make_psam(
    profile: Profile,
    *,
    level: str = "",
    names: Iterable[str] = (),
    number: int = 1,
    store: KeyStore | None = None,
    random: Random = os.urandom,
) -> VirtualPsam:
    """A finished PSAM with test keys.

    Parameters
    ----------
    profile : Profile
        Marked as a test.
    level : str
        ``province`` or ``city``; default: the profile's.
    names : iterable of str
        Keys of the card, as in the key map; default: all of the map that the store holds.
    number : int
        Running number: end of ATR, serial and terminal number.
    store : KeyStore, optional
        Default: the profile's.

    Raises
    ------
    RefusedError
        The profile is not marked as a test.
    UsageError
        An unknown key, or an algorithm without keys.
    """
    if not profile.test:
        raise RefusedError(
            f"profile {profile.name} is not marked as a test",
            hint="a virtual PSAM holds its keys in clear; only test keys may go into it",
        )
    held = store or open_store(profile)
    city = profile.district[:2]
    psam = VirtualPsam.blank(
        master=TRANSPORT_KEY,
        atr=_ATR_HEAD + city + number.to_bytes(4),
        serial=profile.district + number.to_bytes(7),
        terminal=profile.district + bytes.fromhex(f"{number % 10**6:06}"),
        random=random,
    )
    environment = _environment(profile)
    link = chain(VirtualLink(psam))
    perform(select(environment), link)
    transport = _transport()
    for entry in _entries(key_map(profile, level), list(names), held):
        batch = held.derive_many(held.reference(entry.name), _down_to(profile, entry))
        keys = CardKeySet.from_batches({entry.name: batch, TRANSPORT: transport}, 0)
        algorithm = _ALGORITHM_IDS[environment.algorithm]
        run(load_key(entry.place, algorithm, key=entry.name, under=TRANSPORT), link, keys)
    psam.finish()
    psam.power_off()
    return psam


def _environment(profile: Profile) -> Environment:
    try:
        algorithm = Algorithm.of_card(profile.card.algorithm)
    except ValueError as error:
        raise UsageError(f"profile {profile.name}: {error}") from None
    if algorithm not in _ALGORITHM_IDS:
        raise UsageError(
            f"no virtual PSAM computes {algorithm.value}", hint="SSF33 is a secret cipher"
        )
    return environment_for(algorithm)


def _transport() -> KeyBatch:
    store = SoftKeyStore({(TRANSPORT, 1): TRANSPORT_KEY}, test=True)
    return store.derive_many(store.reference(TRANSPORT), Factors())


def _down_to(profile: Profile, entry: MapEntry) -> Factors:
    """Factors from the ministry's root to the key the PSAM holds, by the levels left to it."""
    above = factors_above(profile)
    return Factors(above[: len(above) + _CARD_LEVEL - entry.place.levels])


def _entries(keys: KeyMap, names: list[str], store: KeyStore) -> list[MapEntry]:
    if not names:
        return [entry for entry in keys if _holds(store, entry.name)]
    found = []
    for name in names:
        entry = keys.find(name) or keys.find(f"SSSE.{name}")
        if entry is None:
            raise UsageError(
                f"the key map has no key {name}",
                hint=f"it has {', '.join(e.name for e in keys)}",
            )
        found.append(entry)
    return found


def _holds(store: KeyStore, name: str) -> bool:
    try:
        store.reference(name)
    except KeyMissingError:
        return False
    return True
