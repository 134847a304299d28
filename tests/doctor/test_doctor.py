"""What ``cardkit doctor`` says on a machine without pcscd, without permission, busy, and well."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cardkit import doctor
from cardkit.apdu import pcsc
from cardkit.apdu.pcsc import Holder, ReaderState
from cardkit.doctor import Finding, State, Surroundings, stores
from cardkit.doctor.drivers import check_drivers, check_network
from cardkit.doctor.readers import check_readers
from cardkit.doctor.service import check_service
from cardkit.doctor.stores import check_keys, check_registry
from cardkit.doctor.versions import check_versions
from tests.bench import NOBODY, SOON, Insert, ScriptedCard, run_elsewhere

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root")
SLOW_CARD = bytes.fromhex("3B6D0000") + bytes(13)
FAST_CARD = bytes.fromhex("3B7D180000") + bytes(13)


def lines(findings: list[Finding], name: str) -> list[tuple[State, str]]:
    return [(found.state, found.message) for found in findings if found.name == name]


def only(findings: list[Finding], name: str) -> Finding:
    (found,) = [found for found in findings if found.name == name]
    return found


def no_readers() -> list[ReaderState]:
    raise pcsc.NoServiceError("the PC/SC service does not run")


@pytest.fixture
def bare(tmp_path: Path) -> Surroundings:
    """A machine on which nothing is installed."""
    return Surroundings(
        socket=tmp_path / "pcscd.comm",
        user="clerk",
        driver_folders=[tmp_path / "drivers"],
        policy=tmp_path / "policy",
        systemd=tmp_path / "systemd",
        tcp_table=tmp_path / "tcp",
        reader_states=no_readers,
        find_holders=list,
        find_program=lambda _name: None,
    )


class TestFourMachines:
    """The situations that make people call for help, over real PC/SC where there is one."""

    def test_without_pcscd(self, bare: Surroundings) -> None:
        findings = doctor.examine(here=bare)

        found = only(findings, "service")
        assert found.state is State.FAIL
        assert found.message == f"the PC/SC service does not run, there is no {bare.socket}"
        assert found.remedy.startswith("install it: sudo apt-get install pcscd")
        assert "sudo cardkit virtual readers" in found.remedy
        assert lines(findings, "permission") == lines(findings, "reader") == []

    @as_root
    def test_without_permission(self, public_folder: Path) -> None:
        folder = public_folder / "pcscd"
        folder.mkdir(mode=0o700)
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.bind(str(folder / "pcscd.comm"))
            daemon.listen()
            told = run_elsewhere(
                "[(f.name, f.state.value, f.message, f.remedy)"
                " for f in check_service(Surroundings.here())]",
                folder / "pcscd.comm",
                user=NOBODY,
                imports="import grp, pwd\n"
                "from cardkit.doctor import Surroundings\n"
                "from cardkit.doctor.service import check_service\n",
            )
        assert told == str(
            [
                ("service", "ok", f"a PC/SC service is at {folder}/pcscd.comm", ""),
                (
                    "permission",
                    "fail",
                    f"{folder} (mode 0700) keeps nobody out",
                    f"sudo chmod o+x {folder}",
                ),
            ]
        )

    @pytest.mark.pcsc
    def test_with_a_busy_reader(self, insert: Insert, hold: Callable[[str], int]) -> None:
        reader = insert(ScriptedCard()).reader
        pid = hold(reader)

        busy = [f for f in doctor.examine() if f.message.startswith(f"{reader}: held")]

        assert [found.state for found in busy] == [State.WARN]
        assert f"(process {pid})" in busy[0].message
        assert f"(process {pid})" in busy[0].remedy

    @pytest.mark.pcsc
    def test_with_everything_well(self, insert: Insert, tmp_path: Path) -> None:
        for other in pcsc.list_readers():  # the card of the test before may still be seen
            pcsc.wait_for_removal(other, SOON)
        card = ScriptedCard()
        card.atr = SLOW_CARD
        reader = insert(card).reader

        findings = doctor.examine(profile="test", registry=f"sqlite:///{tmp_path}/registry.db")

        # A container without namespaces has the readers on its network, and is told so.
        wrong = [f for f in findings if f.state is not State.OK and f.name != "network"]
        assert wrong == []
        assert (State.OK, f"{reader}: free, with a card") in lines(findings, "reader")
        assert lines(findings, "card") == [(State.OK, f"{reader}: T=0, up to 9,600 bit/s")]
        names = list(dict.fromkeys(f.name for f in findings if f.name != "network"))
        assert names == [
            "versions", "service", "permission", "drivers", "reader", "card", "keys", "registry",
        ]  # fmt: skip


class TestService:
    def test_a_stopped_service_is_started_the_way_this_machine_does_it(
        self, bare: Surroundings
    ) -> None:
        installed = replace(bare, find_program=lambda name: f"/usr/sbin/{name}")
        assert "sudo pcscd" in only(check_service(installed), "service").remedy
        bare.systemd.mkdir()
        assert (
            "start it: sudo systemctl start pcscd.socket"
            in only(check_service(installed), "service").remedy
        )

    def test_a_dead_service_left_its_socket(self, bare: Surroundings) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(bare.socket))
        assert "a dead one left it" in only(check_service(bare), "service").message

    def test_polkit_refuses_and_the_rule_names_the_user(self, bare: Surroundings) -> None:
        def refused() -> list[ReaderState]:
            raise pcsc.NoPermissionError("the PC/SC service refuses this user")

        bare.policy.touch()
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.bind(str(bare.socket))
            daemon.listen()
            findings = check_service(replace(bare, reader_states=refused))

        found = only(findings, "permission")
        assert found.state is State.FAIL
        assert "refuses clerk" in found.message
        assert 'subject.user == "clerk"' in found.remedy
        assert "org.debian.pcsc-lite.access_card" in found.remedy
        assert "/etc/polkit-1/rules.d/" in found.remedy

    @as_root
    def test_a_group_that_opens_the_door_is_named(self, public_folder: Path) -> None:
        path = public_folder / "pcscd.comm"
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.bind(str(path))
            os.chown(path, 0, 4)  # adm
            path.chmod(0o660)
            daemon.listen()
            told = run_elsewhere(
                "check_service(Surroundings.here())[1].remedy",
                path,
                user=NOBODY,
                imports="import grp, pwd\n"
                "from cardkit.doctor import Surroundings\n"
                "from cardkit.doctor.service import check_service\n",
            )
        assert told == "sudo usermod --append --groups adm nobody, then log in again"


class TestDrivers:
    def test_they_are_listed_by_their_short_names(self, bare: Surroundings) -> None:
        installed = replace(bare, find_program=lambda name: f"/usr/sbin/{name}")
        assert only(check_drivers(installed), "drivers").state is State.WARN

        (bare.driver_folders[0] / "serial").mkdir(parents=True)
        (bare.driver_folders[0] / "serial" / "libifdvpcd.so").touch()
        virtual = only(check_drivers(installed), "drivers")
        assert (virtual.state, virtual.message) == (State.OK, "drivers: vpcd")
        assert "libccid" in virtual.remedy

        (bare.driver_folders[0] / "ifd-ccid.bundle").mkdir()
        assert only(check_drivers(installed), "drivers").message == "drivers: ccid, vpcd"

    def test_virtual_readers_open_to_the_network_are_a_warning(self, bare: Surroundings) -> None:
        row = "   0: {address}:8C7B 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0\n"
        bare.tcp_table.write_text("head\n" + row.format(address="00000000"))
        assert only(check_network(bare), "network").state is State.WARN
        bare.tcp_table.write_text("head\n" + row.format(address="0100007F"))
        assert check_network(bare) == []


class TestReaders:
    def check(self, bare: Surroundings, *states: ReaderState) -> list[Finding]:
        holders = [Holder(77, "opensc-tool")]
        here = replace(bare, reader_states=lambda: list(states), find_holders=lambda: holders)
        return check_readers(here)

    def test_no_reader_is_a_failure_with_two_ways_out(self, bare: Surroundings) -> None:
        found = only(self.check(bare), "reader")
        assert found.state is State.FAIL
        assert "plug one in" in found.remedy
        assert "virtual" in found.remedy

    def test_each_reader_is_told_with_its_card(self, bare: Surroundings) -> None:
        findings = self.check(
            bare,
            ReaderState("A", present=False),
            ReaderState("B", present=True, atr=FAST_CARD, in_use=True),
            ReaderState("C", present=True, mute=True),
            ReaderState("D", present=True, atr=b"\x00\x01"),
        )
        assert [(f.name, f.state.value, f.message) for f in findings] == [
            ("reader", "ok", "A: empty"),
            ("reader", "ok", "B: shared, in use by opensc-tool (process 77)"),
            ("card", "ok", "B: T=0, up to 115,200 bit/s"),
            ("reader", "ok", "C: free, with a card"),
            ("card", "fail", "C: the card does not answer"),
            ("reader", "ok", "D: free, with a card"),
            ("card", "warn", "D: no answer to reset"),
        ]


class TestStores:
    def test_a_profile_that_is_not_there_is_named(self) -> None:
        found = only(check_keys("no-such-profile"), "keys")
        assert found.state is State.FAIL
        assert "no-such-profile" in found.message

    @pytest.mark.parametrize(
        ("url", "state", "message"),
        [
            ("sqlite://", State.WARN, "in memory only"),
            ("sqlite:///{folder}/new/registry.db", State.OK, "will be made"),
            ("sqlite:///{folder}/garbage.db", State.FAIL, "no registry"),
            ("mysql://localhost/x", State.FAIL, "'mysql'"),
            ("postgresql+psycopg://user:secret@127.0.0.1:1/x", State.FAIL, "need psycopg"),
        ],
    )
    def test_a_registry_is_looked_at_and_left_as_it_was(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        url: str,
        state: State,
        message: str,
    ) -> None:
        monkeypatch.setattr(stores, "find_spec", lambda name: None)  # noqa: ARG005
        (tmp_path / "garbage.db").write_bytes(b"not a database at all" * 100)
        before = sorted(path.name for path in tmp_path.iterdir())

        found = only(check_registry(url.format(folder=tmp_path)), "registry")

        assert found.state is state
        assert message in found.message
        assert "secret" not in f"{found}"
        assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psycopg is installed a registry on PostgreSQL is possible."""
    monkeypatch.setattr(stores, "find_spec", lambda name: name)

    found = only(check_registry("postgresql+psycopg://user:secret@127.0.0.1:1/x"), "registry")

    assert found.state is State.FAIL
    assert "127.0.0.1:1" in found.message
    assert "secret" not in f"{found}"


def test_versions_name_what_a_helper_asks_for(bare: Surroundings) -> None:
    message = check_versions(bare)[0].message
    assert message.startswith("cardkit ")
    for name in ("Python 3.", "pyscard ", "SQLAlchemy "):
        assert name in message
