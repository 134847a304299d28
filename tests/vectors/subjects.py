"""What each rule of the vectors is tested on: the public functions and procedures that apply it.

A *subject* takes inputs of a vector and returns bytes to compare with its output. It may raise what
the project raises for unusable input. One rule can have several subjects: the pure function, the
key store, the procedure whose command is recorded.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardkit.apdu import Command
from cardkit.apdu.link import exchange
from cardkit.card.card import Card
from cardkit.card.dialects.t514 import open_chip
from cardkit.card.dialects.t514.initialise import TRANSPORT_KEY
from cardkit.card.files import TREES
from cardkit.card.key_request import External, Internal, KeyUse, Seal, Sealing
from cardkit.card.procedure import Procedure, run
from cardkit.card.procedures.personalize import id_code_mac
from cardkit.codec import numbers
from cardkit.crypto import ssc
from cardkit.crypto.check_value import check_value_3des
from cardkit.crypto.diversify import diversify, diversify_many
from cardkit.crypto.mac import retail_mac
from cardkit.crypto.padding import method2
from cardkit.errors import CardkitError
from cardkit.keys import CardKeySet, Factors
from cardkit.keys.soft import SoftKeyStore
from cardkit.registry.numbering import Numbering, card_number

TREE = TREES["2.0"]
SSSE = TREE.directory("SSSE")
ATR = bytes.fromhex("3B6D00000087BF10028649371700BF7C7A")
YES, NO = b"\x01", b"\x00"


@dataclass(frozen=True)
class Vector:
    """A known answer; ``inputs`` are bytes, text inputs as ASCII."""

    name: str
    rule: str
    inputs: dict[str, bytes]
    output: bytes
    source: str
    confidence: str
    text: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def load(file: str) -> list[Vector]:
    """Vectors of one file of this folder."""
    content = json.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    return [_vector(dict(entry)) for entry in content["vectors"]]


def _vector(entry: dict[str, Any]) -> Vector:
    text = bool(entry.pop("text", False))
    inputs = {
        name: value.encode("ascii") if text else bytes.fromhex(value)
        for name, value in entry.pop("inputs").items()
    }
    known = {name: entry.pop(name) for name in ("name", "rule", "source", "confidence")}
    output = bytes.fromhex(entry.pop("output"))
    return Vector(**known, inputs=inputs, output=output, text=text, options=entry)


class RecordingLink:
    """Keeps the commands, answers with the next of some fixed answers, then 9000."""

    atr = ATR

    def __init__(self, *answers: bytes) -> None:
        self.commands: list[bytes] = []
        self._answers = list(answers)

    def transmit(self, apdu: bytes) -> bytes:
        """Note a command."""
        self.commands.append(apdu)
        return self._answers.pop(0) if self._answers else b"\x90\x00"

    def reset(self) -> bytes:
        """Nothing happens."""
        return self.atr


def keys_of(key: bytes) -> CardKeySet:
    """A card whose every key is ``key``."""
    names = [SSSE.key_name(slot) for slot in SSSE.keys] + [TRANSPORT_KEY]
    store = SoftKeyStore({(name, 1): key for name in names}, test=True)
    return CardKeySet(lambda name: (store.derive_many(store.reference(name), Factors()), 0))


def card_in(directory: str) -> Card:
    """A card on which a directory is selected already."""
    card = Card(TREE, ATR)
    card.entered(TREE.directory(directory))
    return card


def last_command(procedure: Procedure[Any], key: bytes = bytes(16)) -> bytes:
    """Bytes of the last command of a procedure to which the card says 9000."""
    link = RecordingLink()
    run(procedure, link, keys_of(key))
    return link.commands[-1]


# Records and PIN


def _read_by_number(command: bytes, answer: bytes, *, address: str) -> bytes:
    field = TREE.find(address)
    link = RecordingLink(answer)
    found = exchange(link, Command(0x00, 0xB2, field.number, 0x04, le=256))
    heading = bytes((field.item.tag, field.item.length))
    if link.commands != [command] or not found.sw.ok or found.data[:2] != heading:
        raise ValueError("another exchange than the recorded one")
    return field.encode(field.decode(found.data[2:]))


def _read_procedure(answer: bytes, *, address: str) -> bytes:
    field = TREE.find(address)
    return field.encode(run(card_in("SSSE").read(field), RecordingLink(answer), keys_of(bytes(16))))


def _update_record(value: bytes, *, address: str) -> bytes:
    field = TREE.find(address)
    card = card_in("SSSE")
    return last_command(card.update(field, field.decode(value)))


def _verify_pin(pin: bytes) -> bytes:
    card = card_in("DF01")
    return last_command(card.verify_pin(TREE.directory("DF01"), pin.decode("latin-1")))


def _change_pin(old: bytes, new: bytes) -> bytes:
    card = card_in("SSSE")
    return last_command(card.change_pin(SSSE, old.decode("latin-1"), new.decode("latin-1")))


# Keys


def _factors(factors: bytes) -> list[bytes]:
    return [factors[at : at + 8] for at in range(0, len(factors), 8)]


def _diversify(key: bytes, factors: bytes) -> bytes:
    return diversify(key, *_factors(factors))


def _diversify_in_bulk(key: bytes, factors: bytes) -> bytes:
    *above, last = _factors(factors)
    return diversify_many(diversify(key, *above), bytes(8) + last)[16:]


def _retail_mac(key: bytes, data: bytes, *, padding: int) -> bytes:
    zeros = bytes(-len(data) % 8)
    padded = {
        1: data + zeros,
        2: method2(data),
        3: (8 * len(data)).to_bytes(8, "big") + data + zeros,
    }
    return retail_mac(key, padded[padding])


def _mac_of_the_store(key: bytes, data: bytes) -> bytes:
    sealing = Sealing(encrypt=False, key_use=KeyUse.DIRECT, mac_length=8)
    return keys_of(key).seal(Seal("SSSE.IRK", data, b"", bytes(8), sealing))


def _check_value(key: bytes, *, length: int) -> bytes:
    return check_value_3des(key, length)


def _check_value_of_the_store(key: bytes) -> bytes:
    return SoftKeyStore({("SSSE.IRK", 1): key}, test=True).reference("SSSE.IRK").check_value


def _external(key: bytes, factor: bytes, data: bytes) -> bytes:
    return keys_of(key).external(External("SSSE.UKSSSE", factor, data))


def _internal(key: bytes, factor: bytes, data: bytes) -> bytes:
    return keys_of(key).internal(Internal("SSSE.IRK", factor, data))


def _id_code_mac_procedure(key: bytes, id_code: bytes) -> bytes:
    return run(id_code_mac(id_code + b"\xff" * 4), RecordingLink(), keys_of(key))


def _transport_key(key: bytes, serial: bytes) -> bytes:
    return last_command(open_chip(serial), key)


# Numbers


def _citizen_check(number: bytes) -> bytes:
    return numbers.citizen_check(number.decode("latin-1")).encode()


def _citizen_number(number: bytes) -> bytes:
    numbers.parse_citizen_number(number.decode("latin-1"))
    return YES


def _citizen_number_by_its_check(number: bytes) -> bytes:
    return YES if _citizen_check(number[:17]) == number[17:] else NO


def _is_card_number(number: bytes) -> bytes:
    return YES if numbers.is_card_number(number.decode("latin-1")) else NO


def _made_card_number(number: bytes) -> bytes:
    text = number.decode("latin-1")
    numbering = Numbering(text[0], int(text[1:8]), 1, "639900")  # refuses impossible prefixes
    return YES if card_number(numbering.card_prefix, numbering.card_first) == text else NO


Subject = Callable[..., bytes]

SUBJECTS: dict[str, tuple[Subject, ...]] = {
    "read_record": (_read_by_number, _read_procedure),
    "update_record": (_update_record,),
    "verify_pin": (_verify_pin,),
    "change_pin": (_change_pin,),
    "diversify": (_diversify, _diversify_in_bulk),
    "retail_mac": (_retail_mac,),
    "retail_mac_of_cards": (_retail_mac, _mac_of_the_store),  # padding method 2
    "check_value": (_check_value,),
    "check_value_shown": (_check_value, _check_value_of_the_store),  # 3 bytes
    "process_key": (ssc.process_key,),
    "authentication_data": (ssc.authentication_data, _external, _internal),
    "id_code_mac": (ssc.id_code_mac, _id_code_mac_procedure),
    "transport_key": (_transport_key,),
    "citizen_check": (_citizen_check,),
    "citizen_number": (_citizen_number, _citizen_number_by_its_check),
    "card_number": (_is_card_number, _made_card_number),
}
"""Rule → what it is tested on."""


def takes(subject: Subject, name: str) -> bool:
    """Whether a subject looks at an input."""
    return name in inspect.signature(subject).parameters


def answer(subject: Subject, vector: Vector, **changed: bytes) -> bytes:
    """What a subject says to the inputs of a vector, some of them changed."""
    given = vector.inputs | vector.options | changed
    try:
        return bytes(subject(**{name: given[name] for name in given if takes(subject, name)}))
    except (ValueError, CardkitError) as error:
        return f"refused: {type(error).__name__}".encode()
