"""Photos: what is taken, every sort that is not, and what the chip gets."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cardkit.profile.schema import Photo
from cardkit.registry.intake import jpeg
from cardkit.registry.intake.findings import REASONS
from cardkit.registry.intake.photo import check_photo
from tests.registry.intake import portraits
from tests.registry.intake.support import RULES, prepared


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("who", range(6))
def test_a_photo_of_the_standard_is_taken_and_fits_the_chip(who: int) -> None:
    verdict = check_photo(portraits.good(who), RULES)
    assert verdict.findings == ()
    assert verdict.prepared is not None
    chip, face = opened(verdict.prepared.chip), opened(verdict.prepared.print)
    assert len(verdict.prepared.chip) <= 4096
    assert face.size == (358, 441)
    assert abs(chip.width / chip.height - 358 / 441) < 0.01
    assert jpeg.inspect(verdict.prepared.chip).coding == "baseline"
    assert jpeg.inspect(verdict.prepared.print).dpi == (350, 350)


@pytest.mark.parametrize("code", list(portraits.REJECTED))
def test_every_rejected_sort_is_named(code: str) -> None:
    verdict = check_photo(portraits.REJECTED[code](), RULES)
    assert code in [finding.code for finding in verdict.findings]
    assert verdict.prepared is None


def test_there_is_a_photo_for_every_reason() -> None:
    assert set(portraits.REJECTED) | {"chip"} == set(REASONS)


def test_a_chip_without_room_is_named() -> None:
    verdict = check_photo(portraits.good(), replace(RULES, chip_bytes=300))
    assert [finding.code for finding in verdict.findings] == ["chip"]


def test_every_reason_reads_in_both_languages() -> None:
    for make in portraits.REJECTED.values():
        for finding in check_photo(make(), RULES).findings:
            zh, en = finding.text("zh"), finding.text("en")
            assert any("\u4e00" <= character <= "\u9fff" for character in zh)
            assert en.isascii()
            assert "{" not in zh + en


def test_all_that_is_wrong_is_said_at_once() -> None:
    image = portraits.portrait(portraits.Looks(background=(67, 142, 219))).convert("L")
    verdict = check_photo(portraits.jpeg(image, progressive=True, dpi=(72, 72)), RULES)
    codes = {finding.code for finding in verdict.findings}
    assert {"progressive", "colour", "resolution", "background"} <= codes


@pytest.mark.parametrize("part", [0.2, 0.5, 0.95])
def test_a_photo_that_lacks_its_last_part_is_not_taken_for_a_whole_one(part: float) -> None:
    whole = portraits.good()
    left = whole[: int(len(whole) * part)]
    zeros = bytes(len(whole) - len(left) - 2)
    for cut in (left, left + b"\xff\xd9", left + zeros + b"\xff\xd9"):
        codes = {finding.code for finding in check_photo(cut, RULES).findings}
        assert codes - {"file_small"} == {"truncated"}


def test_black_and_white_in_the_coding_of_a_coloured_photo_is_named() -> None:
    grey = portraits.portrait(2).convert("L")
    for coded in (grey, grey.convert("RGB")):
        verdict = check_photo(portraits.jpeg(coded, quality=97), RULES)
        assert [finding.code for finding in verdict.findings] == ["colour"]


def test_metadata_do_not_get_through() -> None:
    image = portraits.portrait(3)
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    data = portraits.jpeg(image, exif=exif, comment=b"secret words")
    assert b"secret" in data
    found = check_photo(data, RULES).prepared
    assert found is not None
    assert b"secret" not in found.print + found.chip
    assert b"Exif" not in found.print + found.chip


def test_a_photo_lying_on_its_side_is_turned_upright() -> None:
    upright = portraits.portrait(2)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    lying = portraits.jpeg(upright.transpose(Image.Transpose.ROTATE_90), exif=exif, quality=95)
    found = check_photo(lying, RULES).prepared
    assert found is not None
    expected = check_photo(portraits.jpeg(upright, quality=95), RULES).prepared
    assert expected is not None
    one, other = opened(found.print).tobytes(), opened(expected.print).tobytes()
    assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one) < 3


def test_a_larger_photo_is_scaled_down_and_a_smaller_one_is_not_blown_up() -> None:
    large = portraits.portrait(1).resize((1074, 1323))
    found = check_photo(portraits.jpeg(large, dpi=(72, 72)), RULES).prepared
    assert found is not None
    assert opened(found.print).size == (358, 441)
    assert (found.original_width, found.original_height) == (1074, 1323)


def test_the_same_file_gives_the_same_bytes() -> None:
    one, other = (check_photo(portraits.good(4), RULES).prepared for _ in range(2))
    assert one == other


def test_the_rules_are_those_of_the_profile() -> None:
    unstated = portraits.jpeg(portraits.portrait(), dpi=(72, 72))
    assert check_photo(unstated, replace(RULES, check_dpi=False)).ok
    square = Photo(width=400, height=400, check_dpi=False)
    assert [f.code for f in check_photo(portraits.good(), square).findings] == ["aspect"]


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400), head=st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xe0"]))
def test_any_bytes_are_a_verdict_and_never_a_crash(data: bytes, head: bytes) -> None:
    assert check_photo(head + data, RULES).findings


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 16_000), value=st.integers(0, 255), cut=st.integers(0, 17_000))
def test_a_damaged_photo_is_a_verdict_and_never_a_crash(at: int, value: int, cut: int) -> None:
    data = bytearray(portraits.good())
    data[at % len(data)] = value
    verdict = check_photo(bytes(data[: max(cut, 700)]), RULES)
    assert verdict.ok or verdict.findings
    assert not verdict.ok or len(verdict.prepared.chip) <= 4096  # type: ignore[union-attr]


def test_headers_are_read_without_decoding() -> None:
    facts = jpeg.inspect(portraits.good())
    assert (facts.width, facts.height, facts.components, facts.coding) == (358, 441, 3, "baseline")
    assert facts.dpi == (350, 350)
    assert jpeg.inspect(portraits.jpeg(portraits.portrait(), dpi=(0, 0))).dpi is None


def test_prepared_photos_of_two_people_differ() -> None:
    assert prepared(0).original_digest != prepared(1).original_digest
