"""Known answers: all pass, one flipped bit fails them, no file brings the self-test down."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gmalg.ellipticcurve import ECDLP
from hypothesis import given, settings
from hypothesis import strategies as st

import cardkit
from cardkit.cli.main import main
from cardkit.crypto import channel_command, sm4
from cardkit.crypto.sm2 import Curve
from cardkit.errors import ExitCode, RefusedError, UsageError
from cardkit.keys.selftest import (
    SelfTestFailedError,
    Vector,
    VectorFileError,
    builtin,
    load,
    parse,
    require_builtin,
    run,
    run_builtin,
)
from cardkit.keys.selftest.rule import Kind, Rule, Unread, Value
from cardkit.keys.selftest.rules import RULES
from cardkit.keys.selftest.run import _arguments, _fits, compare, rule_for
from tests.keys import quick_curve

PUBLISHED, COMPUTED = builtin.vectors(builtin.PUBLISHED), builtin.vectors(builtin.COMPUTED)
VECTORS = PUBLISHED + COMPUTED
BY_NAME = {vector.name: vector for vector in VECTORS}
FOLDER = Path(builtin.__file__).with_name("vectors")
PARITY = 0x01


def rule_of(vector: Vector) -> Rule:
    rule = rule_for(vector)
    assert rule is not None
    return rule


def with_input(vector: Vector, name: str, value: Value) -> Vector:
    return dataclasses.replace(vector, inputs={**vector.inputs, name: value})


def write(path: Path, *vectors: Mapping[str, object]) -> Path:
    path.write_text(json.dumps({"vectors": vectors}), encoding="utf-8")
    return path


def as_entry(vector: Vector) -> dict[str, Any]:
    return {
        "name": vector.name,
        "alg": vector.alg,
        "inputs": dict(vector.inputs),
        "output": vector.output,
    }


# --- the vectors ----------------------------------------------------------------------------------

MILLION = "sm4_gmt0002_ex2_1000000"
"""SM4 a million times over; the rule has no other vector."""


def test_every_built_in_vector_gives_its_answer() -> None:
    report = run_builtin()
    assert report.failed == report.unknown == {}
    assert report.passed == [vector.name for vector in VECTORS]
    require_builtin()


def test_a_start_leaves_out_only_what_takes_long_and_no_store_needs() -> None:
    left_out = set(BY_NAME) - set(run_builtin(quick=True).passed)
    assert left_out == {
        "sm2_encrypt_gbt32918_5", "sm2_sign_gbt32918_5", "sm2_sign_gmt0003_2_testcurve",
        MILLION,
    }  # fmt: skip
    package = Path(cardkit.__file__).parent
    texts = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    users = [name for name, text in texts.items() if re.search(r"import .*\bsm2\b", text)]
    assert users == ["ciphers.py"], "SM2 belongs to every start now"


def test_every_rule_has_a_vector_and_every_vector_a_source() -> None:
    used = {id(rule_of(vector)) for vector in VECTORS}
    assert [rule.algorithm for rule in RULES if id(rule) not in used] == []
    assert len(BY_NAME) == len(VECTORS)
    assert [vector.name for vector in VECTORS if not vector.source] == []


def test_names_and_inputs_decide_on_one_rule() -> None:
    for vector in VECTORS:
        rules = [r for r in RULES if vector.alg in r.names and r.takes(vector.inputs)]
        assert len(rules) == 1, vector.name


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
def test_other_names_of_an_algorithm_lead_to_the_same_answer(vector: Vector) -> None:
    if vector.name != MILLION:
        for name in rule_of(vector).also:
            again = dataclasses.replace(vector, alg=f" {name.upper()}")
            assert run([again]).passed == [vector.name], name


# --- one flipped bit ------------------------------------------------------------------------------

Place = tuple[int, int]
"""Byte or character, and bit in it."""


def flips(value: Value, kind: Kind) -> Iterator[tuple[Place, Value]]:
    """Every value that differs from ``value`` in one bit."""
    if isinstance(value, int):
        for bit in range(max(value.bit_length(), 8)):
            yield (0, bit), value ^ 1 << bit
    elif isinstance(value, list):
        for at, one in enumerate(value):
            for place, other in flipped(bytes.fromhex(one)):
                yield place, [*value[:at], other.hex(), *value[at + 1 :]]
    elif kind is Kind.TEXT:
        for place, changed in flipped(value.encode("latin-1")):
            yield place, changed.decode("latin-1")
    else:
        for place, changed in flipped(bytes.fromhex(value)):
            yield place, changed.hex()


def flipped(data: bytes) -> Iterator[tuple[Place, bytes]]:
    """Every string of bytes that differs from ``data`` in one bit."""
    for at, byte in enumerate(data):
        for bit in range(8):
            yield (at, bit), data[:at] + bytes((byte ^ 1 << bit,)) + data[at + 1 :]


def is_unread(one: Unread, value: Value, place: Place, changed: Value) -> bool:
    """Whether a rule does not look at the place of a flipped bit."""
    if isinstance(value, list):
        assert isinstance(changed, list)
        at = next(n for n, (a, b) in enumerate(zip(value, changed, strict=True)) if a != b.upper())
        command = bytes.fromhex(value[at])
        return bool(channel_command.split(command).le) and place[0] == len(command) - 1
    assert isinstance(value, str)
    assert one.places is not None
    length = len(value) if one.name == "pan" else len(value) // 2
    return place[0] in range(*one.places.indices(length)) and bool(one.bits >> place[1] & 1)


CASES = [
    pytest.param(vector, one.name, one.kind, id=f"{vector.name}-{one.name}")
    for vector in VECTORS
    if vector.name != MILLION
    for one in rule_of(vector).inputs
    if one.name in vector.inputs
]


@pytest.mark.parametrize(("vector", "name", "kind"), CASES)
def test_every_flipped_bit_of_an_input_fails(
    vector: Vector, name: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Except parity bits of DES keys and the parts that the rule is known not to look at."""
    quick_curve.use(monkeypatch)
    rule, value = rule_of(vector), vector.inputs[name]
    unread = [one for one in rule.unread if one.name == name]
    missed = [
        place
        for place, changed in flips(value, kind)
        if not (kind is Kind.DES_KEY and 1 << place[1] == PARITY)
        and not any(is_unread(one, value, place, changed) for one in unread)
        and not compare(rule, with_input(vector, name, changed))
    ]
    assert missed == []


