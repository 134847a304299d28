"""A file is there complete or not at all, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cardkit import wholefile
from cardkit.errors import UsageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "list.csv"
    wholefile.write(found, b"old")
    return found


def alone(path: Path) -> bool:
    """Nothing unfinished is left beside it."""
    return list(path.parent.iterdir()) == [path]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        wholefile.write(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_it_takes_its_name_at_the_end(path: Path) -> None:
    with wholefile.appearing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert alone(path)


def test_what_goes_wrong_in_between_leaves_the_old_one(path: Path) -> None:
    def half() -> None:
        with wholefile.appearing(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert path.read_bytes() == b"old"
    assert alone(path)


def test_a_full_disk_is_told_in_one_line(path: Path) -> None:
    with (
        pytest.raises(UsageError, match=r"^the list cannot be written: No space left") as caught,
        wholefile.appearing(path, name="the list", hint="make room", zh="请腾出空间"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (caught.value.hint, caught.value.zh) == ("make room", "请腾出空间")
    assert path.read_bytes() == b"old"
    assert alone(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory"):
        wholefile.write(tmp_path / "none" / "a", b"")


def test_what_is_there_already_is_refused_before_any_work(path: Path) -> None:
    with (
        pytest.raises(UsageError, match="is there already"),
        wholefile.appearing(path, overwrite=False),
    ):
        pytest.fail("the work was begun")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("links", [True, False], ids=["disk", "memory stick"])
def test_a_file_that_appeared_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    path = tmp_path / "list.csv"

    def slowly() -> None:
        with wholefile.appearing(path, overwrite=False) as file:
            file.write(b"mine")
            path.write_bytes(b"theirs")

    with pytest.raises(UsageError, match="is there already"):
        slowly()
    assert path.read_bytes() == b"theirs"
    assert alone(path)


@pytest.mark.parametrize("links", [True, False], ids=["disk", "memory stick"])
def test_a_free_name_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    wholefile.write(tmp_path / "list.csv", b"mine", overwrite=False)
    assert (tmp_path / "list.csv").read_bytes() == b"mine"
    assert alone(tmp_path / "list.csv")


def _no_links(*_arguments: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_program_that_is_killed_leaves_the_old_one_and_its_part_goes_with_the_next(
    path: Path,
) -> None:
    program = (
        "import os, pathlib, signal, sys\n"
        "from cardkit import wholefile\n"
        "with wholefile.appearing(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(bytes(1 << 20))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert not alone(path)
    wholefile.write(path, b"new")
    assert alone(path), "what the dead program left is removed by the next one"
