"""Contents of papers from what the registry knows: acts, lots, counts, volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from cardkit.registry.forms.contents import ActContent, Charge, Person, ReceiptContent
from cardkit.registry.forms.errors import NoSuchPaperError
from cardkit.registry.forms.kinds import Kind
from cardkit.registry.forms.lists import StatementContent, StatementRow
from cardkit.registry.forms.printing import CHINA_HOURS, local
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.places.fund import place_of, within
from cardkit.registry.schema import cards, people
from cardkit.registry.schema.intake import applications
from cardkit.registry.schema.life import acts, agents, charges, temporary_cards, temporary_loans
from cardkit.registry.schema.operators import operators
from cardkit.registry.schema.places import places

DONE = "done"
_CHARGES = {"fee": "社会保障卡工本费", "deposit": "临时卡押金", "refund": "退还临时卡押金"}
_LOSSES = ("report-loss", "report-loss-temporary", "bank-report-loss", "bank-report-loss-temporary")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where and in whose words papers are made.

    Parameters
    ----------
    rules : RuleSet
        Has the Chinese words.
    office : str
        Name of the office, at the head of papers.
    hours : int
        Local time ahead of UTC.
    """

    rules: RuleSet
    office: str
    hours: int = CHINA_HOURS

    def action(self, code: str) -> str:
        """Chinese name of an action."""
        return next((r.zh for r in self.rules.transitions if r.action == code), code)

    def card_kind(self, code: str) -> str:
        """Chinese name of a card kind; what a roster says in its own words stays."""
        kind = self.rules.kinds.get(code)
        return kind.zh if kind else code


def of_act(connection: Connection, desk: Desk, act_id: int, kind: Kind) -> ActContent:
    """受理回执单, 业务办理表, 挂失证明 or 补换领证明 of an act.

    Raises
    ------
    NoSuchPaperError
        There is no such act, it was refused, or it has no paper of that kind.
    """
    act = _act(connection, act_id)
    if kind is Kind.LOSS and act["action"] not in _LOSSES:
        raise NoSuchPaperError("a loss certificate is for a reported loss", "该业务不是挂失")
    if kind is Kind.REPLACEMENT and act["new_card"] is None:
        raise NoSuchPaperError("no card follows from this act", "该业务没有补换新卡")
    card = _temporary_card(connection, act) or _card(connection, act["card"])
    word = desk.rules.zh
    return ActContent(
        action=desk.action(act["action"]),
        act=act_id,
        at=local(act["instant"], desk.hours),
        holder=_holder(connection, act),
        agent=_agent(connection, act["agent"]),
        appeared=word("appears", act["appeared"]),
        papers=tuple(word("paper", code) for code in act["papers"].split()),
        card_number=card.get("card_number", ""),
        new_card_number=_card(connection, act["new_card"]).get("card_number", ""),
        bank_card_number=card.get("bank_card_number", ""),
        card_kind=desk.card_kind(card.get("kind") or _kind_applied_for(connection, act)),
        before=word("state", act["from_state"]),
        after=word("state", act["to_state"]),
        bank_side=word("state", act["bank_to"] or card.get("bank_state", "")),
        reason=word("reason", act["reason"]),
        channel=word("channel", act["channel"]),
        fee=act["fee"],
        deposit=act["deposit"],
        due=act["due"],
        lapses=local(act["lapses_at"], desk.hours),
        office=desk.office,
        operator=name_of(connection, act["operator"]),
        second=name_of(connection, act["approver"]),
    )


def receipt_of(connection: Connection, desk: Desk, act_id: int, means: str) -> ReceiptContent:
    """收款收据 for what was paid with an act, or given back.

    Raises
    ------
    NoSuchPaperError
        There is no such act, or no money went with it.
    """
    act = _act(connection, act_id)
    rows = connection.execute(
        select(charges.c.kind, charges.c.amount)
        .where(charges.c.act == act_id, charges.c.amount > 0, charges.c.state != "waived")
        .order_by(charges.c.id)
    ).all()
    if not rows:
        raise NoSuchPaperError("no money went with this act", "该业务没有收付款")
    holder = _holder(connection, act)
    serial = _temporary_card(connection, act).get("serial")
    which = f"（{serial}）" if serial else ""
    return ReceiptContent(
        at=local(act["instant"], desk.hours),
        payer=holder.name,
        citizen_number=holder.citizen_number,
        charges=tuple(Charge(_CHARGES.get(what, what) + which, 1, amount) for what, amount in rows),
        means=means,
        back=all(what == "refund" for what, _ in rows),
        office=desk.office,
        operator=name_of(connection, act["operator"]),
        act=act_id,
    )


