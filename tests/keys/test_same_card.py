"""The same card from the file of test keys and from the encrypted store behind policy and audit."""

from __future__ import annotations

from pathlib import Path

import pytest

from cardkit.apdu.link import chain
from cardkit.issuance.writer import Issued
from cardkit.keys.custody import Wish
from cardkit.keys.open_store import Access, guarded
from cardkit.keys.secret import Secret
from cardkit.keys.soft import read_test_keys
from cardkit.keys.soft_file import KeyFile, Passphrases
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.link import VirtualLink
from tests.keys.conftest import PASSPHRASES, Vault
from tests.workshop import Workshop, applicant

KEYS = Path(__file__).parents[2] / "keys_test" / "masters-3des.toml"


class Watched:
    """Notes the commands a card gets."""

    def __init__(self, card: VirtualCard) -> None:
        self._link = VirtualLink(card)
        self.commands: list[bytes] = []

    @property
    def atr(self) -> bytes:
        return self._link.atr

    def transmit(self, apdu: bytes) -> bytes:
        self.commands.append(apdu)
        return self._link.transmit(apdu)

    def reset(self) -> bytes:
        self.commands.append(b"reset")
        return self._link.reset()


def filled(vault: Vault, file: Path = KEYS) -> KeyFile:
    """All test keys, imported by one person and approved by another."""
    keys, values = {}, {}
    for (name, version), key in read_test_keys(file).items():
        wish = Wish(name, version, key.algorithm)
        keys[wish], values[wish] = Secret(key.value), key.check_value
    records = vault.as_("yi").import_keys(keys, values, file.name)
    approver = vault.as_("shen")
    for record in records:
        approver.change("approve", record.name)
    return vault.open()


@pytest.mark.parametrize("kind", ["premade", "blank"])
def test_images_and_commands_are_identical(vault: Vault, tmp_path: Path, kind: str) -> None:
    access = Access(Passphrases(PASSPHRASES.__getitem__), vault.clock, "clerk", "issue")
    store = guarded(filled(vault), access, plain_loading=frozenset({"MK"}))
    images, commands = [], []
    for name, used in (("file", None), ("soft", store)):
        (tmp_path / name).mkdir()
        shop = Workshop(tmp_path / name, [applicant(1)])
        card = getattr(shop.factory, kind)(bytes.fromhex("40000001"))
        watched = Watched(card)
        with shop.registry() as registry:
            outcome = shop.writer(registry, used).process(chain(watched), "virtual")
        assert isinstance(outcome, Issued)
        card.power_off()
        card.save(tmp_path / name / "card")
        images.append((tmp_path / name / "card").read_bytes())
        commands.append(watched.commands)
    assert images[0] == images[1]
    assert commands[0] == commands[1]
    store.close()
    assert {e.action for e in (x.entry for x in vault.audit.lines())} >= {"reserve", "use"}
    assert not [x for x in vault.audit.lines() if x.entry.result != "ok"]
    assert vault.audit.verify().intact