@pytest.mark.parametrize("rule", [r for r in RULES if r.unread], ids=lambda r: r.algorithm)
def test_what_is_declared_as_not_looked_at_is_not(rule: Rule) -> None:
    kinds = {one.name: one.kind for one in rule.inputs}
    vectors = [vector for vector in VECTORS if rule_of(vector) is rule]
    stale = [
        one
        for one in rule.unread
        if all(
            compare(rule, with_input(vector, one.name, changed))
            for vector in vectors
            for place, changed in flips(vector.inputs[one.name], kinds[one.name])
            if is_unread(one, vector.inputs[one.name], place, changed)
        )
    ]
    assert stale == []


@pytest.mark.parametrize("vector", [v for v in VECTORS if rule_of(v).unread], ids=lambda v: v.name)
def test_a_damaged_copy_of_a_known_vector_fails_even_there(vector: Vector) -> None:
    """What no answer tells of is compared, when the vector has the name of a built-in one."""
    rule = rule_of(vector)
    kinds = {one.name: one.kind for one in rule.inputs}
    for name in {one.name for one in rule.unread}:
        parity = PARITY if kinds[name] is Kind.DES_KEY else 0
        damaged = [
            with_input(vector, name, changed)
            for (_, bit), changed in flips(vector.inputs[name], kinds[name])
            if 1 << bit != parity and not compare(rule, with_input(vector, name, changed))
        ]
        for copied in damaged:
            assert run([copied]).failed
            assert run([dataclasses.replace(copied, name=f"my_{vector.name}")]).ok


@pytest.mark.parametrize(
    ("vector", "name", "kind"), [case for case in CASES if Kind.DES_KEY in case.values]
)
def test_parity_bits_of_a_des_key_do_not_count(vector: Vector, name: str, kind: Kind) -> None:
    for (_, bit), changed in flips(vector.inputs[name], kind):
        if 1 << bit == PARITY:
            assert compare(rule_of(vector), with_input(vector, name, changed)) == ""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
