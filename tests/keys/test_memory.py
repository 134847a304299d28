"""With the token behind a service in another process, the caller's memory holds no key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cardkit
from cardkit.crypto.diversify import diversify
from cardkit.keys import Factors
from cardkit.keys.open_store import open_store
from cardkit.keys.remote_access import AccessList
from cardkit.keys.remote_service import KeyService
from cardkit.keys.soft import SoftKeyStore
from cardkit.profile import load
from tests.certificates import make_authority
from tests.keys.memory_caller import ABOVE, CARDS, FACTOR, NAMES
from tests.tokens import Softhsm, import_all, make_token

CALLER = Path(__file__).with_name("memory_caller.py")
ACCESS = '[clients."window-3"]\nkeys = ["*"]\noperations = ["external", "load", "seal"]\n'
KINDS = ("master", "province", "city", "card")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="needs /proc/self/mem, which Linux has"
)


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Softhsm:
    made = make_token(tmp_path / "softhsm")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm" / "softhsm2.conf"))
    return made


@pytest.fixture
def needles(tmp_path: Path) -> Path:
    """Two keys of four levels, in a form in which they are not in the file either."""
    keys = soft_keys()
    levels = [
        key
        for name in NAMES
        for key in (
            master_of(keys, name),
            diversify(master_of(keys, name), *ABOVE[:1]),
            diversify(master_of(keys, name), *ABOVE),
            diversify(master_of(keys, name), *ABOVE, CARDS[-8:]),
        )
    ]
    path = tmp_path / "needles.json"
    path.write_text(json.dumps([halves(key) for key in levels]))
    return path


def soft_keys() -> SoftKeyStore:
    keys = open_store(load("test"))
    assert isinstance(keys, SoftKeyStore)
    return keys


def master_of(keys: SoftKeyStore, name: str) -> bytes:
    return keys.derive_many(keys.reference(name), Factors())._key(0)


def halves(key: bytes) -> list[int]:
    numbers = (int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little"))
    return [number * FACTOR % 2**64 for number in numbers]


def run_caller(where: str, needles: Path) -> list[str]:
    """Kinds of keys the caller finds in its memory."""
    home = str(Path(cardkit.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, str(CALLER), where, str(needles)],
        capture_output=True, check=True, timeout=120, env={**os.environ, "PYTHONPATH": home},
    )  # fmt: skip
    report = json.loads(result.stdout)
    assert report["answers"] > 16
    return [KINDS[place % len(KINDS)] for place in report["found"]]


def test_a_store_in_the_process_is_found_out(needles: Path) -> None:
    """The search works: keys that are there are found."""
    assert {"master", "card"} <= set(run_caller("--soft", needles))


def test_no_key_in_the_memory_of_a_caller(token: Softhsm, tmp_path: Path, needles: Path) -> None:
    """Must show 5: master keys are in the token, card keys in the process that owns it."""
    authority = make_authority(tmp_path / "ca")
    (tmp_path / "access.toml").write_text(ACCESS)
    access = AccessList.from_file(tmp_path / "access.toml")
    ours = authority.issue("window-3")
    with token.store() as store:
        import_all(store, soft_keys())
        with KeyService(lambda _: store, authority.issue("service"), access) as service:
            settings = tmp_path / "remote.toml"
            settings.write_text(
                f'host = "127.0.0.1"\nport = {service.port}\nca = "{ours.ca}"\n'
                f'certificate = "{ours.certificate}"\nkey = "{ours.key}"\n'
            )
            assert run_caller(str(settings), needles) == []
