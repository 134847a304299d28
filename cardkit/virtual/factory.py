"""A card factory: virtual chips as the maker delivers them, blank, pre-made or issued.

What it makes a chip *do* goes through the same procedures that are used on real chips; what the
chip *is* comes from `cardkit.virtual.card`, which shares no code with them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from cardkit.apdu.link import chain
from cardkit.card.dialects.t514 import ChipPlan, initialise, open_chip
from cardkit.card.dialects.t514.initialise import TRANSPORT_KEY
from cardkit.card.files.codings import Value
from cardkit.card.key_request import External, KeyUse
from cardkit.card.procedure import run
from cardkit.card.procedures.identify import APPLICATION_PROVIDER, NO_MAC, identify
from cardkit.card.procedures.personalize import id_code_mac, open_for_update, personalize
from cardkit.crypto.algorithm import cipher_of
from cardkit.errors import RefusedError
from cardkit.issuance.keyring import Keyring
from cardkit.issuance.plan import (
    algorithm_of,
    card_of,
    expected_card,
    factory_values,
    messaging_of,
    tree_of,
)
from cardkit.keys import KeyStore
from cardkit.keys.open_store import factors_above, open_store
from cardkit.profile import Profile
from cardkit.virtual.card import Form, VirtualCard
from cardkit.virtual.link import VirtualLink

SERIAL_LENGTH = 4
RandomSource = Callable[[int], bytes]


def check_synthetic(profile: Profile) -> None:
    """Refuse to keep virtual cards of real keys: an image holds keys in clear.

    And a registry of real people would have cards in it that nobody can hold in their hands.

    Raises
    ------
    RefusedError
        The profile is not marked as a test.
    """
    if not profile.test:
        raise RefusedError(
            f"profile {profile.name} is not marked as a test: no virtual cards with its keys",
            hint="images of virtual cards hold keys in clear; rehearse with test = true and a "
            "store of test keys",
            zh=f"配置 {profile.name} 不是测试配置，不能制作虚拟卡：练习请用测试配置（如 test）",
        )


class CardFactory:
    """Makes virtual chips of one profile.

    Parameters
    ----------
    profile : Profile
        Whoever keeps the chips asks `check_synthetic` first.
    random : callable
        ``random(n)`` gives n bytes; the chips draw their challenges from it.
    store : KeyStore, optional
        Default: the profile's, which has to be a file of test keys.

    Raises
    ------
    SecretAlgorithmError
        The cards of the profile compute with SSF33.
    """

    def __init__(
        self,
        profile: Profile,
        random: RandomSource = os.urandom,
        store: KeyStore | None = None,
    ) -> None:
        cipher_of(algorithm_of(profile))  # a double computes what software can
        self._profile = profile
        self._random = random
        self._tree = tree_of(profile)
        self._keyring = Keyring(
            store or open_store(profile),
            factors_above(profile),
            self._tree,
            algorithm_of(profile),
        )

    def blank(self, serial: bytes) -> VirtualCard:
        """A chip with nothing but its transport key.

        Parameters
        ----------
        serial : bytes
            4 bytes, the end of the ATR it comes with.
        """
        atr = self._atr(serial)
        keys = self._keyring.for_card(atr[-8:])
        transport = keys.external(External(TRANSPORT_KEY, b"", bytes(2) + atr[-6:], KeyUse.DIRECT))
        rules = messaging_of(self._profile)
        return VirtualCard.blank(
            atr=atr,
            transport_key=transport,
            messaging=rules.key_use.value,
            form=Form(rules.fold, rules.always_pad),
            random=self._random,
        )

    def premade(self, serial: bytes, *, complete: bool = False) -> VirtualCard:
        """A card with structure, keys and EF05 01-04.

        Parameters
        ----------
        complete : bool
            Whether the id code has its MAC; otherwise the MAC is FFFFFFFF.
        """
        chip = self.blank(serial)
        id_code = self._profile.district + APPLICATION_PROVIDER + serial
        link = chain(VirtualLink(chip))
        card = card_of(self._profile, link.atr)
        keys = self._keyring.for_card(card.factor)
        mac = run(id_code_mac(id_code), link, keys) if complete else NO_MAC
        run(open_chip(link.atr[-6:]), link, keys)
        pin = self._profile.pin
        head = bytes.fromhex(self._profile.card.atr_head)
        values = factory_values(self._profile, id_code + mac)
        made = ChipPlan(
            link.atr[-6:],
            head,
            values,
            pin.initial,
            pin.puk_level,
            messaging=messaging_of(self._profile),
        )
        run(initialise(card, made), link, keys)
        chip.power_off()
        chip.reset_counters()
        return chip

    def issued(self, serial: bytes, values: Mapping[str, Value]) -> VirtualCard:
        """A pre-made card with a person's data on it.

        Parameters
        ----------
        values : mapping
            Address → value, as `cardkit.issuance.plan.plan` gives them.
        """
        chip = self.premade(serial)
        link = chain(VirtualLink(chip))
        card = card_of(self._profile, link.atr)
        keys = self._keyring.for_card(card.factor)
        identity = run(identify(card, expected_card(self._profile), self._random(8)), link, keys)
        if identity is None:
            raise TypeError("a pre-made card has a social-security environment")
        run(open_for_update(card), link, keys)
        run(personalize(card, identity, values, self._profile.pin.initial), link, keys)
        chip.power_off()
        chip.reset_counters()
        return chip

    def _atr(self, serial: bytes) -> bytes:
        if len(serial) != SERIAL_LENGTH:
            raise ValueError(f"a serial has {SERIAL_LENGTH} bytes")
        return bytes.fromhex(self._profile.card.atr_head) + self._profile.district[:2] + serial
