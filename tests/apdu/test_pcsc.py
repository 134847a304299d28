"""PC/SC over a real pcscd: readers, cards that come and go, busy cards, a restarted daemon."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cardkit.apdu import pcsc
from cardkit.apdu.link import LinkLostError
from cardkit.apdu.pcsc import Disposition
from cardkit.apdu.pcsc.calls import start_service
from cardkit.errors import ExitCode
from cardkit.virtual import service
from tests.bench import (
    NOBODY,
    READERS,
    Insert,
    ScriptedCard,
    eventually,
    run_elsewhere,
    without_pcscd,
)

pytestmark = pytest.mark.pcsc

ECHO = bytes.fromhex("80CA000000")


def test_readers_are_listed_in_their_order(pcsc_service: service.Service) -> None:
    assert pcsc.list_readers() == list(pcsc_service.readers)
    assert len(pcsc_service.readers) == READERS


def test_a_reader_is_found_by_part_of_its_name(pcsc_service: service.Service) -> None:
    assert pcsc.find_reader("reader b 00 01") == pcsc_service.readers[3]
    assert pcsc.find_reader(pcsc_service.readers[0]) == pcsc_service.readers[0]


@pytest.mark.parametrize(("name", "complaint"), [("ACR122", "no reader"), ("Virtual", "8 readers")])
def test_a_name_that_fits_none_or_several_readers_lists_them(
    pcsc_service: service.Service, name: str, complaint: str
) -> None:
    with pytest.raises(pcsc.NoSuchReaderError, match=complaint) as raised:
        pcsc.find_reader(name)
    assert pcsc_service.readers[7] in raised.value.hint
    assert raised.value.exit_code == ExitCode.UNREACHABLE


def test_states_tell_what_is_in_each_reader(insert: Insert) -> None:
    card = ScriptedCard()
    inserted = insert(card)

    def state() -> pcsc.ReaderState:
        return next(s for s in pcsc.reader_states() if s.name == inserted.reader)

    assert state().present
    assert state().atr == card.ATR
    assert not state().in_use
    with pcsc.open_card(inserted.reader, exclusive=False):
        assert state().in_use
    with pcsc.open_card(inserted.reader):
        assert state().exclusive
    inserted.remove()
    assert not state().present
    assert state().atr == b""


def test_bytes_go_to_the_chip_and_back_unchanged(insert: Insert) -> None:
    every_byte = bytes(range(256))
    card = ScriptedCard({ECHO: every_byte + b"\x90\x00"})

    with pcsc.open_card(insert(card).reader) as link:
        assert link.protocol == "T=0"
        assert link.atr == card.ATR
        assert link.transmit(ECHO) == every_byte + b"\x90\x00"
        link.transmit(bytes.fromhex("00D60000FF") + every_byte[:255])

    assert card.commands[-1] == bytes.fromhex("00D60000FF") + every_byte[:255]


def test_status_words_61xx_and_6cxx_arrive_as_the_chip_sent_them(insert: Insert) -> None:
    select, read = bytes.fromhex("00A40400023F00"), bytes.fromhex("00B2012C00")
    card = ScriptedCard({select: b"\x61\x04", read: b"\x6c\x12"})

    with pcsc.open_card(insert(card).reader) as link:
        assert link.transmit(select) == b"\x61\x04"
        assert link.transmit(read) == b"\x6c\x12"


@pytest.mark.parametrize(
    ("disposition", "events"),
    [(Disposition.LEAVE, []), (Disposition.RESET, ["reset"]), (Disposition.UNPOWER, ["off"])],
)
def test_letting_go_of_a_card_does_to_it_what_was_asked(
    insert: Insert, disposition: Disposition, events: list[str]
) -> None:
    card = ScriptedCard()
    inserted = insert(card)
    link = pcsc.open_card(inserted.reader)
    card.events.clear()

    link.close(disposition)
    link.close()  # harmless

    assert eventually(lambda: card.events == events)  # power off is not answered


def test_a_reset_gives_the_new_atr(insert: Insert) -> None:
    card = ScriptedCard()
    with pcsc.open_card(insert(card).reader) as link:
        card.events.clear()
        card.atr = bytes.fromhex("3B6D0000") + b"a new number."
        assert link.reset() == card.atr == link.atr
        assert link.reset(Disposition.UNPOWER) == card.atr
    assert card.events == ["reset", "off", "on"]


def test_a_closed_link_says_so(insert: Insert) -> None:
    link = pcsc.open_card(insert(ScriptedCard()).reader)
    link.close()
    with pytest.raises(LinkLostError, match="disconnected"):
        link.transmit(ECHO)
    with pytest.raises(LinkLostError, match="disconnected"):
        link.reset()


def test_an_empty_reader_has_no_card(empty_reader: str) -> None:
    with pytest.raises(pcsc.NoCardError, match="no card in cardkit") as raised:
        pcsc.open_card(empty_reader)
    assert raised.value.exit_code == ExitCode.UNREACHABLE
    assert raised.value.details() == {"pcsc": "8010000C"}


@pytest.mark.usefixtures("pcsc_service")
def test_an_unknown_reader_is_gone() -> None:
    with pytest.raises(pcsc.ReaderGoneError, match="ACR 38 is not there"):
        pcsc.open_card("ACR 38")


def test_a_card_taken_out_in_the_middle_loses_the_link(insert: Insert) -> None:
    inserted = insert(ScriptedCard())
    link = pcsc.open_card(inserted.reader)
    link.transmit(ECHO)
    inserted.remove()

    with pytest.raises(LinkLostError) as raised:
        link.transmit(ECHO)

    assert isinstance(raised.value.__cause__, pcsc.PcscError)
    assert "the same card in again" in raised.value.hint


def test_a_power_cut_in_the_middle_of_a_command_loses_the_link(insert: Insert) -> None:
    inserted = insert(ScriptedCard(cut_at=3))
    link = pcsc.open_card(inserted.reader)
    link.transmit(ECHO)
    link.transmit(ECHO)

    with pytest.raises(LinkLostError, match="stopped answering"):
        link.transmit(ECHO)

    assert pcsc.wait_for_removal(inserted.reader, 5)


def test_this_program_cannot_take_a_card_twice(insert: Insert) -> None:
    reader = insert(ScriptedCard()).reader
    with (
        pcsc.open_card(reader),
        pytest.raises(pcsc.CardBusyError, match="by this program already"),
    ):
        pcsc.open_card(reader)


def test_two_programs_may_share_a_card(insert: Insert) -> None:
    reader = insert(ScriptedCard()).reader
    with pcsc.open_card(reader, exclusive=False), pcsc.open_card(reader, exclusive=False) as second:
        assert second.transmit(ECHO) == b"\x90\x00"


def test_the_program_that_holds_a_card_is_named(insert: Insert, hold: Callable[[str], int]) -> None:
    reader = insert(ScriptedCard()).reader
    pid = hold(reader)

    with pytest.raises(pcsc.CardBusyError, match="by another program") as raised:
        pcsc.open_card(reader)

    assert pid in [holder.pid for holder in raised.value.holders]
    assert f"(process {pid})" in raised.value.hint
    assert {"pid": pid, "program": "python"} in [
        {"pid": held["pid"], "program": held["program"][:6]}
        for held in raised.value.details()["holders"]  # type: ignore[attr-defined]
    ]


def test_waiting_for_a_card_tells_what_is_missing_and_ends_with_the_card(
    pcsc_service: service.Service, insert: Insert, empty_reader: str
) -> None:
    told: list[type[pcsc.PcscError]] = []
    seen: list[pcsc.ReaderState | None] = []
    waiting = threading.Thread(
        target=lambda: seen.append(
            pcsc.wait_for_card(empty_reader, 10, on_obstacle=lambda error: told.append(type(error)))
        )
    )
    waiting.start()
    card = ScriptedCard()
    insert(card, slot=pcsc_service.readers.index(empty_reader))
    waiting.join(10)

    assert told == [pcsc.NoCardError]
    assert seen[0] is not None
    assert seen[0].atr == card.ATR


def test_waiting_for_another_card_does_not_take_the_one_that_is_in(insert: Insert) -> None:
    inserted = insert(ScriptedCard())
    first = pcsc.wait_for_card(inserted.reader, 5)
    assert first is not None

    with pytest.raises(pcsc.NoCardError):
        pcsc.wait_for_card(inserted.reader, 0.1, after=first.events)

    inserted.remove()
    insert(ScriptedCard(), slot=inserted.slot)
    second = pcsc.wait_for_card(inserted.reader, 5, after=first.events)
    assert second is not None
    assert second.events == first.events + 2
    assert pcsc.wait_for_removal(inserted.reader, 5, seen=first)  # exchanged: the first is out


def test_a_card_that_stays_in_is_told_when_time_runs_out(insert: Insert) -> None:
    with pytest.raises(pcsc.PcscError, match="still in") as raised:
        pcsc.wait_for_removal(insert(ScriptedCard()).reader, 0.05)
    assert raised.value.hint == "take it out"


def test_a_wait_can_be_stopped(empty_reader: str) -> None:
    asked = iter([False, False, True])

    assert pcsc.wait_for_card(empty_reader, stop=lambda: next(asked)) is None
    assert pcsc.wait_for_reader("ACR 38", stop=lambda: True) is False


def test_a_card_of_another_thread_is_reached_with_a_context_of_its_own(insert: Insert) -> None:
    readers = [insert(ScriptedCard()).reader for _ in range(2)]
    answers: list[bytes] = []

    def work(reader: str) -> None:
        with pcsc.open_card(reader) as link:
            answers.extend(link.transmit(ECHO) for _ in range(50))

    threads = [threading.Thread(target=work, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert answers == [b"\x90\x00"] * 100


def test_a_forked_child_connects_for_itself(insert: Insert) -> None:
    reader = insert(ScriptedCard()).reader
    assert pcsc.list_readers()  # the parent has a context

    child = os.fork()
    if child == 0:
        status = 1
        try:
            with pcsc.open_card(reader) as link:
                status = 0 if link.transmit(ECHO) == b"\x90\x00" else 2
        finally:
            os._exit(status)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pcsc.open_card(reader) as link:  # and the parent still can
        assert link.transmit(ECHO) == b"\x90\x00"


class TestRestartedDaemon:
    """What a batch lives through when pcscd is stopped and started again."""

    def test_the_link_is_lost_and_a_new_one_works(
        self, pcsc_service: service.Service, insert: Insert
    ) -> None:
        reader = insert(ScriptedCard()).reader
        link = pcsc.open_card(reader)
        pcsc_service.stop_daemon()

        with pytest.raises(LinkLostError, match="service") as raised:
            link.transmit(ECHO)
        assert isinstance(raised.value.__cause__, pcsc.NoServiceError)
        with pytest.raises(pcsc.NoServiceError, match="does not run") as no_service:
            pcsc.list_readers()
        assert start_service() in no_service.value.hint

        pcsc_service.start_daemon()
        pcsc.wait_for_card(reader, 10)
        with pcsc.open_card(reader) as again:
            assert again.transmit(ECHO) == b"\x90\x00"

    def test_a_wait_goes_on_through_the_restart(
        self, pcsc_service: service.Service, insert: Insert
    ) -> None:
        reader = insert(ScriptedCard()).reader
        pcsc_service.stop_daemon()
        told: list[type[pcsc.PcscError]] = []

        def start_when_missed(error: pcsc.PcscError) -> None:
            told.append(type(error))
            if isinstance(error, pcsc.NoServiceError):
                pcsc_service.start_daemon()

        state = pcsc.wait_for_card(reader, 10, on_obstacle=start_when_missed)

        assert state is not None
        assert state.present
        assert told[0] is pcsc.NoServiceError
        assert set(told) <= {pcsc.NoServiceError, pcsc.NoCardError}

    def test_a_reader_that_is_unplugged_and_plugged_in_again(
        self, pcsc_service: service.Service
    ) -> None:
        last = pcsc_service.readers[-1]
        pcsc_service.start_daemon(READERS - 2)
        try:
            assert last not in pcsc.list_readers()
            with pytest.raises(pcsc.ReaderGoneError):
                pcsc.open_card(last)
            with pytest.raises(pcsc.ReaderGoneError):
                pcsc.wait_for_card(last, 0.3)
            assert pcsc.wait_for_removal(last, 1)
        finally:
            pcsc_service.start_daemon(READERS)
        assert pcsc.wait_for_reader(last, 5)

    def test_the_count_of_events_starting_anew_does_not_hide_a_card(
        self, pcsc_service: service.Service, insert: Insert
    ) -> None:
        reader = insert(ScriptedCard()).reader
        before = pcsc.wait_for_card(reader, 5)
        assert before is not None
        pcsc_service.stop_daemon()
        started = threading.Timer(0.5, pcsc_service.start_daemon)
        started.start()

        # The same card counts: nobody was there to see whether it was exchanged.
        assert pcsc.wait_for_card(reader, 10, after=before.events) is not None
        started.join()


def test_operators_read_chinese() -> None:
    for code in (0x8010000C, 0x80100069, 0x80100017, 0x80100066, 0x80100068, 0x80100016):
        text = pcsc.calls.explain(code, "ACR 38").line("zh")
        assert "ACR 38" in text
        assert "请" in text
    assert "服务" in pcsc.NoServiceError("").line("zh")


def test_without_a_daemon_every_call_says_that_the_service_does_not_run() -> None:
    told = without_pcscd("pcsc.list_readers()")
    assert told == "NoServiceError 3: the PC/SC service does not run"


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root to become somebody else")
def test_a_user_without_permission_is_told_so_and_not_that_the_service_is_missing(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(folder / "pcscd.comm"))
        daemon.listen()
        told = run_elsewhere("pcsc.list_readers()", folder / "pcscd.comm", user=NOBODY)
    assert told == (
        f"NoPermissionError 4: this user may not use the PC/SC service at {folder / 'pcscd.comm'}"
    )


def test_time_spent_waiting_is_read_from_the_clock_that_is_passed_in(empty_reader: str) -> None:
    ticks = iter([0, 1000, 2000, 3000, 3600])
    with pytest.raises(pcsc.NoCardError):
        pcsc.wait_for_card(empty_reader, 3600, clock=lambda: next(ticks))
    assert next(ticks, None) is None
