"""The virtual reader service: started, found, used from outside, and gone without a trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cardkit.errors import UnreachableError, UsageError
from cardkit.virtual import service, vpcd
from cardkit.virtual.service import connections, control, launch, pcscd, publish, rundir
from cardkit.virtual.service.connections import NoVirtualReaderError, SlotTakenError, ask
from tests.bench import NOBODY, ScriptedCard, eventually, run_elsewhere

pytestmark = [
    pytest.mark.pcsc,
    pytest.mark.skipif(
        not service.isolating_command(),
        reason="NOT TESTED: pcscd cannot have a network of its own here. Run with sudo.",
    ),
]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root. Run with sudo.")


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run-time directory that does not exist yet."""
    return tmp_path_factory.mktemp("rt") / "cardkit"


@pytest.fixture
def running(directory: Path) -> Iterator[service.Service]:
    with service.start(3, directory, publish=False) as started:
        yield started


def processes_of(directory: Path) -> list[int]:
    """Processes that have the run-time directory on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            arguments = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if entry.name.isdigit() and os.fsencode(directory) in arguments:
            found.append(int(entry.name))
    return found


def test_it_has_the_readers_asked_for_in_a_network_of_its_own(running: service.Service) -> None:
    listed = run_elsewhere("pcsc.list_readers()", running.socket)

    assert listed == str([*running.readers, service.reader_name(3)])  # drivers come in pairs
    assert running.mode is service.Mode.PRIVATE
    assert running.environment == {"PCSCLITE_CSOCK_NAME": str(running.socket)}
    assert not any(rundir.FIRST_PORT + slot in _listening_here() for slot in range(4))


def _listening_here() -> set[int]:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(row.split()[1].split(":")[1], 16) for row in rows}


def test_sixteen_readers_are_possible(directory: Path) -> None:
    with service.start(16, directory, publish=False) as sixteen:
        thread = vpcd.insert(ScriptedCard(), lambda: sixteen.attach(15))
        told = run_elsewhere(
            f"len(pcsc.list_readers()), pcsc.wait_for_card({sixteen.readers[15]!r}, 5).present",
            sixteen.socket,
        )
        thread.remove()
    assert told == "16 True"


@pytest.mark.parametrize("count", [0, 17])
def test_other_counts_are_refused(directory: Path, count: int) -> None:
    with pytest.raises(UsageError, match=f"{count} virtual readers"):
        service.start(count, directory)
    assert not directory.exists()


def test_nothing_is_left_after_a_stop(running: service.Service, directory: Path) -> None:
    assert processes_of(directory)
    running.stop()
    running.stop()  # harmless

    assert processes_of(directory) == []
    assert not directory.exists()


def test_nothing_is_left_when_the_program_that_started_it_is_killed(directory: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from cardkit.virtual import service\n"
        "s = service.start(2, Path(sys.argv[1]), publish=False)\n"
        "print('up', flush=True); sys.stdin.read()\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stdout.readline() == b"up\n"
    program.kill()
    program.communicate()

    assert eventually(lambda: [path.name for path in directory.iterdir()] == ["lock"])
    assert eventually(lambda: processes_of(directory) == [])
    with service.start(2, directory, publish=False) as again:  # the lock was let go
        assert again.running
    assert not directory.exists()


def test_what_a_killed_service_leaves_is_cleaned_at_the_next_start(directory: Path) -> None:
    first = service.start(2, directory, publish=False)
    record = service.running_record(directory)
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert eventually(lambda: not first.running)
    # pcscd ends with the process that kept it
    assert eventually(lambda: processes_of(directory) == [])
    assert (directory / "service.json").exists()
    assert service.running_record(directory) is None  # it does not answer: not running

    with service.start(2, directory, publish=False) as second:
        assert "Reader A 00 01" in run_elsewhere("pcsc.list_readers()", second.socket)
    first.stop()
    assert not directory.exists()


def test_a_second_service_in_the_same_place_is_refused(
    running: service.Service, directory: Path
) -> None:
    with pytest.raises(UnreachableError, match="run already") as raised:
        service.start(1, directory)
    assert "stop them first" in raised.value.hint
    assert running.running


def test_two_services_live_beside_each_other(
    running: service.Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with service.start(2, tmp_path_factory.mktemp("other"), publish=False) as other:
        cards = [vpcd.insert(ScriptedCard(), lambda: running.attach(0))]
        told = run_elsewhere(
            f"pcsc.wait_for_card({running.readers[0]!r}, 5).present", running.socket
        )
        beside = run_elsewhere("[s.present for s in pcsc.reader_states()]", other.socket)
        cards[0].remove()
    assert (told, beside) == ("True", "[False, False]")


def test_a_card_outside_reaches_its_reader_by_the_directory(
    running: service.Service, directory: Path
) -> None:
    thread = vpcd.insert(ScriptedCard(), lambda: service.attach(2, directory))
    told = run_elsewhere(f"pcsc.wait_for_card({running.readers[2]!r}, 5).atr", running.socket)
    thread.remove()
    assert told == repr(ScriptedCard.ATR)


def test_a_taken_or_missing_reader_is_refused(running: service.Service, directory: Path) -> None:
    thread = vpcd.insert(ScriptedCard(), lambda: running.attach(1))
    try:
        with pytest.raises(SlotTakenError, match="virtual reader 1 has a card") as raised:
            service.attach(1, directory)
        assert "--slot" in raised.value.hint
        with pytest.raises(NoVirtualReaderError, match="no virtual reader 3"):
            running.attach(3)
    finally:
        thread.remove()


def test_without_a_service_there_is_nothing_to_attach_to(directory: Path) -> None:
    with pytest.raises(NoVirtualReaderError, match="no virtual readers run") as raised:
        service.attach(0, directory)
    assert "cardkit virtual readers" in raised.value.hint


def test_nonsense_is_refused_and_does_no_harm(running: service.Service, directory: Path) -> None:
    nonsense: list[dict[str, object]] = [{}, {"do": "attach"}, {"do": "attach", "slot": "0"}]
    for request in nonsense:
        with pytest.raises(NoVirtualReaderError, match="not a request"):
            ask(directory / "attach.sock", request)
    with socket.socket(socket.AF_UNIX) as garbage:
        garbage.connect(str(directory / "attach.sock"))
        garbage.sendall(b"\xff\x00\n")
        assert json.loads(garbage.recv(4096))["ok"] is False
    assert running.running
    running.attach(0).close()


def test_a_daemon_that_dies_is_started_again(running: service.Service, directory: Path) -> None:
    daemons = [pid for pid in processes_of(directory) if _program(pid) == "pcscd"]
    os.kill(daemons[0], signal.SIGKILL)

    assert eventually(
        lambda: [p for p in processes_of(directory) if _program(p) == "pcscd"] not in ([], daemons)
    )
    told = run_elsewhere(f"pcsc.wait_for_reader({running.readers[0]!r}, 10)", running.socket)
    assert told == "True"


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_a_service_whose_directory_is_cleared_away_ends(directory: Path) -> None:
    running = service.start(2, directory, publish=False)
    shutil.rmtree(directory)

    assert eventually(lambda: not running.running)
    assert processes_of(directory) == []
    running.stop()


def test_run_service_reports_and_stops_when_told(directory: Path) -> None:
    stop, told = threading.Event(), []

    def report(started: service.Service) -> None:
        told.append(started.readers)
        stop.set()

    service.run_service(2, directory, report=report, stop=stop)

    assert told == [(service.reader_name(0), service.reader_name(1))]
    assert not directory.exists()


def test_run_service_ends_with_an_error_when_the_readers_end(directory: Path) -> None:
    def kill(_started: service.Service) -> None:
        record = service.running_record(directory)
        assert record is not None
        os.kill(record.pid, signal.SIGKILL)

    with pytest.raises(UnreachableError, match="have ended"):
        service.run_service(2, directory, report=kill, stop=threading.Event())


def test_a_directory_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too long a path") as raised:
        service.start(1, tmp_path / ("x" * 100))
    assert "/run/cardkit" in raised.value.hint


@as_root
def test_a_directory_of_another_user_is_refused(directory: Path) -> None:
    directory.mkdir()
    os.chown(directory, 65534, 65534)
    with pytest.raises(UsageError, match="another user"):
        service.start(1, directory)
    assert list(directory.iterdir()) == []


@as_root
def test_the_cards_of_another_user_are_refused(public_folder: Path) -> None:
    directory = public_folder / "cardkit"
    with service.start(1, directory, publish=False) as running:
        told = run_elsewhere(
            f"service.attach(0, Path({str(directory)!r}))", running.socket, user=NOBODY
        )
        readers = run_elsewhere("len(pcsc.list_readers())", running.socket, user=NOBODY)
    assert told == "RefusedError 4: the virtual readers belong to another user"
    assert readers == "2"  # reading cards is open to everyone, as with pcscd itself


def test_a_service_that_does_not_come_up_leaves_nothing(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_KEEPER", "no_such_module")
    with pytest.raises(UnreachableError, match="did not start"):
        service.start(1, directory)
    assert not directory.exists()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pcscd, "DRIVER_FOLDERS", (str(tmp_path),))
    with pytest.raises(UnreachableError, match="vpcd") as raised:
        pcscd.find_driver()
    assert raised.value.hint == "apt-get install vsmartcard-vpcd"

    monkeypatch.setattr(pcscd, "which", lambda *_, **__: None)
    with pytest.raises(UnreachableError, match="pcscd is not installed"):
        pcscd.find_pcscd()


class TestFallback:
    """What happens where namespaces are not permitted."""

    @pytest.fixture(autouse=True)
    def _no_namespaces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(control, "isolating_command", list)

    def test_the_readers_of_the_running_daemon_are_used(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(control, "answers", lambda _path: True)
        monkeypatch.setattr(control, "listening", lambda _port: True)
        with service.start(2, directory) as found:
            assert found.mode is service.Mode.RUNNING
            assert found.readers == ("Virtual PCD 00 00", "Virtual PCD 00 01")
            assert found.environment == {}
            with pytest.raises(UsageError, match="not ours"):
                found.stop_daemon()
        assert not directory.exists()

    def test_a_card_goes_straight_to_the_running_daemon(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as daemon:
            monkeypatch.setattr(connections, "FIRST_PORT", daemon.getsockname()[1])
            with (
                connections.attach_directly(0),
                daemon.accept()[0],
                pytest.raises(SlotTakenError, match="virtual reader 0 has a card"),
            ):
                connections.attach_directly(0)
        with pytest.raises(NoVirtualReaderError, match="no virtual reader 0"):
            connections.attach_directly(0)
        with pytest.raises(NoVirtualReaderError, match="no virtual reader 2"):
            connections.attach_directly(2)  # the driver has two

    def test_more_readers_than_the_running_daemon_has_are_refused(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(control, "answers", lambda _path: True)
        monkeypatch.setattr(control, "listening", lambda port: port == rundir.FIRST_PORT)
        with pytest.raises(UnreachableError, match="2 virtual readers are wanted") as raised:
            service.start(2, directory)
        assert "the running PC/SC daemon has 1" in str(raised.value)
        assert "sudo" in raised.value.hint
        assert not directory.exists()


_LEFT = """
import os
def left(): return sorted({*os.listdir("/run")} - {"mount"})  # that is mount's own note
"""

_AS_THE_ONLY_ONE = """
import subprocess
from cardkit.virtual import service

