"""Image files: what is saved comes back, what is damaged is refused in one line."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.errors import UsageError
from cardkit.virtual.card import Form, VirtualCard, image

if TYPE_CHECKING:
    from tests.virtual.conftest import Workbench

DF01 = "D15600000500"


def test_a_card_comes_back_from_its_image(issued: Workbench, tmp_path: Path) -> None:
    issued.send(f"00A4040006{DF01}")
    issued.send("0020000003000000")
    path = tmp_path / "card.image"
    issued.card.save(path)
    again = VirtualCard.load(path)
    assert again.snapshot() == issued.card.snapshot()
    assert not again.powered
    issued.card = again
    assert again.power_on() == bytes.fromhex("3B6D00000087BF10028649639900000001")
    issued.ok(f"00A4040006{DF01}")
    assert issued.send("0020000003000000") == "63C1", "the lost try is remembered"
    issued.ok("0020000003123456")
    assert issued.ok("00B2012C04") == "20024142"
    assert again.chip.mf is not None
    assert again.chip.memory.used == sum(
        directory.size + sum(file.size for file in directory.files)
        for directory in again.chip.mf.walk()
    )


def test_a_chip_with_another_form_of_messages_keeps_it(tmp_path: Path) -> None:
    usual = VirtualCard.blank(transport_key=bytes(8))
    other = VirtualCard.blank(transport_key=bytes(8), form=Form(fold=True, always_pad=True))
    other.save(tmp_path / "other.image")
    assert VirtualCard.load(tmp_path / "other.image").chip.form == other.chip.form
    assert not {"fold", "always_pad"} & set(json.loads(usual.snapshot().partition("\n")[2]))
    with pytest.raises(ValueError, match="damaged"):
        image.decode(other.snapshot().replace('"fold": true', '"fold": 1'))


def test_fci_records_come_back_and_are_checked(building: Workbench) -> None:
    building.ok("00A4000002DDF1")
    building.ok("00D201230F 700D DF01 0A 6F08 8406D15600000500")
    text = building.card.snapshot()
    assert image.encode(image.decode(text)) == text
    with pytest.raises(ValueError, match="structure is damaged"):
        image.decode(text.replace("700ddf010a6f08", "700ddf010b6f08"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"0304322e3030"', '"0305322e3030"'),  # a TLV that does not agree
        ('"20024142"', '"20024142", "2110' + "00" * 16 + '"'),  # more than the file holds
    ],
)
def test_records_in_an_image_keep_the_rules_of_their_file(
    template: tuple[str, object], old: str, new: str
) -> None:
    assert old in template[0]
    with pytest.raises(ValueError, match="structure is damaged"):
        image.decode(template[0].replace(old, new))


KEY_RECORD = "0D9001EF33009010" + "00" * 16


@pytest.mark.parametrize(
    ("kind_and_sfi", "lines"),
    [
        ("c30081", ["00"]),  # the purse file has no content
        ("c40015", ["00" * 599]),  # a transparent file is as long as it was made
        ("c40015", ["00" * 300, "00" * 300]),
        ("c30080", [KEY_RECORD] * 9),  # eight keys were declared
        ("c30080", [KEY_RECORD + "00"]),  # a key record has 24 bytes
        ("c70007", ["00" * 5] * 4),  # three records
    ],
)
def test_content_in_an_image_fits_its_file(
    template: tuple[str, object], kind_and_sfi: str, lines: list[str]
) -> None:
    header, _, body = template[0].partition("\n")
    content = json.loads(body)
    df01 = content["mf"]["directories"][0]["directories"][0]
    file = next(file for file in df01["files"] if file["creation"][14:20] == kind_and_sfi)
    file["content"] = lines
    with pytest.raises(ValueError, match="structure is damaged"):
        image.decode(f"{header}\n{json.dumps(content)}")


def test_a_blank_card_too(blank: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "card.image"
    blank.card.save(path)
    assert VirtualCard.load(path).snapshot() == blank.card.snapshot()


def test_the_file_is_for_its_owner_only_and_says_what_it_is(
    issued: Workbench, tmp_path: Path
) -> None:
    path = tmp_path / "card.image"
    path.touch(0o644)
    issued.card.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "TEST ONLY" in path.read_text().splitlines()[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["card.image"], "nothing left beside it"


def test_a_directory_that_is_not_there(issued: Workbench, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        issued.card.save(tmp_path / "missing" / "card.image")
    with pytest.raises(UsageError, match="cannot be read"):
        VirtualCard.load(tmp_path / "missing")
    with pytest.raises(UsageError, match="cannot be read"):
        VirtualCard.load(tmp_path)


def test_a_disk_that_fails_leaves_the_old_image(
    issued: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "card.image"
    path.write_text("old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(UsageError, match="No space left"):
        issued.card.save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_image_shows_no_key_in_reprs(issued: Workbench) -> None:
    secret = issued.key("SSSE 0D04").hex()
    assert secret in issued.card.snapshot()
    mf = issued.card.chip.mf
    assert mf is not None
    everything = [issued.card, issued.card.chip, *mf.walk()]
    everything += [file for directory in mf.walk() for file in directory.files]
    assert secret not in repr(everything).lower()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"{}",
        image.HEADER.encode() + b"\n",
        image.HEADER.encode() + b"\n[]",
        image.HEADER.encode() + b"\n{}",
        image.HEADER.encode() + b"\n" + b"[" * 100_000,
        image.HEADER.replace("image 1", "image 2").encode() + b"\n{}",
        b"x" * (image.LARGEST + 1),
    ],
)
def test_garbage_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.image"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        VirtualCard.load(path)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def _nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _nodes(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _nodes(inner, (*path, index))
    return found


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 1 << 40), st.floats(), st.text(max_size=8),
    st.binary(max_size=30).map(bytes.hex), st.just([]), st.just({}),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(data=st.data(), value=_VALUES)
def test_a_damaged_image_is_refused_or_is_still_a_card(
    template: tuple[str, object], data: st.DataObject, value: object
) -> None:
    header, _, body = template[0].partition("\n")
    content = json.loads(body)
    *way, last = data.draw(st.sampled_from(_nodes(content)))
    place = content
    for step in way:
        place = place[step]
    place[last] = value
    try:
        chip = image.decode(f"{header}\n{json.dumps(content)}")
    except ValueError:
        return
    card = VirtualCard(chip)
    card.power_on()
    for command in ("00A40000023F00", f"00A4040006{DF01}", "0020000003123456", "00B2012C04"):
        assert len(card.transmit(bytes.fromhex(command))) >= 2


def test_the_error_holds_nothing_of_the_content(template: tuple[str, object]) -> None:
    broken = template[0].replace('"pre_issue"', '"another"')
    with pytest.raises(ValueError, match="structure is damaged") as caught:
        image.decode(broken)
    assert len(str(caught.value)) < 80
    assert caught.value.__suppress_context__
