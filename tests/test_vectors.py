"""Known answers: every public function and procedure that applies a rule must give them.

``tests/vectors/published.json`` comes from standards, manuals and working public code,
``tests/vectors/computed.json`` was worked out from the rules; each entry names its source. One
flipped bit of the input, or of a key outside its DES parity, must change every answer.
"""

from __future__ import annotations

import pytest

from cardkit.card.card import AuthenticationFailedError
from cardkit.card.files.codings import Value
from cardkit.card.key_request import External
from cardkit.card.procedure import run
from cardkit.card.procedures.identify import Identity
from cardkit.card.procedures.personalize import open_for_update, personalize
from cardkit.keys import CardKeySet
from cardkit.keys.reference import city_factor, province_factor
from cardkit.keys.soft import SoftKeyStore
from tests.vectors.subjects import (
    SSSE,
    SUBJECTS,
    TREE,
    RecordingLink,
    Subject,
    Vector,
    answer,
    card_in,
    keys_of,
    load,
    takes,
)

PUBLISHED, COMPUTED = load("published.json"), load("computed.json")
VECTORS = PUBLISHED + COMPUTED
BY_NAME = {vector.name: vector for vector in VECTORS}
PARITY = 0x01  # the lowest bit of each byte of a DES key
DES_KEY = "key"

CASES = [(v, subject) for v in VECTORS for subject in SUBJECTS[v.rule]]
INPUTS = [(v, subject, name) for v, subject in CASES for name in v.inputs if takes(subject, name)]


def title(part: object) -> str | None:
    """Names of vectors, subjects and inputs as names of tests."""
    if isinstance(part, Vector | str):
        return str(part)
    return getattr(part, "__name__", None)


def flipped(value: bytes, bits: int = 0xFF) -> list[bytes]:
    """Each value with one other bit, for those bits of a byte that are set in ``bits``."""
    return [
        value[:at] + bytes((byte ^ 1 << n,)) + value[at + 1 :]
        for at, byte in enumerate(value)
        for n in range(8)
        if bits >> n & 1
    ]


@pytest.mark.parametrize(("vector", "subject"), CASES, ids=title)
def test_the_known_answer(vector: Vector, subject: Subject) -> None:
    assert answer(subject, vector) == vector.output


@pytest.mark.parametrize(("vector", "subject", "name"), INPUTS, ids=title)
def test_every_flipped_bit_is_noticed(vector: Vector, subject: Subject, name: str) -> None:
    bits = 0xFF ^ PARITY if name == DES_KEY else 0xFF
    changed = flipped(vector.inputs[name], bits)
    unnoticed = [v.hex() for v in changed if answer(subject, vector, **{name: v}) == vector.output]
    assert unnoticed == []


@pytest.mark.parametrize(
    ("vector", "subject"), [case for case in CASES if DES_KEY in case[0].inputs], ids=title
)
def test_parity_bits_of_a_key_do_not_matter(vector: Vector, subject: Subject) -> None:
    for key in flipped(vector.inputs[DES_KEY], PARITY):
        assert answer(subject, vector, **{DES_KEY: key}) == vector.output


@pytest.mark.parametrize("vector", VECTORS, ids=title)
def test_every_vector_names_its_source(vector: Vector) -> None:
    assert vector.source
    assert vector.confidence in ("high", "medium")


def test_names_are_unique_and_rules_are_used() -> None:
    assert len(BY_NAME) == len(VECTORS)
    assert {vector.rule for vector in VECTORS} == set(SUBJECTS)


# Procedures as a whole


class WritableCard(RecordingLink):
    """Keeps records by tag; otherwise knows GET CHALLENGE and EXTERNAL AUTHENTICATE."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[tuple[int, int], bytes] = {}

    def transmit(self, apdu: bytes) -> bytes:
        """Keep what is updated, give it back when it is read."""
        self.commands.append(apdu)
        place = (apdu[3], apdu[2])
        if apdu[1] == 0xDC:
            self.records[place] = apdu[5:]
        return {0x84: bytes(8), 0xB2: self.records.get(place, b"")}.get(apdu[1], b"") + b"\x90\x00"


def test_personalizing_sends_the_writes_of_the_vectors() -> None:
    writes = [vector for vector in PUBLISHED if vector.rule == "update_record"]
    fields = {v.options["address"]: v.inputs["value"] for v in writes}
    values: dict[str, Value] = {a: TREE.find(a).decode(value) for a, value in fields.items()}
    values["SSSE.EF05.06"] = "20201001"
    link = WritableCard()
    card = card_in("SSSE")
    identity = Identity(bytes(16), "2.00", None)
    run(open_for_update(card), link, keys_of(bytes(16)))
    run(personalize(card, identity, values), link, keys_of(bytes(16)))
    sent = [command for command in link.commands if command[1] == 0xDC]
    valid_until = bytes.fromhex("00DC0628 06 0604 20201001")
    assert sorted(sent) == sorted([*(v.output for v in writes), valid_until])


def test_a_store_goes_from_the_root_key_to_the_answer() -> None:
    chain, proof = BY_NAME["ssc_chain_3des"], BY_NAME["ssc_auth_3des"]
    store = SoftKeyStore({("SSSE.RKSSSE", 1): chain.inputs["key"]}, test=True)
    above = (province_factor("37"), city_factor("371700"))
    keys = CardKeySet.on_demand(store, above, bytes.fromhex("8684371700BF7C7A"))
    request = External("SSSE.RKSSSE", proof.inputs["factor"], proof.inputs["data"])
    assert keys.external(request) == proof.output


def test_external_authenticate_carries_proof_and_data() -> None:
    # 0082000A10 C8 D8 with the read key of the environment; the toolkit takes the challenge as D8.
    proof = BY_NAME["ssc_auth_3des"]
    challenge = proof.inputs["factor"]
    link = RecordingLink(challenge + b"\x90\x00")
    keys = _Answering(proof.output)
    run(card_in("SSSE").external_authenticate(SSSE, SSSE.key("RKSSSE")), link, keys)
    assert link.commands == [
        bytes.fromhex("0084000008"),
        bytes.fromhex("0082000A 10 8F91A74CA5CADD5C 1122334455667788"),
    ]
    assert keys.asked == [External("SSSE.RKSSSE", challenge, challenge)]


class _Answering(CardKeySet):
    """Gives one proof to whoever asks, and keeps the question."""

    def __init__(self, proof: bytes) -> None:
        self.asked: list[External] = []
        self._proof = proof

    def external(self, request: External) -> bytes:
        self.asked.append(request)
        return self._proof


def test_internal_authenticate_accepts_the_known_answer_and_no_other() -> None:
    proof = BY_NAME["ssc_auth_3des"]

    def authenticate(card_says: bytes) -> list[bytes]:
        link = RecordingLink(card_says + b"\x90\x00")
        card = card_in("SSSE")
        factor, data = proof.inputs["factor"], proof.inputs["data"]
        procedure = card.internal_authenticate(SSSE, SSSE.key("IRK"), factor, data)
        run(procedure, link, keys_of(proof.inputs["key"]))
        return link.commands

    sent = authenticate(proof.output)
    assert sent == [bytes.fromhex("00880000 10 1122334455667788 0102030405060708 08")]
    for wrong in flipped(proof.output):
        with pytest.raises(AuthenticationFailedError):
            authenticate(wrong)