with service.start(2) as running:
    print(running.mode.value, running.published, running.environment)
    print(os.readlink("/run/pcscd/pcscd.comm"), left())
    listed = subprocess.run(["opensc-tool", "--list-readers"], capture_output=True, text=True)
    print("cardkit Virtual Reader A 00 01" in listed.stdout)
print(left())
"""

_IN_A_CONTAINER = """
from cardkit.apdu import pcsc
from cardkit.virtual import service, vpcd
from cardkit.virtual.service import control, isolation
from tests.bench import ScriptedCard

isolation.loopback_up()
control.isolating_command = list  # a container does not permit it
with service.start(2) as running:
    print(running.mode.value, running.socket, running.environment)
    card = vpcd.insert(ScriptedCard(), lambda: running.attach(1))
    print(pcsc.wait_for_card(running.readers[1], 5).atr == ScriptedCard.ATR)
    card.remove()
print(left(), os.listdir("/run/pcscd"))
"""


def _run_where_run_is_empty(code: str) -> list[str]:
    """Run code on a machine of its own: with an empty /run and no network."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    del environment["PCSCLITE_CSOCK_NAME"]
    machine = 'mount -t tmpfs tmpfs /run && exec "$0" -c "$1"'
    done = subprocess.run(
        [*service.isolating_command(), "sh", "-c", machine, sys.executable, _LEFT + code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@as_root
def test_other_programs_find_the_readers_at_the_default_path() -> None:
    assert _run_where_run_is_empty(_AS_THE_ONLY_ONE) == [
        "private True {}",
        "/run/cardkit/pcscd/pcscd.comm ['cardkit', 'pcscd']",
        "True",
        "[]",
    ]


@as_root
def test_a_container_gets_the_readers_as_its_own_daemon() -> None:
    assert _run_where_run_is_empty(_IN_A_CONTAINER) == [
        "machine /run/pcscd/pcscd.comm {}",
        "True",
        "['pcscd'] []",  # pcscd leaves its folder
    ]


@as_root
class TestDefaultPath:
    """The link that makes every PC/SC program find the readers."""

    @pytest.fixture(autouse=True)
    def place(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        folder = tmp_path / "pcscd"
        monkeypatch.setattr(publish, "DEFAULT_FOLDER", folder)
        monkeypatch.setattr(publish, "DEFAULT_SOCKET", folder / "pcscd.comm")
        return folder / "pcscd.comm"

    def test_it_leads_to_the_readers_and_goes_with_them(self, place: Path) -> None:
        publication = publish.Publication(Path("/there/pcscd.comm"))

        assert publication.publish()
        assert str(place.readlink()) == "/there/pcscd.comm"
        publication.withdraw()
        publication.withdraw()  # harmless
        assert not place.parent.exists()

    def test_it_replaces_what_a_dead_daemon_left(self, place: Path) -> None:
        place.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(place))
        publication = publish.Publication(Path("/there"))

        assert publication.publish()
        publication.withdraw()
        assert list(place.parent.iterdir()) == []  # the folder was there before, and stays

    def test_a_daemon_that_answers_is_left_alone(self, place: Path) -> None:
        place.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as alive:
            alive.bind(str(place))
            alive.listen()
            publication = publish.Publication(Path("/there"))
            assert not publication.publish()
            publication.withdraw()
            assert place.is_socket()

    def test_a_daemon_started_meanwhile_keeps_its_socket(self, place: Path) -> None:
        publication = publish.Publication(Path("/there"))
        publication.publish()
        place.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(place))
        publication.withdraw()
        assert place.is_socket()

    def test_programs_are_told_of_the_readers_only_where_nothing_else_is(
        self, place: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
    ) -> None:
        monkeypatch.setattr(control, "DEFAULT_SOCKET", place)
        assert service.client_environment({}, directory) == {}
        with service.start(1, directory, publish=False) as running:
            assert service.client_environment({}, directory) == running.environment
            chosen = {"PCSCLITE_CSOCK_NAME": "/other"}
            assert service.client_environment(chosen, directory) == {}
