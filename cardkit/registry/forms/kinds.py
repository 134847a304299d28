"""The papers there are: data, no code. domain.md [D1] [D9]-[D15] [D19] [D20]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from cardkit.registry.operators.roles import Role


class Kind(StrEnum):
    """What a paper is."""

    ACCEPTANCE = "acceptance"
    BUSINESS = "business"
    LOSS = "loss"
    REPLACEMENT = "replacement"
    RECEIPT = "receipt"
    HAND_OUT = "hand-out"
    STATEMENT = "statement"
    COUNT = "count"
    ARCHIVE = "archive"


class Reason(StrEnum):
    """Why a paper is printed again; from a fixed list, so that the history tells no story."""

    LOST = "lost"
    DAMAGED = "damaged"
    PRINTER = "printer"
    HOLDER = "holder"
    ARCHIVE = "archive"


REASONS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.LOST: "原件遗失",
        Reason.DAMAGED: "原件损坏",
        Reason.PRINTER: "打印故障",
        Reason.HOLDER: "持卡人申请",
        Reason.ARCHIVE: "归档留存",
    }
)


class VoidReason(StrEnum):
    """Why a paper counts no more."""

    SPOILT = "spoilt"
    MISTAKE = "mistake"
    NOT_PRINTED = "not-printed"
    CANCELLED = "cancelled"


VOID_REASONS: Mapping[VoidReason, str] = MappingProxyType(
    {
        VoidReason.SPOILT: "单据损坏",
        VoidReason.MISTAKE: "填写有误",
        VoidReason.NOT_PRINTED: "未打印成功",
        VoidReason.CANCELLED: "业务撤销",
    }
)


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of paper.

    Parameters
    ----------
    prefix : str
        Two letters its numbers begin with.
    template : str
        Name of the typst template.
    copies : tuple of str
        Who gets which copy; each is printed.
    leaves : bool
        Whether it leaves the agency: then personal numbers on it are masked.
    numbered : bool
        Whether it is printed on a numbered form from the stock [D9].
    roles : frozenset of Role
        Who may print it.
    """

    title: str
    english: str
    prefix: str
    template: str
    copies: tuple[str, ...]
    leaves: bool = True
    numbered: bool = False
    roles: frozenset[Role] = frozenset({Role.WINDOW, Role.TOWNSHIP, Role.COUNTY})


_ONE = ("",)

PAPERS: Mapping[Kind, Paper] = MappingProxyType(
    {
        Kind.ACCEPTANCE: Paper(
            "受理回执单", "acceptance receipt", "SL", "acceptance", ("申请人联", "经办机构留存联")
        ),
        Kind.BUSINESS: Paper("业务办理表", "business form", "YW", "business", _ONE, leaves=False),
        Kind.LOSS: Paper("挂失证明", "loss certificate", "GS", "loss", _ONE),
        Kind.REPLACEMENT: Paper("补换领证明", "replacement certificate", "BH", "replacement", _ONE),
        Kind.RECEIPT: Paper(
            "收款收据",
            "fee and deposit receipt",
            "SJ",
            "receipt",
            ("第一联 存根", "第二联 收据", "第三联 记账"),
            numbered=True,
        ),
        Kind.HAND_OUT: Paper("社会保障卡发放清单", "hand-out list", "FF", "hand_out", _ONE),
        Kind.STATEMENT: Paper("业务清单", "statement", "YD", "statement", _ONE),
        Kind.COUNT: Paper("库存盘点表", "stock count sheet", "PD", "count", _ONE, leaves=False),
        Kind.ARCHIVE: Paper("档案卷内目录", "archive list", "DA", "archive", _ONE, leaves=False),
    }
)
