"""What the staff wrote down in the village, as an outcome file; needs no registry."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from cardkit.registry.lifecycle.requests import Agent, Appears
from cardkit.registry.lots.errors import LotError
from cardkit.registry.lots.files import Outcome, OutcomeRow, Pack, instant_of
from cardkit.registry.lots.records import Taken

_USUAL_PAPERS = {Appears.AGENT: "id agent-id", Appears.EMPLOYER: "stamped-list"}

ROW_COLUMNS = (
    "position",
    "outcome",
    "appeared",
    "papers",
    "agent_name",
    "agent_number",
    "agent_phone",
    "relation",
    "at",
)
"""Columns of the CSV that the staff fills in; ``position`` and ``outcome`` are needed."""


def take_down(pack: Pack, text: str) -> Outcome:
    """The outcome of what the staff wrote down in a CSV, sealed if the pack has a key.

    It needs no registry. Cards that the CSV does not name are left out: the count of what comes
    back tells of them.

    Raises
    ------
    LotError
        A line cannot be understood, or names a position the list does not have.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if not {"position", "outcome"} <= set(reader.fieldnames or ()):
        raise LotError(
            "file",
            "the file has no columns position and outcome",
            hint=", ".join(ROW_COLUMNS),
            zh=f"文件缺少列 position、outcome：可用的列为 {', '.join(ROW_COLUMNS)}",
        )
    cards = {card.position: card.card_id for card in pack.cards}
    rows = []
    for row in reader:
        try:
            position = int(row["position"])
            rows.append(_written_down(position, cards[position], row))
        except (KeyError, TypeError, ValueError):
            raise LotError(
                "file",
                f"line {reader.line_num} is not understood, or not on the list of this lot",
                hint="position of the list; outcome handed or returned; appeared holder or agent; "
                "at like 2012-05-01 10:30",
                zh=f"第{reader.line_num}行无法识别，或不在本批名单上：请核对序号、结果与时间",
            ) from None
    outcome = Outcome(pack.lot_id, pack.digest, rows)
    return outcome.sealed(pack.seal_key) if pack.seal_key else outcome


def _written_down(position: int, card_id: int, row: Mapping[str, str | None]) -> OutcomeRow:
    cell = {name: (row.get(name) or "").strip() for name in ROW_COLUMNS}
    outcome = Taken(cell["outcome"])
    if outcome not in (Taken.HANDED, Taken.RETURNED):
        raise ValueError(outcome)
    appeared = Appears(cell["appeared"] or Appears.HOLDER)
    usual = _USUAL_PAPERS.get(appeared, "id")
    agent = None
    if appeared is Appears.AGENT:
        if not cell["agent_name"] or not cell["agent_number"]:
            raise ValueError("agent")
        agent = Agent(
            cell["agent_name"], cell["agent_number"], cell["agent_phone"], cell["relation"]
        )
    papers = tuple((cell["papers"] or usual).split())
    return OutcomeRow(
        position, card_id, outcome.value, appeared.value, papers, agent, instant_of(cell["at"])
    )