def test_every_flipped_bit_of_an_answer_fails(vector: Vector) -> None:
    """Except parity bits of a key that a tool with parity derived."""
    rule = rule_of(vector)
    answer = rule.compute(*_arguments(rule, vector))
    parts = vector.output if isinstance(vector.output, Mapping) else {"": vector.output}
    kind = Kind.TEXT if isinstance(answer, str) else Kind.BYTES
    for name, part in parts.items():
        for (_, bit), changed in flips(part, kind):
            assert isinstance(changed, str)
            output = {**parts, name: changed} if name else changed
            passes = _fits(rule, dataclasses.replace(vector, output=output), answer)
            assert passes == (rule.des_result and 1 << bit == PARITY)


def test_a_long_chain_notices_flipped_bits_too() -> None:
    """All bits over three links, some over the million of the standard."""
    vector = BY_NAME["sm4_gmt0002_ex2_1000000"]
    rule, key = rule_of(vector), bytes.fromhex(str(vector.inputs["key"]))
    short = with_input(vector, "iterations", 3)
    short = dataclasses.replace(short, output=sm4.encrypt_repeatedly(key, key, 3).hex())
    assert compare(rule, short) == ""
    for name in ("key", "data", "iterations"):
        kind = Kind.NUMBER if name == "iterations" else Kind.BYTES
        for _, changed in flips(short.inputs[name], kind):
            assert compare(rule, with_input(short, name, changed)), name
    for name, changed in (("key", "0123456789ABCDEFFEDCBA9876543290"), ("iterations", 999_999)):
        assert compare(rule, with_input(vector, name, changed))


@given(k=st.integers(1, Curve.SM2P256V1.order))
@settings(max_examples=20)
def test_the_quick_multiplication_of_these_tests_is_that_of_gmalg(k: int) -> None:
    p, a, b, x, y, n = Curve.SM2P256V1.parameters
    curve = ECDLP(p, a, b, (x, y), n).ec
    assert quick_curve.multiply(curve, k, (x, y)) == curve.mul(k, (x, y))


# --- what a file may look like --------------------------------------------------------------------


def test_a_vector_that_prints_a_part_only_is_completed_from_the_built_in_one() -> None:
    short = Vector("emv_script_mac_csk", "CSK then alg 3 MAC", {
        **BY_NAME["emv_script_mac_csk"].inputs, "data": "a public source",
    }, "CF323F09A0F6AB9E")  # fmt: skip
    keyless = Vector(
        "emv_B_pan16_arpc2",
        "ARPC method 2 = alg3 MAC(SK, ARQC||CSU)[:4]",
        {"arqc": "0CE77D211CB5459A", "csu": "00000000"},
        "8CD9AA5D",
    )
    report = run([short, keyless])
    assert report.passed == report.completed == ["emv_script_mac_csk", "emv_B_pan16_arpc2"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("emv_script_mac_csk", {"data": "b public source"}),
        ("emv_script_mac_csk", {"data": "a public source", "r": "ABCDEF1234567891"}),
        ("emv_B_pan16_arpc2", {"arqc": "0CE77D211CB5459B"}),
        ("emv_B_pan16_arpc2", {"csu": "not printed"}),
        ("cps_store_data_8000_apdu", {"dgi": "8001", "session": "scp02_* above"}),
        ("des_fips81_ecb", {"data": "the data of the standard"}),
    ],
)
def test_what_is_completed_can_still_fail(name: str, changes: dict[str, str]) -> None:
    whole = BY_NAME[name]
    given_inputs = {"csu": "00000000"} if name.endswith("arpc2") else dict(whole.inputs)
    if "session" in changes:
        given_inputs = {}
    report = run([dataclasses.replace(whole, inputs={**given_inputs, **changes})])
    assert report.passed == []
    assert [*report.failed, *report.unknown] == [name]


@pytest.mark.parametrize("member", ["session", "dgi"])
def test_a_flip_in_the_shorthand_of_a_vector_is_a_failure(member: str) -> None:
    """The algorithm is known, so it is not unknown what came out."""
    short = {"session": "scp02_* above", "dgi": "8000"}
    whole = BY_NAME["cps_store_data_8000_apdu"]
    assert run([dataclasses.replace(whole, inputs=short)]).ok
    flipped = {**short, member: chr(ord(short[member][0]) ^ 1) + short[member][1:]}
    report = run([dataclasses.replace(whole, inputs=flipped)])
    assert list(report.failed) == [whole.name]
    assert report.unknown == {}


