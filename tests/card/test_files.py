"""Every file of every specification tree, found through the tree: no file without a vector."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.card.files import GENERATION_2, TREES, Field, Tree
from cardkit.card.files.codings import AMOUNT, BYTES, DATE, DIGITS, MONEY, TEXT, Value
from cardkit.card.files.model import (
    BinaryFile,
    Confidence,
    CyclicFile,
    File,
    InternalFile,
    Item,
    RecordFile,
    Template,
)

FILES = [
    pytest.param(file, id=f"{tree.generation} {directory.label} {file.label}")
    for tree in TREES.values()
    for directory in tree.directories
    for file in directory.files
    if not isinstance(file, InternalFile)
]


def test_marks_are_those_of_what_is_established() -> None:
    """docs/established.md: one source for EF07, EF08 and the keys of DF01-DF04; names are ours."""
    ssse = GENERATION_2.directory("SSSE")
    assert ssse.file("EF07").confidence is ssse.file("EF08").confidence is Confidence.MEDIUM
    assert {slot.confidence for slot in ssse.keys} == {Confidence.HIGH}
    for label in ("DF01", "DF02", "DF03", "DF04"):
        slots = GENERATION_2.directory(label).keys
        assert {slot.confidence for slot in slots} == {Confidence.MEDIUM}
    for field in GENERATION_2.fields:
        if field.directory.label != "SSSE" and not field.item.name.startswith("tag_"):
            assert field.item.confidence is Confidence.INFERRED, field.address


@pytest.mark.parametrize("file", FILES)
def test_every_file_has_vectors(file: File) -> None:
    assert file.vectors


@pytest.mark.parametrize("file", FILES)
def test_vectors_of_the_declaration(file: File) -> None:
    for vector in file.vectors:
        if isinstance(file, RecordFile):
            item = file.items[vector.where - 1]
            assert item.record(vector.value).hex() == vector.data.hex()
            assert item.record(item.decode(vector.data[2:])) == vector.data
        elif isinstance(file, CyclicFile):
            assert isinstance(vector.value, dict)
            assert file.encode(vector.value).hex() == vector.data.hex()
            assert file.encode(file.decode(vector.data)) == vector.data
        else:
            assert isinstance(file, BinaryFile)
            assert isinstance(vector.value, bytes)
            assert vector.value.ljust(file.size, b"\0") == vector.data


def values(item: Item) -> st.SearchStrategy[Value]:
    """Values that an item can hold."""
    if isinstance(item, Template):
        return st.fixed_dictionaries({part.name: values(part) for part in item.parts})
    filled: dict[object, st.SearchStrategy[Value]] = {
        TEXT: st.text("张三李四A1· 龙", min_size=1, max_size=item.length // 2).map(
            lambda text: text.rstrip("\0")
        ),
        DIGITS: st.text("0123456789", min_size=1, max_size=2 * item.length),
        DATE: st.dates(),
        MONEY: st.integers(1, 10 ** (2 * item.length) - 1),
        AMOUNT: st.integers(1, 256**item.length - 1),
        BYTES: st.binary(min_size=item.length, max_size=item.length).filter(any),
    }
    if item.coding is TEXT and item.length == 1:
        return st.none() | st.sampled_from("0123456789ABC")
    return st.none() | filled[item.coding]


FIELDS = [
    pytest.param(f, id=f"{t.generation} {f.address}") for t in TREES.values() for f in t.fields
]


@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
@settings(max_examples=40)
def test_round_trip_of_every_item(field: Field, data: st.DataObject) -> None:
    value = data.draw(values(field.item))
    encoded = field.item.encode(value)
    assert len(encoded) == field.item.length
    assert field.item.encode(field.item.decode(encoded)) == encoded
    if not isinstance(field.item, Template):
        assert field.item.decode(encoded) == value


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_lengths_and_numbers_hold_together(tree: Tree) -> None:
    for directory in tree.directories:
        identifiers = [file.fid for file in directory.files]
        assert len(set(identifiers)) == len(identifiers)
        kids = [(key.type == 0x0E, key.kid) for key in directory.keys if key.name != "PIN"]
        masters = {(False, 0x00)}
        assert len(set(kids) | masters) == len(set(kids))
        opened = {key.level for key in directory.keys}
        for file in directory.files:
            for access in (file.read, file.update):
                assert access.own in opened | {0x00, 0xEF}, file.label


@pytest.mark.parametrize(
    ("address", "length"),
    [  # card.md 2.5: lengths of the templates, recomputed from their parts
        ("DF01.EF15.40.1", 0x34),
        ("DF02.EF05.43.2", 0x6C),
        ("DF02.EF05.44.1", 0x65),
        ("DF02.EF15.99.4", 0x10),
        ("DF03.EF06.4A.3", 0x61),
        ("DF03.EF19.79.4", 0x27),
    ],
)
def test_template_lengths(address: str, length: int) -> None:
    assert TREES["2.0"].find(address).length == length


def test_generation_2_is_complete() -> None:
    """The whole table of card.md 2.4-2.5 as numbers of records and files."""
    tree = TREES["2.0"]
    records = {
        f"{d.label}.{f.label}": len(f.items)
        for d in tree.directories
        for f in d.files
        if isinstance(f, RecordFile)
    }
    assert records == {
        "SSSE.EF05": 7, "SSSE.EF06": 7,
        "DF01.EF05": 3, "DF01.EF06": 5, "DF01.EF07": 1, "DF01.EF08": 1, "DF01.EF09": 3,
        "DF01.EF0A": 3, "DF01.EF15": 4,
        "DF02.EF05": 6, "DF02.EF06": 7, "DF02.EF09": 4, "DF02.EF15": 6,
        "DF03.EF05": 7, "DF03.EF06": 10, "DF03.EF07": 6, "DF03.EF15": 3, "DF03.EF16": 2,
        "DF03.EF17": 5, "DF03.EF18": 5, "DF03.EF19": 4,
        "DF04.EF05": 16, "DF04.EF06": 3,
    }  # fmt: skip
    cyclic = {
        f"{d.label}.{f.label}": (f.record_length, f.count)
        for d in tree.directories
        for f in d.files
        if isinstance(f, CyclicFile)
    }
    assert cyclic == {
        "DF02.EF07": (85, 4), "DF02.EF16": (18, 4), "DF04.EF08": (28, 30), "DF04.EF15": (3, 8),
    }  # fmt: skip
    binary = {
        f"{d.label}.{f.label}": f.size
        for d in tree.directories
        for f in d.files
        if isinstance(f, BinaryFile)
    }
    assert binary == {"SSSE.EF07": 0x400, "SSSE.EF08": 0x1000} | {
        f"DF01.EF{n:02X}": 0x128 for n in range(0x16, 0x1B)
    }
