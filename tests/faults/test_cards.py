"""Cards that must not be written: said before anything is, and no key is presented twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cardkit.crypto.check_value import check_value_3des
from cardkit.profile import load
from cardkit.virtual.card import VirtualCard
from cardkit.virtual.factory import CardFactory
from tests.faults.conftest import Stack
from tests.faults.window import Window
from tests.workshop import master_keys

EXTERNAL_AUTHENTICATE = 0x82
WRITING = {0xDC, 0xD6, 0xD4, 0xE0, 0xE2}


def used(card: VirtualCard, instruction: int) -> int:
    """How often a card got a command."""
    return card.counters.per_ins.get(instruction, 0)


def written(card: VirtualCard) -> int:
    """Commands that write."""
    return sum(used(card, instruction) for instruction in WRITING)


def bank_card(_: Window) -> VirtualCard:
    """No social-security card, and no blank chip of ours."""
    return VirtualCard.blank(atr=bytes.fromhex("3B6E000080318066B0840C016E0183009000"),
                             transport_key=bytes(8))  # fmt: skip


def other_city(_: Window) -> VirtualCard:
    """A social-security card of the next city."""
    profile = load("test")
    neighbour = replace(profile, region=replace(profile.region, city="639901"))
    return CardFactory(neighbour).premade(bytes.fromhex("00000009"))


def locked(window: Window) -> VirtualCard:
    """A card that was locked for ever."""
    card = window.premade(9)
    card.chip.locked = True
    return card


def issued_elsewhere(window: Window) -> VirtualCard:
    """A card with somebody's data that this registry does not know."""
    return window.factory.issued(
        bytes.fromhex("00000009"),
        {"SSSE.EF05.07": "Z00000011", "SSSE.EF06.08": "639900198503170038"},
    )


WRONG = {
    bank_card: "这不是社会保障卡，也不是本配置的空白卡",
    other_city: "卡片属于639901，与配置的发卡地区不符",
    locked: "卡片已锁定，不能写入",
    issued_elsewhere: "此卡已在别处制发，不在本登记库",
}


@pytest.mark.pcsc
@pytest.mark.parametrize("make", WRONG, ids=lambda make: make.__name__)
def test_a_wrong_card_is_refused_unwritten_and_the_next_card_is_made(
    window: Window, stack: Stack, make: object
) -> None:
    assert callable(make)
    window.lang = "zh"
    wrong, right = make(window), window.premade(1)
    wrong.reset_counters()
    before = wrong.snapshot()
    at = stack(wrong, right)

    done = window.issue(window.people(1), at.reader)

    assert done.code == 0, done.err
    refusals = [line for line in done.err.splitlines() if "拒绝此卡" in line]
    assert len(refusals) == 1
    assert WRONG[make] in refusals[0]
    assert wrong.snapshot() == before
    assert written(wrong) == used(wrong, EXTERNAL_AUTHENTICATE) == 0
    window.correct(right)


@pytest.mark.pcsc
def test_a_card_that_was_issued_is_refused_in_the_next_run(window: Window, stack: Stack) -> None:
    window.lang = "zh"
    first, second = window.premade(1), window.premade(2)
    assert window.issue(window.people(1), stack(first).reader).code == 0
    before = first.snapshot()
    first.reset_counters()

    done = window.issue(window.people(2), stack(first, second).reader)

    assert done.code == 0
    assert "此卡已制（记录1）：请取出换新卡" in done.err
    assert first.snapshot() == before
    assert written(first) == used(first, EXTERNAL_AUTHENTICATE) == 0
    window.correct(first, second)


def with_wrong_key(window: Window, name: str) -> Path:
    """A profile one of whose master keys is another's."""
    keys = {key: value for (key, _), value in master_keys().items()}
    keys[name] = next(value for key, value in keys.items() if key != name)
    lines = ['format = "cardkit test keys 1"']
    for key, value in keys.items():
        check_value = check_value_3des(value).hex()
        lines += [f'[keys."{key}"]', f'value = "{value.hex()}"', f'check_value = "{check_value}"']
    (window.folder / "keys.toml").write_text("\n".join(lines), encoding="utf-8")
    profile = window.folder / "wrong.toml"
    profile.write_text(
        'test = true\n[region]\nprovince = "63"\ncity = "639900"\n[keys]\nstore = "keys.toml"\n',
        encoding="utf-8",
    )
    return profile


@pytest.mark.pcsc
@pytest.mark.parametrize(
    ("key", "presented", "complaint"),
    [
        ("SSSE.UKSSSE", 1, "UKSSSE: the card refuses the key, 63C2 (wrong, 2 tries left)"),
        ("SSSE.IRK", 0, "IRK: the card does not hold the key of this profile"),
        ("T514.TRANSPORT", 0, "refuses the transport key, 63C2 (wrong, 2 tries left)"),
    ],
    ids=["update key", "internal key", "transport key"],
)
def test_a_wrong_master_key_stops_the_batch_at_the_first_card(
    window: Window, stack: Stack, key: str, presented: int, complaint: str
) -> None:
    blank = key == "T514.TRANSPORT"
    make = window.factory.blank if blank else window.factory.premade
    cards = [make(number.to_bytes(4, "big")) for number in (1, 2, 3)]
    at, beside = stack(cards[0], cards[1]), stack(cards[2])
    roster = window.people(3)
    profile = with_wrong_key(window, key)

    done = window.run(
        "issue", roster, "--profile", profile, "--registry", window.registry, "--out", window.out,
        "--reader", at.reader,
    )  # fmt: skip

    assert done.code == 4
    assert complaint in done.err
    assert used(cards[0], EXTERNAL_AUTHENTICATE) == presented
    assert written(cards[0]) == (1 if blank else 0), "the transport key is presented by E0"
    assert cards[1].counters.commands == 0, "the next card was not even looked at"
    assert cards[2].counters.commands == 0
    assert window.states() == ["planned"] * 3
    assert beside.thread.served == 0


@pytest.mark.pcsc
def test_the_right_keys_afterwards_make_the_card_and_give_the_tries_back(
    window: Window, stack: Stack
) -> None:
    card = window.premade(1)
    roster = window.people(1)
    wrong = with_wrong_key(window, "SSSE.UKSSSE")
    arguments = [
        "--registry", window.registry, "--out", window.out, "--reader", stack(card).reader,
    ]  # fmt: skip
    assert window.run("issue", roster, "--profile", wrong, *arguments).code == 4

    done = window.issue(roster, stack(card).reader)

    assert done.code == 0, done.err
    window.correct(card)


def test_at_a_locked_pin_the_tries_are_shown_and_none_is_spent_by_itself(window: Window) -> None:
    image = window.folder / "card.card"
    window.premade(1).save(image)
    wrong = window.folder / "pin"
    wrong.write_text("999999\n", encoding="ascii")
    wrong.chmod(0o600)
    told = [window.run("pin", "verify", "--image", image, "--pin-file", wrong) for _ in range(4)]
    assert [done.code for done in told] == [4] * 4
    assert [done.complaint for done in told] == [
        "wrong PIN, 2 tries left", "wrong PIN, 1 tries left", "the PIN is locked",
        "the PIN is locked",
    ]  # fmt: skip