def test_the_title_of_a_vector_narrows_what_its_inputs_leave_open() -> None:
    second = BY_NAME["iso9797_alg1_str1_pad2"]
    assert run([dataclasses.replace(second, name="any padding")]).ok
    assert run([dataclasses.replace(second, name="a_pad1_of_another")]).failed


@pytest.mark.parametrize(
    ("alg", "inputs"),
    [
        ("SSF33", {"key": "00", "data": "00"}),
        ("SM3", {}),
        ("SM3", {"data": "616263", "key": "00"}),
        ("", {"data": "616263"}),
    ],
)
def test_no_rule_means_unknown(alg: str, inputs: dict[str, Value]) -> None:
    report = run([Vector("a", alg, inputs, "00")])
    assert report.unknown == {"a": alg}
    assert not report.ok


@pytest.mark.parametrize(
    "inputs",
    [
        {"key": "0123", "data": "00"},
        {"key": 7, "data": "00"},
        {"key": ["00"], "data": "00"},
        {"key": "x", "data": "00"},
        {"key": "", "data": ""},
        {"key": "0123456789ABCDEF", "data": "00"},
    ],
)
def test_inputs_that_cannot_be_used_fail_without_showing_them(inputs: dict[str, Value]) -> None:
    report = run([Vector("a", "DES-ECB", inputs, "00")])
    assert report.failed == {"a": "inputs that cannot be used"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", 'no list "vectors"'),
        (b'{"vectors": {}}', 'no list "vectors"'),
        (b'{"vectors": []}', 'the list "vectors" is empty'),
        (b'{"vectors": [1]}', "vector 1 is not an object"),
        (b'{"vectors": [{"name": "a"}]}', "vector 1 needs a name and an alg"),
        (b'{"vectors": [{"name": "", "alg": "b"}]}', "vector 1 needs a name"),
        (b'{"vectors": [{"name": "a", "alg": "b"}]}', "vector 1 needs inputs"),
        (b'{"vectors": [{"name": "a", "alg": "b", "inputs": {"c": 1.5}}]}', "needs inputs"),
        (b'{"vectors": [{"name": "a", "alg": "b", "inputs": {"c": true}}]}', "needs inputs"),
        (b'{"vectors": [{"name": "a", "alg": "b", "inputs": {}}]}', "vector 1 needs an output"),
        (b'{"vectors": [{"name": "a", "alg": "b", "inputs": {}, "output": {}}]}', "an output"),
        (b'{"vectors": [], "vectors": []}', "names a member twice"),
        (b'{"vectors": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"vectors": ' + b"9" * 5000 + b"}", "not JSON"),
        (b" " * (16 << 20) + b"[]", "larger than 16 MiB"),
    ],
)
def test_files_that_are_none(content: bytes, words: str) -> None:
    with pytest.raises(VectorFileError, match=words) as caught:
        parse(content)
    assert caught.value.exit_code is ExitCode.USAGE


def test_two_vectors_of_one_name_are_refused(tmp_path: Path) -> None:
    entry = as_entry(BY_NAME["sm3_abc"])
    with pytest.raises(UsageError, match="same name"):
        load(write(tmp_path / "twice.json", entry, entry))


# --- fuzz -----------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
VALUES = (
    st.integers()
    | st.text(max_size=40)
    | st.binary(max_size=40).map(bytes.hex)
    | st.lists(st.binary(max_size=12).map(bytes.hex), max_size=3)
)
QUICK = [vector for vector in VECTORS if not rule_of(vector).slow]


