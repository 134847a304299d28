"""A trace as a card, and a trace sent to a card again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardkit.apdu.link import LinkLostError
from cardkit.apdu.replay import (
    Comparison,
    Difference,
    ReplayLink,
    ReplayMismatchError,
    check_replayable,
    replay,
)
from cardkit.apdu.trace import Trace, parse
from cardkit.errors import RefusedError, UsageError

SESSION = """
* 3B6D0000
> 00A40400 03 AABBCC
< 6A82
* 3B6D0001
> 00B20728 0B
< 0709414141414141414141 9000
"""


def trace(lines: str) -> Trace:
    return parse("cardkit trace 1" + ("" if lines.startswith("\n") else "\n") + lines)


def send(link: ReplayLink, command: str) -> str:
    return link.transmit(bytes.fromhex(command)).hex().upper()


# --- a trace as a card ---------------------------------------------------------------------------


def test_recorded_answers_come_in_their_order() -> None:
    link = ReplayLink(trace(SESSION))
    assert link.atr.hex() == "3b6d0000"
    assert send(link, "00A4040003AABBCC") == "6A82"
    assert link.reset().hex() == link.atr.hex() == "3b6d0001"
    assert send(link, "00B207280B") == "07094141414141414141419000"
    assert link.left == 0


def test_the_first_other_command_is_named_with_line_and_byte() -> None:
    link = ReplayLink(trace(SESSION))
    with pytest.raises(ReplayMismatchError) as caught:
        send(link, "00A4040003AABBCD")
    assert str(caught.value) == (
        "line 3: 00A40400 03 AABBCD asked, differs in byte 8, SELECT (00A40400 03 AABBCC) recorded"
    )
    assert caught.value.line_number == 3


def test_after_a_mismatch_the_recorded_command_is_still_the_next() -> None:
    link = ReplayLink(trace(SESSION))
    with pytest.raises(ReplayMismatchError):
        send(link, "0084000008")
    assert send(link, "00A4040003AABBCC") == "6A82"


def test_a_mismatch_shows_no_secret() -> None:
    link = ReplayLink(trace("> 00200000 03 123456\n< 9000\n"))
    with pytest.raises(ReplayMismatchError) as caught:
        send(link, "0020000003654321")
    assert "123456" not in str(caught.value)
    assert "654321" not in str(caught.value)
    assert "differs in byte 6" in str(caught.value)


def test_hidden_bytes_of_a_command_match_anything() -> None:
    link = ReplayLink(trace("> 00200000 03 ******\n< 9000\n"))
    assert send(link, "0020000003654321") == "9000"


def test_a_hidden_answer_cannot_be_given() -> None:
    link = ReplayLink(trace("> 00B20728 0B\n< 0709****************** 9000\n"))
    with pytest.raises(ReplayMismatchError, match="line 2: the answer to READ RECORD is masked"):
        send(link, "00B207280B")


def test_a_reset_where_none_was_recorded_is_a_mismatch() -> None:
    link = ReplayLink(trace(SESSION))
    with pytest.raises(ReplayMismatchError, match="line 3: a reset asked, SELECT"):
        link.reset()
    send(link, "00A4040003AABBCC")
    with pytest.raises(ReplayMismatchError, match="line 5: READ RECORD asked, a reset recorded"):
        send(link, "00B207280B")


def test_nothing_is_answered_after_the_end() -> None:
    link = ReplayLink(trace("> 00840000 08\n< 6700\n"))
    send(link, "0084000008")
    with pytest.raises(ReplayMismatchError, match="end of the trace: GET CHALLENGE asked"):
        send(link, "0084000008")


def test_a_card_that_was_lost_is_lost_again() -> None:
    link = ReplayLink(trace("> 00840000 08\n"))
    with pytest.raises(LinkLostError, match="line 2"):
        send(link, "0084000008")
    assert link.left == 0


@given(st.binary(min_size=4, max_size=20), st.binary(min_size=4, max_size=20))
def test_only_the_recorded_command_is_answered(recorded: bytes, asked: bytes) -> None:
    link = ReplayLink(trace(f"> {recorded.hex()}\n< 9000\n"))
    if asked == recorded:
        assert link.transmit(asked) == b"\x90\x00"
    else:
        with pytest.raises(ReplayMismatchError):
            link.transmit(asked)


# --- a trace sent to a card ----------------------------------------------------------------------


class Chip:
    """Answers in turn, and remembers what it was asked."""

    def __init__(self, *answers: str, atr: str = "3B6D0000") -> None:
        self._answers = [bytes.fromhex(answer) for answer in answers]
        self.atr = bytes.fromhex(atr)
        self.asked: list[str] = []

    def transmit(self, apdu: bytes) -> bytes:
        self.asked.append(apdu.hex().upper())
        return self._answers.pop(0)

    def reset(self) -> bytes:
        self.asked.append("reset")
        return self.atr


def differences(lines: str, chip: Chip) -> tuple[Difference, ...]:
    return replay(trace(lines), chip).differences


READ = "* 3B6D0000\n> 00B20728 03\n< 070141 9000\n"


def test_the_same_answers_are_no_difference() -> None:
    chip = Chip("0701419000")
    assert replay(trace(READ), chip) == Comparison(1, ())
    assert chip.asked == ["reset", "00B2072803"]


def test_other_data_are_named_by_line_and_byte_but_not_shown() -> None:
    (difference,) = differences(READ, Chip("0701429000"))
    assert str(difference) == "line 3: READ RECORD: other data from byte 3"


def test_another_status_is_told_in_words() -> None:
    (difference,) = differences(READ, Chip("6982"))
    assert str(difference) == (
        "line 3: READ RECORD: 6982 (security condition not met), recorded 9000 (done)"
    )


def test_a_longer_answer_is_a_difference() -> None:
    (difference,) = differences(READ, Chip("0701414243 9000"))
    assert difference.byte == 4


def test_another_atr_is_a_difference() -> None:
    (difference,) = differences(READ, Chip("0701419000", atr="3B6D0001"))
    assert str(difference) == "line 2: reset: another ATR, recorded its ATR"


def test_a_challenge_is_another_one_each_time() -> None:
    challenge = "> 00840000 04\n< 01020304 9000\n"
    assert differences(challenge, Chip("050607089000")) == ()
    assert len(differences(challenge, Chip("05069000"))) == 1
    assert len(differences(challenge, Chip("6985"))) == 1


def test_a_trace_of_the_chain_goes_through_the_chain() -> None:
    chip = Chip("6103", "0701419000")
    assert differences("> 00B20728 03\n< 070141 9000\n", chip) == ()
    assert chip.asked == ["00B2072803", "00C0000003"]


def test_a_trace_of_the_wire_goes_out_as_it_is() -> None:
    chip = Chip("6102", "6F009000")
    assert differences("> 00A40000 02 DF01\n< 6102\n> 00C00000 02\n< 6F00 9000\n", chip) == ()
    assert chip.asked == ["00A4000002DF01", "00C0000002"]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("00DC0728 03 070141", "writes"),
        ("84D40000 02 0000", "writes"),
        ("00EE0000", "writes"),
        ("00200000 03 123456", "tries"),
        ("00820004 10" + 16 * "55", "tries"),
        ("04B20728 04 55555555", "tries"),
    ],
)
def test_what_writes_or_spends_tries_is_refused_before_anything_is_sent(
    line: str, word: str
) -> None:
    chip = Chip()
    with pytest.raises(RefusedError, match=rf"line 5: .*{word}"):
        replay(trace(f"{READ}> {line}\n< 9000\n"), chip)
    assert chip.asked == []


def test_dangerous_commands_are_sent_when_asked_for() -> None:
    lines = trace("> 00200000 03 123456\n< 9000\n")
    assert replay(lines, Chip("9000"), dangerous=True) == Comparison(1, ())


def test_after_a_refused_key_nothing_more_is_sent() -> None:
    lines = "> 00200000 03 123456\n< 9000\n> 00200000 03 123456\n< 9000\n"
    told = replay(trace(lines), Chip("63C2"), dangerous=True)
    assert (told.sent, len(told.differences), told.stopped) == (1, 1, True)


def test_after_another_answer_to_a_read_it_goes_on() -> None:
    told = replay(trace(READ + "> 00B20728 03\n< 070141 9000\n"), Chip("6A83", "0701419000"))
    assert (told.sent, len(told.differences), told.stopped) == (2, 1, False)


@pytest.mark.parametrize("lines", ["> 00200000 03 ******\n< 9000\n", "> 00B20728 01\n< ** 9000\n"])
def test_a_masked_trace_is_refused(lines: str) -> None:
    with pytest.raises(UsageError, match="line 2: the trace is masked"):
        check_replayable(trace(lines), dangerous=True)


def test_an_empty_trace_is_refused() -> None:
    with pytest.raises(UsageError, match="no command"):
        check_replayable(trace("* 3B6D0000\n"))
