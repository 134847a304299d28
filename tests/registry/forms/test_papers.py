"""What stands on each paper, read back out of the PDF."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardkit.registry.forms import PAPERS, Kind
from cardkit.registry.forms.capitals import in_capitals, in_yuan
from cardkit.registry.forms.codes import grouped
from cardkit.registry.forms.contents import Charge, Person, ReceiptContent
from cardkit.registry.forms.lists import HandOutContent, StatementContent, StatementRow
from cardkit.registry.forms.typesetting import TypesettingError, typeset
from tests.registry.forms.pdf import Pdf
from tests.registry.forms.samples import (
    ACT,
    AGENT,
    CONTENTS,
    HOLDER,
    LONG_NAME,
    REPRINT,
    document,
    hand_out,
    paper,
)

ACTS = (Kind.ACCEPTANCE, Kind.BUSINESS, Kind.LOSS, Kind.REPLACEMENT)


@pytest.mark.parametrize("kind", Kind)
def test_every_paper_carries_its_fonts_its_number_and_its_code(kind: Kind) -> None:
    made = Pdf(paper(kind))

    assert made.fonts
    assert all(made.fonts.values()), "a font is not embedded"
    assert all(re.match(r"[A-Z]{6}\+Noto(Sans|Serif)CJKsc-", name) for name in made.fonts)
    for page in made.pages:
        assert document(kind).number in page
        assert f"验真码{grouped(document(kind).code)}" in page


@pytest.mark.parametrize("kind", Kind)
def test_only_a_reprint_says_that_it_is_one_and_on_every_page(kind: Kind) -> None:
    assert not any("补打第" in page for page in Pdf(paper(kind)).pages)
    pages = Pdf(paper(kind, reprint=REPRINT)).pages
    assert all("补打第2次2012-05-0309:00补打人wang原件遗失" in page for page in pages)


@pytest.mark.parametrize("kind", Kind)
def test_the_same_content_gives_the_same_file(kind: Kind) -> None:
    assert paper(kind) == paper(kind)


@pytest.mark.parametrize("kind", [k for k in Kind if k is not Kind.HAND_OUT])
def test_each_copy_is_one_page_with_its_name(kind: Kind) -> None:
    pages = Pdf(paper(kind)).pages

    assert len(pages) == len(PAPERS[kind].copies)
    for page, name in zip(pages, PAPERS[kind].copies, strict=True):
        assert name.replace(" ", "") in page


@pytest.mark.parametrize("kind", Kind)
def test_numbers_of_people_are_masked_on_what_leaves_the_agency(kind: Kind) -> None:
    pages = "".join(Pdf(paper(kind)).pages)

    whole = re.findall(r"639900\d{11}[\dX]", pages)
    if PAPERS[kind].leaves:
        assert whole == []
        assert HOLDER.phone not in pages
        assert HOLDER.address not in pages
    elif kind in (Kind.BUSINESS, Kind.ARCHIVE):
        assert whole
    assert AGENT.citizen_number not in pages or kind is Kind.BUSINESS


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("name", [LONG_NAME * 2, "𠮷野𡈽", "王", "O'Brien #let *x* $y$ \\u{1}"])
def test_any_name_is_printed_as_it_is(kind: Kind, name: str) -> None:
    content = replace(ACT, holder=replace(HOLDER, name=name), lapses="")

    (page, *_) = Pdf(paper(kind, content)).pages

    assert name.replace(" ", "") in page


@pytest.mark.parametrize("kind", ACTS)
def test_an_act_without_an_agent_or_papers_still_fits(kind: Kind) -> None:
    content = replace(ACT, agent=None, papers=(), holder=Person("王"), card_number="")

    assert len(Pdf(paper(kind, content)).pages) == len(PAPERS[kind].copies)


def test_a_temporary_loss_names_both_instants_and_a_formal_one_no_lapse() -> None:
    temporary = Pdf(paper(Kind.LOSS)).pages[0]
    formal = Pdf(paper(Kind.LOSS, replace(ACT, action="正式挂失"))).pages[0]

    assert "社会保障卡临时挂失证明" in temporary
    assert "2012-05-0116:00" in temporary
    assert "临时挂失至2012-05-1116:00自动失效" in temporary
    assert "社会保障卡挂失证明" in formal
    assert "自动失效" not in formal


def test_a_list_of_1200_people_has_100_on_each_page_and_nobody_is_left_out() -> None:
    made = hand_out(1200)

    pages = Pdf(paper(Kind.HAND_OUT, made)).pages

    assert len(pages) == 12
    for index, page in enumerate(pages):
        assert f"第{index + 1}页共12页" in page
        assert "本页100张，共1200张" in page
        for row in made.rows[index * 100 : index * 100 + 100]:
            assert row.card_number in page
            assert row.name in page


@pytest.mark.parametrize(("count", "last"), [(0, 0), (1, 1), (100, 100), (101, 1)])
def test_the_last_page_counts_what_is_on_it(count: int, last: int) -> None:
    pages = Pdf(paper(Kind.HAND_OUT, hand_out(count))).pages

    assert f"本页{last}张，共{count}张" in pages[-1]


def test_a_refund_is_not_called_a_payment() -> None:
    content = ReceiptContent(
        "2012-05-01", "王", HOLDER.citizen_number, (Charge("押金", 1, 2500),), back=True
    )

    page = Pdf(paper(Kind.RECEIPT, content)).pages[0]

    assert "退还押金收据" in page
    assert "今退还" in page
    assert "付款单位" in page
    assert "今收到" not in page
    assert "收款单位" not in page


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 999_999_99)), min_size=1, max_size=4))
def test_the_total_of_a_receipt_is_the_sum_of_its_lines(lines: list[tuple[int, int]]) -> None:
    charges = tuple(Charge("工本费", count, price) for count, price in lines)
    total = sum(count * price for count, price in lines)

    page = Pdf(paper(Kind.RECEIPT, ReceiptContent("", "王", "", charges))).pages[0]

    assert f"合计（大写）{in_capitals(total)}" in page
    assert f"¥{in_yuan(total)}" in page


def test_a_statement_that_gave_back_more_than_it_took_says_so() -> None:
    rows = (StatementRow("", "补卡", "1", "", 2800), StatementRow("", "退押金", "2", "", -3000))
    statement = StatementContent("卡号：A", "2012", rows)

    page = Pdf(paper(Kind.STATEMENT, statement)).pages[0]

    assert "收入（元）28.00退付（元）30.00净额（元）-2.00" in page
    assert "退付人民币贰元整" in page


def test_a_long_statement_repeats_its_heading() -> None:
    row = StatementRow("2012-05-01 16:00", "补卡", "1", "已补换", 2800, "wang")

    pages = Pdf(paper(Kind.STATEMENT, StatementContent("x", "y", (row,) * 120))).pages

    assert len(pages) > 2
    assert all("单据编号" in page for page in pages[:-1])


def test_a_difference_in_a_count_is_named() -> None:
    page = Pdf(paper(Kind.COUNT)).pages[0]

    assert "空白卡99509949−1" in page
    assert "账实不符" in page


def test_personal_data_are_in_no_repr() -> None:
    for content in CONTENTS.values():
        told = repr(content)
        assert not isinstance(content, HandOutContent) or "rows" not in told
        assert HOLDER.name not in told
        assert HOLDER.citizen_number not in told
    assert HOLDER.name not in repr(document(Kind.LOSS))


def test_a_template_that_does_not_fit_its_data_is_a_bug_without_data_in_it() -> None:
    with pytest.raises(TypesettingError, match="loss") as refused:
        typeset("loss", {"title": "王小明"})

    assert "王小明" not in refused.value.line()