def statement_of(
    connection: Connection,
    desk: Desk,
    period: tuple[date, date],
    *,
    card_id: int | None = None,
    place: str = "",
    login: str = "",
    now: str = "",
) -> StatementContent:
    """业务清单 of a card, or of the people who work at a place or below it: every act, its money.

    Parameters
    ----------
    period : (date, date)
        First and last local day, both included.
    login : str
        Who makes it.

    Raises
    ------
    PlacesError
        There is no such place.
    """
    first, last = period
    there = None if card_id else place_of(connection, place)
    chosen = (
        select(acts)
        .where(acts.c.result == DONE)
        .where(acts.c.instant >= _midnight(first, desk.hours))
        .where(acts.c.instant < _midnight(last + timedelta(days=1), desk.hours))
        .order_by(acts.c.id)
    )
    if there is None:
        chosen = chosen.where(acts.c.card == card_id)
    else:
        below = select(places.c.code).where(places.c.id.in_(within(connection, there.place_id)))
        chosen = chosen.where(acts.c.place.in_(below))
    rows = tuple(
        StatementRow(
            at=local(act["instant"], desk.hours),
            what=desk.action(act["action"]),
            number=act["receipt_number"] or str(act["id"]),
            result=desk.rules.zh("state", act["to_state"]),
            amount=act["fee"] + act["deposit"],
            operator=act["operator"],
        )
        for act in connection.execute(chosen).mappings()
    )
    number = _card(connection, card_id).get("card_number", "")
    return StatementContent(
        about=f"单位：{there.name}（{there.code}）" if there else f"卡号：{number}",
        period=f"{first.isoformat()} 至 {last.isoformat()}",
        rows=rows,
        at=local(now, desk.hours),
        office=desk.office,
        operator=name_of(connection, login),
    )


def name_of(connection: Connection, login: str) -> str:
    """Real name of an operator, or the login where there is no account."""
    name = connection.execute(select(operators.c.name).where(operators.c.login == login)).scalar()
    return str(name or login)


def office_of(connection: Connection, place: str) -> str:
    """Name of the place somebody works at, ``''`` where it is not known."""
    name = connection.execute(select(places.c.name).where(places.c.code == place)).scalar()
    return str(name or "")


def _act(connection: Connection, act_id: int) -> RowMapping:
    row = connection.execute(select(acts).where(acts.c.id == act_id)).mappings().first()
    if row is None:
        raise NoSuchPaperError(f"there is no act {act_id}", f"没有业务记录 {act_id}")
    if row["result"] != DONE:
        raise NoSuchPaperError(f"act {act_id} was refused", f"业务 {act_id} 未获办理")
    return row


def _card(connection: Connection, card_id: int | None) -> Mapping[str, Any]:
    row = connection.execute(select(cards).where(cards.c.id == card_id)).mappings().first()
    return dict(row) if row else {}


def _temporary_card(connection: Connection, act: RowMapping) -> Mapping[str, Any]:
    """Which temporary card an act is about, and the number it is or was lent under."""
    if act["subject"] != "temporary":
        return {}
    number = act["subject_id"]
    serial = select(temporary_cards.c.serial).where(temporary_cards.c.id == number)
    loan = (
        select(temporary_loans.c.number)
        .where(temporary_loans.c.temporary_card == number)
        .where(temporary_loans.c.out_at <= act["instant"])
        .order_by(temporary_loans.c.id.desc())
        .limit(1)
    )
    printed = connection.execute(serial).scalar_one()
    lent = connection.execute(loan).scalar()
    return {"serial": printed, "kind": f"临时卡（{printed}）", "card_number": lent or ""}


def _holder(connection: Connection, act: RowMapping) -> Person:
    table, number = people, act["person"]
    if number is None and act["subject"] == "application":
        table, number = applications, act["subject_id"]
    names = ("name", "citizen_number", "insurance_number", "phone", "address")
    row = connection.execute(
        select(*(table.c[name] for name in names)).where(table.c.id == number)
    ).first()
    return Person(*row) if row else Person()


def _kind_applied_for(connection: Connection, act: RowMapping) -> str:
    """Of an application that has no card yet."""
    if act["subject"] != "application":
        return ""
    query = select(applications.c.card_kind).where(applications.c.id == act["subject_id"])
    return str(connection.execute(query).scalar() or "")


def _agent(connection: Connection, agent_id: int | None) -> Person | None:
    row = connection.execute(select(agents).where(agents.c.id == agent_id)).mappings().first()
    if row is None:
        return None
    return Person(row["name"], row["citizen_number"], phone=row["phone"], relation=row["relation"])


def _midnight(day: date, hours: int) -> str:
    """The instant a local day begins, as the registry writes it."""
    moment = datetime(day.year, day.month, day.day) - timedelta(hours=hours)  # noqa: DTZ001
    return moment.isoformat(timespec="milliseconds") + "Z"
