"""What is installed, in which version: the first thing a helper asks for."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib import metadata
from typing import Final

import cardkit
from cardkit.doctor.finding import Finding, fail, ok, warn
from cardkit.doctor.surroundings import Surroundings

VERSIONS: Final = "versions"
OLDEST_PYTHON: Final = (3, 11)

_PACKAGES: Final = ("pyscard", "cryptography", "SQLAlchemy", "polars")


def check_versions(here: Surroundings) -> list[Finding]:
    """Versions of cardkit, Python, system, packages and pcscd."""
    found = [f"cardkit {cardkit.__version__}", f"Python {platform.python_version()}"]
    found += [platform.platform(terse=True), *(_package(name) for name in _PACKAGES)]
    if pcscd := here.find_program("pcscd"):
        found.append(f"pcscd {_pcscd_version(pcscd)}")
    findings = [ok(VERSIONS, ", ".join(found))]
    missing = [text.split()[0] for text in found if text.endswith(" missing")]
    if missing:
        findings.append(fail(VERSIONS, f"not installed: {', '.join(missing)}", "make setup"))
    if sys.version_info[:2] < OLDEST_PYTHON:
        findings.append(warn(VERSIONS, "Python is too old", "Python 3.11 or newer"))
    return findings


def _package(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} missing"


def _pcscd_version(program: str) -> str:
    try:
        told = subprocess.run(  # noqa: S603
            [program, "--version"], capture_output=True, text=True, timeout=5, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "of unknown version"
    number = re.search(r"version ([\d.]+)", told)
    return number[1].rstrip(".") if number else "of unknown version"
