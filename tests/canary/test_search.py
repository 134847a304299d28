"""The canary test can fail: whatever leaks, in whatever encoding, wherever to, is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canary.allowed import ALLOWED, allowed_at
from tests.canary.forms import forms
from tests.canary.markers import Kind, Marker, citizen_number
from tests.canary.sandbox import Sandbox
from tests.canary.search import Evidence, Searcher

# Not the markers of the canary test itself: this file leaks its own on command lines, which a
# canary test that runs at the same time would see.
DECOYS = (
    Marker(Kind.NAME, "name", "戴胜鸟"),
    Marker(Kind.NUMBER, "number", citizen_number(7, "19480229")[:17]),
    Marker(Kind.PIN, "PIN", "271828459045"),
    Marker(Kind.KEY, "key", bytes.fromhex("D3C1B6A85E4F2389")),
)
BY_KIND = {marker.kind: marker for marker in DECOYS}

ENCODINGS = {
    "utf-8", "gb18030", "utf-16-le", "bcd", "hex upper", "hex lower", "base64 at 0",
    "base64 at 1", "base64 at 2", "decimal", "list", "python", "percent", "escaped",
}  # fmt: skip

LEAK = """
import os, subprocess, sys, tempfile, time, zipfile
data = sys.stdin.buffer.read()
home = os.environ["HOME"]
sleep = [sys.executable, "-c", "import time; time.sleep(0.3)"]
{}
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path, DECOYS) as box:
        yield box


def leak(box: Sandbox, how: str, data: bytes) -> list[str]:
    """A program that leaks ``data``; what of that is found."""
    program = box.python("-c", LEAK.format(how))
    out, err = program.communicate(data, timeout=30)
    box.keep("stdout: helper", out)
    box.keep("stderr: helper", err)
    box.__exit__()
    return box.leaks()


@pytest.mark.parametrize("marker", DECOYS, ids=lambda marker: marker.label)
def test_a_leak_is_found_in_every_encoding(box: Sandbox, marker: Marker) -> None:
    every = forms(marker.value)
    each = b"<next>".join(every.values())
    write = """
for number, part in enumerate(data.split(b"<next>")):
    with open(f"{home}/log-{number}", "wb") as log:
        log.write(b"2026-11-21 card=" + part + b" done")
"""
    found = leak(box, write, each)

    places = {line.partition(": ")[2].partition(":")[0] for line in found}
    assert places == {f"home/log-{number}" for number in range(len(every))}
    assert all(marker.kind.value in line for line in found)


def test_the_encodings_that_are_promised_are_among_them() -> None:
    names = {name for marker in DECOYS for name in forms(marker.value)}
    words = {part for name in names for part in (name, name.removeprefix("raw "))}
    words |= {name.removeprefix(prefix) for name in names for prefix in ("gb18030 ", "bcd ")}
    assert words >= ENCODINGS
    assert set(forms("戴胜鸟")) >= {
        f"{text} {form}"
        for text in ("utf-8", "gb18030")
        for form in ("hex upper", "hex lower", "base64 at 0", "base64 at 1", "base64 at 2")
    }


CHANNELS = {
    "stdout: helper": "sys.stdout.buffer.write(data)",
    "stderr: helper": "sys.stderr.buffer.write(data)",
    "file: home/log": "open(home + '/log', 'wb').write(data)",
    "file: work/registry.db.copy": "open('registry.db.copy', 'wb').write(data)",
    "removed: tmp/secret": """
path = tempfile.gettempdir() + "/secret"
open(path, "wb").write(data)
os.unlink(path)""",
    "removed: tmp/folder/secret": """
folder = tempfile.gettempdir() + "/folder"
os.mkdir(folder)
open(folder + "/secret", "wb").write(data)
import shutil; shutil.rmtree(folder)""",
    "temporary: seen": """
path = tempfile.gettempdir() + "/seen"
open(path, "wb").write(data)
time.sleep(0.3)
os.rename(path, home + "/elsewhere")""",
    "command line": "subprocess.run([*sleep, data])",
    "environment": "subprocess.run(sleep, env={b'SECRET': data})",
    "started": "subprocess.run(['/bin/true', data])",
}


@pytest.mark.parametrize("place", CHANNELS)
@pytest.mark.parametrize("kind", [Kind.KEY, Kind.NAME])
def test_a_leak_is_found_wherever_it_goes(box: Sandbox, place: str, kind: Kind) -> None:
    text = forms(BY_KIND[kind].value)["hex upper" if kind is Kind.KEY else "utf-8"]
    found = leak(box, CHANNELS[place], text)
    assert any(line.startswith(f"{place}:") for line in found), found


def test_an_exception_that_quotes_a_secret_is_found(box: Sandbox) -> None:
    found = leak(box, "raise KeyError(data.decode())", "戴胜鸟".encode())
    assert [line.partition(": name")[0] for line in found] == ["stderr: helper"]


def test_a_workbook_hides_nothing(box: Sandbox) -> None:
    how = "zipfile.ZipFile(home + '/x.xlsx', 'w', 8).writestr('xl/sheet1.xml', data * 50)"
    assert leak(box, how, "戴胜鸟".encode()) == [
        "file: home/x.xlsx: name, 1 times, such as name as utf-8"
    ]


def test_a_file_outside_the_sandbox_is_found(box: Sandbox, tmp_path: Path) -> None:
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    found = leak(box, f"open({str(outside)!r}, 'w')", b"")
    outside.unlink()
    assert found == [f"a file outside the sandbox was written: {outside}"]


@pytest.mark.parametrize(
    "text", ["D3 C1 B6 A8 5E 4F 23 89", "d3c1b6a8\n5e4f2389", "D3:C1:B6:A8:5E:4F:23:89"]
)
def test_blanks_between_digits_hide_nothing(text: str) -> None:
    (found,) = Searcher(DECOYS).find([Evidence("dump", text.encode())], {})
    assert found.kind == Kind.KEY.value


def test_what_is_allowed_at_a_place_is_no_leak_there_and_everything_else_is() -> None:
    searcher = Searcher(DECOYS)
    name, key = "戴胜鸟".encode("gb18030"), bytes.fromhex("D3C1B6A85E4F2389")
    evidence = [Evidence("here", name + key), Evidence("there", name + key)]
    found = searcher.find(evidence, {"here": {Kind.NAME}})
    assert sorted((leak.place, leak.kind) for leak in found) == [
        ("here", "master key"), ("there", "master key"), ("there", "name"),
    ]  # fmt: skip


def test_nothing_is_found_where_nothing_is() -> None:
    noise = bytes(range(256)) * 4000
    assert Searcher(DECOYS).find([Evidence("noise", noise)], {}) == set()


def test_master_keys_are_allowed_in_the_key_file_alone() -> None:
    assert [place for place, kinds in ALLOWED.items() if Kind.KEY in kinds] == [
        "file: in/*keys.toml"
    ]
    assert allowed_at("file: work/out/virtual-cards/1.card") >= {Kind.CARD_KEY}
    assert allowed_at("stderr: card read") == set()