def outcome(content: bytes) -> None:
    """Either a refused file, or every vector in exactly one list."""
    try:
        vectors = parse(content)
    except VectorFileError:
        return
    report = run(vectors)
    assert sorted([*report.passed, *report.failed, *report.unknown]) == sorted(
        vector.name for vector in vectors
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(content: bytes) -> None:
    outcome(content)


@given(JSON, st.sampled_from(["", "vectors", "name", "inputs", "output", "alg"]))
def test_any_json_is_refused_or_read(value: object, place: str) -> None:
    entry: dict[str, object] = copy.deepcopy(as_entry(BY_NAME["sm3_abc"]))
    if place not in ("", "vectors"):
        entry[place] = value
    document = {"": value, "vectors": {"vectors": value}}.get(place, {"vectors": [entry]})
    outcome(json.dumps(document).encode())


@given(st.data())
@settings(max_examples=300)
def test_any_inputs_of_any_algorithm_give_an_answer_or_a_reason(data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(QUICK))
    changed = {
        name: data.draw(VALUES) if data.draw(st.booleans()) else value
        for name, value in vector.inputs.items()
    }
    entry = as_entry(vector) | {"inputs": changed}
    outcome(json.dumps({"vectors": [entry]}).encode())


@given(st.integers(0), st.binary(min_size=1, max_size=3))
@settings(max_examples=100)
def test_a_damaged_file_is_refused_or_read(at: int, damage: bytes) -> None:
    whole = write_small()
    at %= len(whole)
    outcome(whole[:at] + damage + whole[at + len(damage) :])


def write_small() -> bytes:
    return json.dumps({"vectors": [as_entry(vector) for vector in QUICK[:12]]}).encode()


# --- failing --------------------------------------------------------------------------------------


def test_a_broken_algorithm_raises_what_a_store_locks_itself_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = sm4.encrypt_ecb
    monkeypatch.setattr("cardkit.crypto.sm4.encrypt_ecb", lambda key, data: right(data, key))
    with pytest.raises(SelfTestFailedError) as caught:
        require_builtin(quick=True)
    error = caught.value
    assert isinstance(error, RefusedError)
    assert "kcv_sm4_8" in error.names
    assert "known answers (" in error.message
    assert "自检" in error.zh


def test_a_vector_shows_no_value_of_it() -> None:
    vector = BY_NAME["pboc_div3_level1"]
    assert "00112233" not in repr(vector)
    assert repr(vector).startswith("Vector(name='pboc_div3_level1'")


# --- cardkit key selftest -------------------------------------------------------------------------


def test_command_passes_on_its_own_and_on_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "vectors.json", as_entry(BY_NAME["sm3_abc"]))
    assert main(["key", "selftest", str(path)]) == ExitCode.DONE
    assert capsys.readouterr().out == "1 passed 通过, 0 failed 失败, 0 unknown 未知\n"
    assert main(["key", "selftest", "--json"]) == ExitCode.DONE
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] == list(BY_NAME)
    assert document["failed"] == document["unknown"] == []


def test_command_tells_failed_from_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = as_entry(BY_NAME["sm3_abc"]) | {"output": "00" * 32}
    strange = {"name": "b\x1b[2J", "alg": "SM9", "inputs": {}, "output": ""}
    path = write(tmp_path / "vectors.json", wrong, strange)
    assert main(["key", "selftest", str(path), "--json"]) == ExitCode.PARTIAL
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "passed": [], "failed": ["sm3_abc"], "unknown": ["b\x1b[2J"], "completed": [],
    }  # fmt: skip
    assert main(["key", "selftest", str(path)]) == ExitCode.PARTIAL
    text = capsys.readouterr().out
    assert "sm3_abc" in text
    assert "another answer" in text
    assert "\x1b" not in text


def test_command_notes_what_it_completed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = as_entry(BY_NAME["pboc_arpc_3des"]) | {"inputs": {"arc": "3030"}}
    assert main(["key", "selftest", str(write(tmp_path / "v.json", entry))]) == ExitCode.DONE
    assert "pboc_arpc_3des" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"{}", b"\x00"])
def test_command_refuses_what_is_no_file_of_vectors(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "v.json"
    if content is not None:
        path.write_bytes(content)
    assert main(["key", "selftest", str(path)]) == ExitCode.USAGE
    assert "v.json" in capsys.readouterr().err


def test_published_and_computed_vectors_are_kept_apart() -> None:
    for file in (builtin.PUBLISHED, builtin.COMPUTED):
        entries = json.loads((FOLDER / file).read_text(encoding="utf-8"))["vectors"]
        worked_out = ["worked out" in entry["source"] for entry in entries]
        assert all(worked_out) if file == builtin.COMPUTED else not any(worked_out)
        assert {entry["confidence"] for entry in entries} <= {"high", "medium"}
