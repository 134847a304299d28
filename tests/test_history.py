"""The hash-chained log: any change to what was written is found and named."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.history import GENESIS, Head, Scalar, canonical, chained, link, verify

texts = st.text(st.characters(exclude_categories=[]), max_size=8)  # lone surrogates too
scalars: st.SearchStrategy[Scalar] = st.one_of(st.none(), st.integers(-(2**62), 2**62), texts)
entries = st.lists(st.lists(scalars, max_size=4), min_size=1, max_size=6).map(
    lambda found: [[n, *fields] for n, fields in enumerate(found, 1)]
)


def test_the_digest_is_what_the_documentation_says() -> None:
    """Computed without the module: anybody can check a log with a few lines."""
    first = sha256(bytes(32) + b'[1,"\\u65b0",null]').digest()
    second = sha256(first + b'[2,"x",-3]').digest()
    log = list(chained(Head(), [[1, "新", None], [2, "x", -3]]))
    assert [digest for _, digest in log] == [first, second]


@given(entries)
def test_an_untouched_log_is_intact(log: list[list[Scalar]]) -> None:
    written = list(chained(Head(), log))
    verdict = verify(written)
    assert verdict.intact
    assert verdict.head == Head(len(log), written[-1][1])


@given(entries, st.data())
def test_a_changed_field_is_found(log: list[list[Scalar]], data: st.DataObject) -> None:
    written = list(chained(Head(), log))
    place = data.draw(st.integers(0, len(log) - 1))
    fields, digest = written[place]
    other = data.draw(st.lists(scalars, max_size=4).map(lambda found: [fields[0], *found]))
    if other == list(fields):
        return
    written[place] = (other, digest)
    assert verify(written).problem == f"entry {place + 1} was changed"


@given(entries.filter(lambda log: len(log) > 1), st.data())
def test_a_missing_entry_is_found_unless_it_is_the_last(
    log: list[list[Scalar]], data: st.DataObject
) -> None:
    written = list(chained(Head(), log))
    place = data.draw(st.integers(0, len(log) - 2))
    del written[place]
    assert verify(written).problem == f"entry {place + 1} is missing"


def test_a_cut_tail_shows_against_a_digest_kept_elsewhere() -> None:
    written = list(chained(Head(), [[1, "a"], [2, "b"]]))
    kept = verify(written).head
    assert verify(written[:1]).intact
    assert verify(written[:1]).head != kept


def test_checking_can_go_on_from_a_known_entry() -> None:
    written = list(chained(Head(), [[1, "a"], [2, "b"], [3, "c"]]))
    known = Head(2, written[1][1])
    assert verify(written[2:], known).head.sequence == 3
    assert verify(written[2:], Head(2, GENESIS)).problem == "entry 3 was changed"


def test_an_entry_out_of_order_is_not_written() -> None:
    with pytest.raises(ValueError, match="entry 3 cannot follow entry 1"):
        list(chained(Head(1, GENESIS), [[3, "a"]]))


@given(st.lists(scalars), st.lists(scalars))
def test_different_entries_have_different_bytes(one: list[Scalar], other: list[Scalar]) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)
    assert json.loads(canonical(one)) == one
    assert link(GENESIS, one) != link(bytes([1]) * 32, one)
