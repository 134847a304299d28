"""One of each paper, about people that do not exist; run as a program it draws those of docs/.

python -m tests.registry.forms.samples docs/images
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from PIL import Image

from cardkit.registry.forms import PAPERS, Document, Kind, Reason, Subject, codes
from cardkit.registry.forms.contents import ActContent, Charge, Person, ReceiptContent
from cardkit.registry.forms.lists import (
    ArchiveContent,
    CountContent,
    CountRow,
    HandOutContent,
    PersonRow,
    StatementContent,
    StatementRow,
)
from cardkit.registry.forms.printing import Reprint, data_of
from cardkit.registry.forms.records import Content
from cardkit.registry.forms.typesetting import Form, typeset

OFFICE = "测试县社会保障卡服务窗口"
HOLDER = Person(
    "王小明", "639900199001010015", "639900199001010015", "13900001234", "测试县第一乡测试村12号"
)
AGENT = Person("李四", "639900196501010015", phone="13900009999", relation="父亲")
LONG_NAME = "阿卜杜热合曼·麦麦提图尔荪"
ACT = ActContent(
    "补卡", 7, "2012-05-01 16:00", HOLDER, AGENT,
    appeared="代办人", papers=("持卡人身份证", "代办人身份证", "户口簿"), card_number="A00000017",
    card_kind="成人卡", office=OFFICE, operator="王小红", second="赵立", channel="窗口",
)  # fmt: skip


def people(count: int) -> tuple[PersonRow, ...]:
    """Rows of a list; every tenth has a long name, every seventeenth a card that was lost."""
    return tuple(
        PersonRow(
            LONG_NAME if at % 10 == 9 else f"测试{at + 1}",
            f"6399001990{at // 100 % 12 + 1:02d}{at % 28 + 1:02d}{at % 1000:03d}X",
            f"A{at + 1:07d}5",
            "已挂失" if at % 17 == 16 else "",
        )
        for at in range(count)
    )


def hand_out(count: int) -> HandOutContent:
    """The list of a village day."""
    return HandOutContent(
        "测试县第一乡测试村",
        "L000012",
        "2012-05-01",
        people(count),
        "王小红",
        "赵立",
        "P0001",
        OFFICE,
    )


_FEE, _BACK = ("2012-05-01 16:00", "补卡"), ("2012-05-02 09:30", "临时卡归还")
CONTENTS: Mapping[Kind, Content] = {
    Kind.ACCEPTANCE: replace(ACT, fee=2800, due="2012-06-13"),
    Kind.BUSINESS: replace(
        ACT, action="正式挂失", before="已启用", after="已挂失", bank_side="已激活", reason="遗失",
        bank_card_number="6228480000000000017",
    ),
    Kind.LOSS: replace(
        ACT, action="临时挂失", after="临时挂失", bank_side="已激活", lapses="2012-05-11 16:00"
    ),
    Kind.REPLACEMENT: replace(
        ACT, agent=None, new_card_number="A00000025", due="2012-06-13", bank_side="已挂失", fee=2800
    ),
    Kind.RECEIPT: ReceiptContent(
        "2012-05-01 16:00", "王小明", HOLDER.citizen_number,
        (Charge("社会保障卡工本费", 1, 2800), Charge("临时卡押金", 1, 2500)),
        office=OFFICE, operator="王小红",
    ),
    Kind.HAND_OUT: hand_out(168),
    Kind.STATEMENT: StatementContent(
        "单位：一号窗口（W1）", "2012-05-01 至 2012-05-31",
        (StatementRow(*_FEE, "SJ000001", "已补换", 2800, "wang"),
         StatementRow(*_BACK, "SJ000002", "已归还", -2500, "wang")) * 6,
        "2012-05-31 17:00", OFFICE, "王小红",
    ),
    Kind.COUNT: CountContent(
        "测试县库房", "2012-05-01 17:00",
        (CountRow("空白卡", 9950, 9949, "缺 B00000777（1）"), CountRow("临时卡", 50, 50),
         CountRow("收款收据", 871, 871)),
        OFFICE, "王小红", "赵立",
    ),
    Kind.ARCHIVE: ArchiveContent(
        "测试县第一乡测试村", 3, "2012-05-01", people(100), OFFICE, "王小红"
    ),
}  # fmt: skip
REPRINT = Reprint(2, "2012-05-03T01:00:00.000Z", "wang", Reason.LOST, "SJ000009")


def document(kind: Kind, content: Content | None = None) -> Document:
    """A document as the room makes it, sealed with a key that everybody knows."""
    paper = PAPERS[kind]
    kept = codes.canonical((content or CONTENTS[kind]).as_content(hidden=paper.leaves))
    number, digest = f"{paper.prefix}2012000001", codes.digest(kept)
    code = codes.check_code(codes.seal(bytes(32), number, kind.value, digest))
    form = "SJ000001" if paper.numbered else ""
    return Document(
        1, number, kind, Subject("act", 7), 1, json.loads(kept), digest, code, 1, form,
        len(paper.copies), "2012-05-01T08:00:00.000Z", "wang",
    )  # fmt: skip


def paper(
    kind: Kind,
    content: Content | None = None,
    *,
    reprint: Reprint | None = None,
    form: Form = "pdf",
    ppi: int = 100,
) -> bytes:
    """The paper itself."""
    data = data_of(document(kind, content), reprint, 8)
    return typeset(PAPERS[kind].template, data, form, ppi=ppi)


def draw(folder: Path) -> None:
    """First page of each as a small picture, and of one as a reprint."""
    pictures = {kind.value: paper(kind, form="png", ppi=90) for kind in Kind}
    pictures["reprint"] = paper(Kind.ACCEPTANCE, reprint=REPRINT, form="png", ppi=90)
    for name, png in pictures.items():
        picture = Image.open(io.BytesIO(png)).convert("L").quantize(16)
        picture.save(folder / f"forms-{name}.png", optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
