"""``cardkit card read`` and ``card dump``, on the images of virtual cards."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cardkit.card.files import GENERATION_2
from cardkit.card.files.model import InternalFile
from cardkit.virtual.card import VirtualCard
from tests.cli.conftest import CARD_NUMBER, NAME, NUMBER, Run
from tests.golden.handwritten import read_dump

PIN = "123456\n"
KEYS = ("--with-keys", "--profile", "test")


def tries_left(image: Path) -> int:
    """Tries of the PIN that a card has, found without spending one of the card itself."""
    card = VirtualCard.load(image)
    card.power_on()
    card.transmit(bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF"))
    return card.transmit(bytes.fromhex("0020000003999999"))[1] & 0xF


def test_free_data_need_nothing(run: Run, images: Path) -> None:
    document = run("card", "read", "--image", images / "issued.card", "--json").document

    assert list(document) == ["SSSE"]
    assert document["SSSE"]["EF05"]["card_number"] == CARD_NUMBER
    assert document["SSSE"]["EF06"] == {
        "citizen_number": NUMBER,
        "name": NAME[:15],
        "name_extension": NAME[15:],
        "sex": "2",
        "nation": "05",
        "birthplace": "639900",
        "birth_date": "19850317",
    }


def test_people_see_chinese_names_and_values(run: Run, images: Path) -> None:
    shown = run("card", "read", "--image", images / "issued.card").out

    for text in ("姓名", NAME[:15], "2 女 female", "05 维吾尔", "1985-03-17", "未读"):
        assert text in shown


def test_keys_open_what_keys_alone_open(run: Run, images: Path) -> None:
    document = run("card", "read", "--image", images / "issued.card", *KEYS, "--json").document

    assert document["DF01"]["EF08"] == {"marital_status": "2"}
    assert document["DF03"]["EF19"]["tag_79_4"]["tag_1c"] == 123456
    assert "EF05" not in document["DF03"]  # wants the PIN as well
    assert "EF08" not in document["DF04"]  # wants the PIN


def test_the_pin_opens_what_the_pin_alone_opens(run: Run, images: Path) -> None:
    image = images / "issued.card"
    document = run("card", "read", "--image", image, "--pin-stdin", "--json", stdin=PIN).document

    assert document["DF01"]["EF08"] == {"marital_status": "2"}
    assert document["DF04"]["EF08"] == []  # no transaction yet
    assert "EF05" not in document["DF03"]  # wants a key as well


def test_pin_and_keys_open_everything(run: Run, images: Path) -> None:
    document = run(
        "card", "read", "--image", images / "issued.card", *KEYS, "--pin-stdin", "--all", "--json",
        stdin=PIN,
    ).document  # fmt: skip

    assert document["DF03"]["EF05"]["tag_61"] == "201201"
    assert document["SSSE"]["EF08"] == "00" * 0x1000
    for directory in GENERATION_2.directories:
        files = [f.label for f in directory.files if not isinstance(f, InternalFile)]
        assert list(document.get(directory.label, {})) == files
        assert None not in document.get(directory.label, {}).values()


def test_with_all_a_closed_file_is_null(run: Run, images: Path) -> None:
    document = run("card", "read", "--image", images / "issued.card", "--all", "--json").document

    assert document["DF01"]["EF05"] is None
    assert document["DF01"]["EF16"] == "00" * 0x128


def test_a_closed_file_names_the_option_that_opens_it(run: Run, images: Path) -> None:
    image = ("--image", images / "issued.card", "--all")

    with_keys = run("card", "read", *image, *KEYS).out
    with_nothing = run("card", "read", *image).out

    assert re.search(r"EF08 .*未开放; opens with --pin$", with_keys, re.MULTILINE)
    assert "opens with --with-keys or --pin" in with_nothing
    assert "opens with --with-keys and --pin" in with_nothing


def test_a_wrong_pin_is_4_tells_the_tries_and_is_presented_once(run: Run, images: Path) -> None:
    image = images / "issued.card"
    before = tries_left(image)

    result = run("card", "read", "--image", image, "--pin-stdin", "--json", stdin="111111\n")

    assert result.code == 4
    assert result.document["error"]["tries_left"] == 2
    assert "111111" not in result.err + result.out
    assert tries_left(image) == before - 1


def test_a_pin_comes_from_a_file_too(run: Run, images: Path, tmp_path: Path) -> None:
    secret = tmp_path / "pin"
    secret.write_text(PIN, encoding="ascii")

    secret.chmod(0o600)
    private = run("card", "read", "--image", images / "issued.card", "--pin-file", secret)
    secret.chmod(0o644)
    public = run("card", "read", "--image", images / "issued.card", "--pin-file", secret)

    assert private.code == public.code == 0
    assert private.err == ""
    assert "others can read" in public.err


def test_without_a_terminal_nobody_is_asked(run: Run, images: Path) -> None:
    result = run("card", "read", "--image", images / "issued.card", "--pin")

    assert result.code == 2
    assert "--pin-stdin" in result.err


def test_keys_belong_to_a_profile(run: Run, images: Path) -> None:
    assert run("card", "read", "--image", images / "issued.card", "--with-keys").code == 2


def test_keys_of_another_city_are_refused_and_presented_once(
    run: Run, images: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('test = true\n[region]\nprovince = "63"\ncity = "639901"\n', encoding="utf-8")
    before = VirtualCard.load(images / "issued.card").snapshot()

    result = run(
        "card", "read", "--image", images / "issued.card", "--with-keys", "--profile", other
    )

    assert result.code == 4
    after = VirtualCard.load(images / "issued.card").snapshot()
    changed = [a for a, b in zip(before.split(), after.split(), strict=True) if a != b]
    assert len(changed) == 1  # the counter of one key


def test_an_unfilled_item_is_null(run: Run, images: Path) -> None:
    document = run("card", "read", "--image", images / "premade.card", "--json").document

    assert set(document["SSSE"]["EF06"].values()) == {None}


def test_a_blank_chip_is_refused_in_words(run: Run, images: Path) -> None:
    result = run("card", "read", "--image", images / "blank.card")

    assert result.code == 4
    assert "no social-security environment" in result.err


def test_an_image_that_is_none_is_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.card").write_text("nothing", encoding="ascii")

    assert run("card", "read", "--image", tmp_path / "x.card").code == 2
    assert run("card", "read", "--image", tmp_path / "missing.card").code == 2
    assert run("card", "read", "--image", tmp_path / "x.card", "--reader", "ACR").code == 2


def test_reading_changes_no_image(run: Run, images: Path) -> None:
    path = images / "issued.card"
    before = path.stat().st_mtime_ns

    run("card", "read", "--image", path, *KEYS)

    assert path.stat().st_mtime_ns == before


def test_control_characters_on_a_card_never_reach_the_terminal(
    run: Run, images: Path, tmp_path: Path
) -> None:
    text = (images / "issued.card").read_text(encoding="ascii")
    name = NAME[:15].encode("gb18030").hex()
    evil = b"\x1b[2J".hex() + name[8:]
    (tmp_path / "evil.card").write_text(text.replace(name, evil), encoding="ascii")

    shown = run("card", "read", "--image", tmp_path / "evil.card").out

    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_a_session_can_be_traced_with_names_masked(run: Run, images: Path, tmp_path: Path) -> None:
    trace = tmp_path / "session.trace"

    run("card", "read", "--image", images / "issued.card", "--trace", trace)

    text = trace.read_text(encoding="utf-8")
    assert text.startswith("cardkit trace 1")
    assert NUMBER.encode().hex().upper() not in text.replace(" ", "").upper()


@pytest.mark.parametrize("state", ["premade", "issued"])
def test_a_dump_has_every_byte_of_the_card(run: Run, images: Path, state: str) -> None:
    image = images / f"{state}.card"
    shown = run("card", "dump", "--image", image, *KEYS, "--pin-stdin", stdin=PIN).out
    card = VirtualCard.load(image)

    files = read_dump(shown)

    assert len(files) == sum(
        not isinstance(f, InternalFile) for d in GENERATION_2.directories for f in d.files
    )
    for file in files:
        inside = _content(card, file.directory, int(file.label, 16))
        assert [bytes.fromhex(record) for record in file.records] == inside, str(file)


def _content(card: VirtualCard, directory: str, fid: int) -> list[bytes]:
    assert card.chip.mf is not None
    aid = GENERATION_2.directory(directory).aid
    found = next(d for d in card.chip.mf.walk() if d.name == aid)
    return [bytes(line) for line in next(f for f in found.files if f.fid == fid).content_image()]


def test_two_dumps_of_a_card_are_the_same_text(run: Run, images: Path) -> None:
    first = run("card", "dump", "--image", images / "issued.card", *KEYS).out

    assert run("card", "dump", "--image", images / "issued.card", *KEYS).out == first


def test_a_dump_says_what_is_closed(run: Run, images: Path) -> None:
    dump = ("card", "dump", "--image", images / "issued.card")

    assert "file EF07  # closed" in run(*dump).out
    assert run(*dump, "--json").document["DF01"]["EF07"] is None
    assert run(*dump, "--json").document["SSSE"]["EF05"][2] == "0304322E3030"
