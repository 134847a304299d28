"""A trace recorded at a PC/SC reader, masked and unmasked, and sent to the card there again."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cardkit.apdu import pcsc
from cardkit.apdu.link import chain
from cardkit.apdu.trace import load
from cardkit.cli.card_trace import tracing
from cardkit.cli.main import cli
from cardkit.virtual.link import VirtualLink
from tests.bench import Insert
from tests.golden.blank_session import blank_chip, record_session

pytestmark = pytest.mark.pcsc

READS = (
    "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00",
    "0084000008",
    "00B2072800",  # 6C0B on the wire
    "00B2093020",
)


@pytest.fixture
def reader(insert: Insert, tmp_path: Path) -> str:
    """Name of a reader with the card of the golden session in it."""
    card = blank_chip()
    record_session(VirtualLink(card), tmp_path)
    card.power_off()
    return str(insert(card).reader)


def record(reader: str, path: Path) -> None:
    with pcsc.open_card(reader) as bare, tracing(path, unmask=True) as wrap:
        link = chain(wrap(bare))
        for command in READS:
            link.transmit(bytes.fromhex(command))


def test_the_card_in_the_reader_answers_as_recorded(reader: str, tmp_path: Path) -> None:
    path = tmp_path / "read.trace"
    record(reader, path)

    result = CliRunner().invoke(cli, ["card", "replay", str(path), "--reader", reader])

    assert result.exit_code == 0, result.output
    assert "every answer as recorded" in result.output


def test_next_to_the_reader_the_trace_shows_t0_at_work(reader: str, tmp_path: Path) -> None:
    record(reader, tmp_path / "read.trace")
    asked = [str(e.command) for e in load(tmp_path / "read.trace").exchanges]
    assert asked[1] == "00C000001E"
    assert asked[-3:] == ["00B2072800", "00B207280B", "00B2093020"]
