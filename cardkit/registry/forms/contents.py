"""What stands on each paper. Nothing of it is shown by ``repr``.

A content becomes the JSON text that is kept and sealed, so that a paper can be printed again as it
was. Days and instants are local text, as people read them; money is fen and becomes words and
figures here, never in a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from cardkit.registry.forms.capitals import in_capitals, in_yuan
from cardkit.registry.forms.masking import masked

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def plain(content: DataclassInstance) -> dict[str, Any]:
    """The fields that are text, numbers or lists of text as they are."""
    found = {}
    for each in fields(content):
        value = getattr(content, each.name)
        if not is_dataclass(value):
            found[each.name] = list(value) if isinstance(value, tuple) else value
    return found


@dataclass(frozen=True, slots=True)
class Person:
    """Holder, or who acts for the holder."""

    name: str = field(default="", repr=False)
    citizen_number: str = field(default="", repr=False)
    insurance_number: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
    relation: str = field(default="", repr=False)

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """Its fields; numbers masked and the address left out for a paper that leaves."""
        numbers = (self.citizen_number, self.insurance_number)
        citizen, insurance = (masked(number) if hidden else number for number in numbers)
        return {
            "name": self.name,
            "citizen_number": citizen,
            "insurance_number": insurance,
            "phone": masked(self.phone, 3) if hidden else self.phone,
            "address": "" if hidden else self.address,
            "relation": self.relation,
        }


@dataclass(frozen=True, slots=True)
class ActContent:
    """An act, for 受理回执单, 业务办理表, 挂失证明 and 补换领证明.

    Parameters
    ----------
    action : str
        Its Chinese name.
    act : int
        Its number in the registry.
    due, lapses : str
        Local day, or instant, or ``''``.
    papers : sequence of str
        What was shown or handed in, in Chinese.
    """

    action: str
    act: int
    at: str
    holder: Person = field(repr=False)
    agent: Person | None = field(default=None, repr=False)
    appeared: str = ""
    papers: Sequence[str] = ()
    card_number: str = field(default="", repr=False)
    new_card_number: str = field(default="", repr=False)
    bank_card_number: str = field(default="", repr=False)
    card_kind: str = ""
    before: str = ""
    after: str = ""
    bank_side: str = ""
    reason: str = ""
    channel: str = ""
    fee: int = 0
    deposit: int = 0
    due: str = ""
    lapses: str = ""
    office: str = ""
    operator: str = ""
    second: str = ""

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """What is printed."""
        printed = plain(self)
        printed["holder"] = self.holder.as_content(hidden=hidden)
        printed["agent"] = self.agent.as_content(hidden=hidden) if self.agent else None
        printed["bank_card_number"] = masked(self.bank_card_number, 6)
        back = "退还 " if self.deposit < 0 else ""  # money given back is no negative payment
        printed |= {"fee": in_yuan(self.fee), "deposit": back + in_yuan(abs(self.deposit))}
        return printed


@dataclass(frozen=True, slots=True)
class Charge:
    """A line of a receipt: fen, more than 0."""

    what: str
    count: int
    price: int

    @property
    def amount(self) -> int:
        """Fen."""
        return self.count * self.price


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """收款收据: money received; with ``back`` a deposit that was given back."""

    at: str
    payer: str = field(repr=False)
    citizen_number: str = field(repr=False)
    charges: Sequence[Charge]
    means: str = "现金"
    back: bool = False
    office: str = ""
    operator: str = ""
    act: int = 0

    def as_content(self, *, hidden: bool) -> dict[str, Any]:
        """What is printed; the total is the sum of the lines."""
        total = sum(charge.amount for charge in self.charges)
        number = masked(self.citizen_number) if hidden else self.citizen_number
        lines = [
            {
                "what": charge.what,
                "count": charge.count,
                "price": in_yuan(charge.price),
                "amount": in_yuan(charge.amount),
            }
            for charge in self.charges
        ]
        return plain(self) | {
            "citizen_number": number,
            "charges": lines,
            "total": in_yuan(total),
            "capitals": in_capitals(total),
        }
