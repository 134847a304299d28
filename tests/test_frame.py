"""The frame of the house: what a checkout promises before any card is touched."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKED = ["requirements.txt", "requirements-build.txt", "requirements-dev.txt"]
HEAVY = ("smartcard", "sqlalchemy", "polars", "fastexcel", "numpy", "xlsxwriter", "rich")


@pytest.mark.parametrize("name", LOCKED)
def test_requirements_are_pinned_and_hashed_and_name_no_place(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry]

    assert entries
    for entry in entries:
        assert re.match(r"[\w.-]+==[\w.]+( ; [^\\]+)? \\\n", entry), entry
        assert "--hash=sha256:" in entry
    assert not re.search(r"://|/|--(extra-)?index|--find-links|file:", text)


def test_what_is_wanted_is_locked() -> None:
    wanted = (ROOT / "requirements.in").read_text(encoding="utf-8").split()
    for name in LOCKED[::2]:
        text = (ROOT / name).read_text(encoding="utf-8").lower()
        assert [want for want in wanted if f"{want.lower()}==" not in text] == []


@pytest.mark.parametrize(
    "module", ["cardkit.cli.main", "cardkit.apdu.pcsc", "cardkit.virtual.service"]
)
def test_nothing_heavy_is_loaded_before_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_package_says_what_it_is_and_carries_its_data() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["scripts"] == {"cardkit": "cardkit.cli.main:main"}
    assert project["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    for package, patterns in project["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            assert list((ROOT / package.replace(".", "/")).glob(pattern)), (package, pattern)
