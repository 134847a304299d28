"""Papers as records: made once, checked by code, printed again only as reprints."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from cardkit.registry.forms import (
    Document,
    Finding,
    Kind,
    NumberedForm,
    Reason,
    Subject,
    VoidReason,
)
from cardkit.registry.forms.codes import grouped
from cardkit.registry.forms.contents import ActContent, Charge, Person, ReceiptContent
from cardkit.registry.forms.errors import (
    FormNumberError,
    MadeBeforeError,
    UnknownDocumentError,
    VoidDocumentError,
)
from cardkit.registry.forms.sources import receipt_of
from cardkit.registry.forms.typesetting import MissingGlyphError
from cardkit.registry.lifecycle import Act
from cardkit.registry.operators import NotAllowedError
from cardkit.registry.registry import Registry
from cardkit.registry.stock import Stock, StockError
from tests.registry.forms.conftest import Office
from tests.registry.forms.pdf import Pdf
from tests.registry.support import open_at

RARE = "\U00088888"  # of no script


def entries(registry: Registry, action: str) -> list[dict[str, object]]:
    with registry.books.store.reading() as connection:
        rows = connection.execute(
            text("SELECT detail, actor FROM history WHERE action = :action"), {"action": action}
        )
        return [json.loads(row[0]) | {"actor": row[1]} for row in rows]


def count(registry: Registry, table: str) -> int:
    with registry.books.store.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def content(name: str = "张测试") -> ActContent:
    return ActContent("正式挂失", 1, "2012-05-01 16:00", Person(name))


def test_a_paper_has_a_number_a_record_and_an_entry_in_the_history(office: Office) -> None:
    act = office.lose()

    number, pdf = office.print(act, Kind.LOSS)

    assert number == "GS2012000001"
    assert pdf.startswith(b"%PDF-")
    document = office.forms.get(number)
    assert (document.made_by, document.reprints) == ("zhao", 0)
    assert document.subject == Subject("act", act.act_id)
    (entry,) = entries(office.registry, "print-document")
    assert (entry["document"], entry["kind"], entry["actor"]) == (number, "loss", "zhao")
    assert [d.number for d in office.forms.list()] == [number]
    assert office.registry.verify_history().intact


def test_numbers_run_on_by_kind_and_year(office: Office) -> None:
    acts = [office.lose(), office.do("find"), office.do("report-loss")]

    numbers = [office.print(act, Kind.BUSINESS)[0] for act in acts]
    numbers.append(office.print(acts[0], Kind.LOSS)[0])

    assert numbers == ["YW2012000001", "YW2012000002", "YW2012000003", "GS2012000001"]


def test_a_second_original_is_refused_and_the_first_one_named(office: Office) -> None:
    act = office.lose()
    number, _ = office.print(act, Kind.LOSS)

    with pytest.raises(MadeBeforeError, match=number) as refused:
        office.print(act, Kind.LOSS)

    assert "补打" in refused.value.zh
    assert count(office.registry, "documents") == 1
    assert entries(office.registry, "refused")[-1]["why"] == "made-before"


def test_a_reprint_says_which_when_who_and_why(office: Office) -> None:
    number, original = office.print(office.lose(), Kind.LOSS)

    document, first = office.forms.reprint(number, Reason.LOST, operator=office.crew.qian)
    document, second = office.forms.reprint(number, Reason.DAMAGED, operator=office.crew.zhao)

    assert document.reprints == 2
    assert "补打" not in Pdf(original).pages[0]
    assert "补打第1次" in Pdf(first).pages[0]
    assert "补打人qian原件遗失" in Pdf(first).pages[0]
    assert "补打第2次" in Pdf(second).pages[0]
    assert grouped(document.code) in Pdf(second).pages[0]
    told = [
        (e["times"], e["reason"], e["actor"]) for e in entries(office.registry, "reprint-document")
    ]
    assert told == [(1, "lost", "qian"), (2, "damaged", "zhao")]


def test_the_same_paper_is_the_same_file_to_the_byte(office: Office) -> None:
    number, pdf = office.print(office.lose(), Kind.BUSINESS)

    assert office.forms.typeset(office.forms.get(number)) == pdf


def test_a_genuine_code_tells_what_the_paper_must_say_and_nothing_personal(office: Office) -> None:
    number, pdf = office.print(office.lose(), Kind.LOSS)
    code = grouped(office.forms.get(number).code)
    assert code in Pdf(pdf).pages[0]

    found = office.forms.check(code.lower())

    assert found.finding is Finding.GENUINE
    assert found.document is not None
    assert found.document.number == number
    assert found.shows["姓名"] == "张**"
    assert found.shows["公民身份号码"].startswith("639900********")
    told = json.dumps(found.as_json(), ensure_ascii=False)
    record = office.registry.get(office.card)
    assert record.name not in told
    assert record.citizen_number not in told
    assert record.card_number not in told


@pytest.mark.parametrize("code", ["", "0000-0000-0000", "no code", "０" * 12])
def test_a_code_of_nothing_is_unknown(office: Office, code: str) -> None:
    assert office.forms.check(code).finding is Finding.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE documents SET content = replace(content, '正式挂失', '解挂')",
        "UPDATE documents SET digest = 'x'",
        "UPDATE documents SET kind = 'business'",
        "UPDATE documents SET number = 'GS2012000002'",
        "UPDATE documents SET entry = 1",
        "UPDATE documents SET made_at = '2012-01-01T00:00:00.000Z'",
        "UPDATE documents SET made_by = 'li'",
        "UPDATE documents SET card = 2",
        "UPDATE documents SET stock_number = 'SJ000009'",
        "UPDATE documents SET voided_at = made_at, void_reason = 'mistake'",
    ],
)
def test_a_changed_record_is_named_altered(office: Office, change: str) -> None:
    number, _ = office.print(office.lose(), Kind.LOSS)
    code = office.forms.get(number).code
    with office.registry.books.store.writing() as connection:
        connection.execute(text(change))

    found = office.forms.check(code)

    assert found.finding is Finding.ALTERED
    assert found.shows == {}


@pytest.mark.parametrize(
    "change", ["UPDATE documents SET voided_at = '', void_reason = ''", "DELETE FROM reprints"]
)
def test_what_came_after_a_paper_cannot_be_wiped_away(office: Office, change: str) -> None:
    number, _ = office.print(office.lose(), Kind.LOSS)
    office.forms.reprint(number, Reason.LOST, operator=office.crew.zhao)
    office.forms.void(number, VoidReason.MISTAKE, operator=office.crew.zhao)
    code = office.forms.get(number).code
    assert office.forms.check(code).finding is Finding.VOID
    with office.registry.books.store.writing() as connection:
        connection.execute(text(change))

    assert office.forms.check(code).finding is Finding.ALTERED


def test_an_inspector_prints_nothing_and_the_attempt_is_kept(office: Office) -> None:
    act = office.lose()

    with pytest.raises(NotAllowedError):
        office.print(act, Kind.LOSS, office.crew.sun)

    assert count(office.registry, "documents") == 0
    (attempt,) = [e for e in entries(office.registry, "refused") if e["actor"] == "sun"]
    assert (attempt["for"], attempt["why"]) == ("print-document", "role")


def test_a_character_in_no_font_is_named_before_anything_is_made(office: Office) -> None:
    with pytest.raises(MissingGlyphError, match=r"U\+88888") as refused:
        office.forms.make(
            Kind.LOSS,
            content("张" + RARE),
            subject=Subject("act", 1),
            operator=office.crew.zhao,
        )

    assert "U+88888" in refused.value.zh
    assert "张" not in refused.value.message
    assert count(office.registry, "documents") == 0


def test_an_unknown_number_is_named(office: Office) -> None:
    with pytest.raises(UnknownDocumentError):
        office.forms.reprint("GS2012000009", Reason.LOST, operator=office.crew.zhao)


def test_a_receipt_uses_up_a_numbered_form_and_a_reprint_another(office: Office) -> None:
    office.lose()
    office.do("replace")  # the first is free
    registry, forms, zhao = office.registry, office.forms, office.crew.zhao
    with registry.books.store.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO charges (id, act, kind, amount, state) "
                "SELECT 1000, max(id), 'fee', 2800, 'paid' FROM acts"
            )
        )
        act = int(connection.execute(text("SELECT max(id) FROM acts")).scalar_one())
    with registry.books.store.reading() as connection:
        paid = receipt_of(connection, office.desk, act, "现金")

    assert paid.payer == registry.get(office.card).name
    assert not paid.back

    def make(form: NumberedForm | None, number: int = act) -> str:
        subject = Subject("act", number)
        return forms.make(Kind.RECEIPT, paid, subject=subject, operator=zhao, form=form)[0].number

    with pytest.raises(FormNumberError, match="numbered form"):
        make(None)
    with pytest.raises(StockError):
        make(NumberedForm("SJ000999", "W1"))
    number = make(NumberedForm("sj000001", "W1"))
    with pytest.raises(FormNumberError, match="used before"):
        make(NumberedForm("SJ000001", "W1"), act + 1)
    _, pdf = forms.reprint(
        number, Reason.DAMAGED, operator=zhao, form=NumberedForm("SJ000002", "W1")
    )

    pages = Pdf(pdf).pages
    assert len(pages) == 3
    assert all("票据号码：SJ000002" in page and "人民币贰拾捌元整" in page for page in pages)
    assert Stock(registry.books).holdings("W1", "receipt") == ["SJ000003-SJ000100"]


def test_a_plain_paper_takes_no_numbered_form(office: Office) -> None:
    with pytest.raises(FormNumberError, match="blank paper"):
        office.forms.make(
            Kind.LOSS,
            content(),
            subject=Subject("act", 1),
            operator=office.crew.zhao,
            form=NumberedForm("SJ000001", "W1"),
        )

    assert Stock(office.registry.books).holdings("W1", "receipt") == ["SJ000001-SJ000100"]


class PowerCutError(BaseException):
    """The computer is off."""


def cut_while_typesetting(office: Office, act: Act, monkeypatch: pytest.MonkeyPatch) -> str:
    """Begin a paper that never comes out; its number."""

    def cut(*_: object) -> bytes:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(office.forms, "typeset", cut)
        with pytest.raises(PowerCutError):
            office.print(act, Kind.LOSS)
    (begun,) = office.forms.list()
    assert begun.standing == "begun"
    return begun.number


def test_others_write_while_a_paper_is_typeset(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the same registry, through a connection of their own, without waiting."""
    act, typeset = office.lose(), office.forms.typeset
    store = office.registry.books.store

    def busy(document: Document) -> bytes:
        url = store.engine.url.render_as_string(hide_password=False)
        with open_at(url, busy_seconds=0.2) as other:
            other.check_writable()
        return typeset(document)

    monkeypatch.setattr(office.forms, "typeset", busy)
    assert office.print(act, Kind.LOSS)[1].startswith(b"%PDF")


def test_a_paper_that_never_came_out_is_finished_by_the_next_call(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = office.lose()
    number = cut_while_typesetting(office, act, monkeypatch)

    again, pdf = office.print(act, Kind.LOSS, office.crew.qian)

    assert again == number
    assert pdf.startswith(b"%PDF")
    document = office.forms.get(number)
    assert (document.standing, document.made_by) == ("printed", "zhao")
    assert [e["actor"] for e in entries(office.registry, "finish-document")] == ["qian"]
    with pytest.raises(MadeBeforeError):
        office.print(act, Kind.LOSS)


def test_of_two_windows_that_finish_a_paper_one_gets_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, typeset = office.lose(), office.forms.typeset
    number = cut_while_typesetting(office, act, monkeypatch)
    quicker = []

    def meanwhile(document: Document) -> bytes:
        monkeypatch.setattr(office.forms, "typeset", typeset)
        quicker.append(office.print(act, Kind.LOSS)[0])
        return typeset(document)

    monkeypatch.setattr(office.forms, "typeset", meanwhile)
    with pytest.raises(MadeBeforeError):
        office.print(act, Kind.LOSS)
    assert quicker == [number]


def test_a_begun_receipt_wants_the_form_it_was_begun_on(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = office.lose()
    receipt = ReceiptContent("2012-05-01 16:00", "张测试", "", (Charge("工本费", 1, 100),))

    def make(form: str) -> Document:
        return office.forms.make(
            Kind.RECEIPT, receipt, subject=Subject("act", act.act_id), operator=office.crew.zhao,
            card_id=act.card_id, form=NumberedForm(form, "W1"),
        )[0]  # fmt: skip

    with monkeypatch.context() as patch:
        patch.setattr(office.forms, "typeset", _cut)
        with pytest.raises(PowerCutError):
            make("SJ000001")
    with pytest.raises(FormNumberError, match="SJ000001"):
        make("SJ000002")
    assert make("SJ000001").stock_number == "SJ000001"


def _cut(*_: object) -> bytes:
    raise PowerCutError


def test_a_void_paper_counts_no_more_and_its_act_may_have_another(office: Office) -> None:
    act = office.lose()
    number, _ = office.print(act, Kind.LOSS)
    code = office.forms.get(number).code

    document = office.forms.void(number, VoidReason.SPOILT, operator=office.crew.qian)

    assert (document.standing, document.voided_by) == ("void", "qian")
    assert office.forms.check(code).finding is Finding.VOID
    (entry,) = entries(office.registry, "void-document")
    assert (entry["document"], entry["reason"], entry["actor"]) == (number, "spoilt", "qian")
    with pytest.raises(VoidDocumentError):
        office.forms.void(number, VoidReason.SPOILT, operator=office.crew.qian)
    with pytest.raises(VoidDocumentError):
        office.forms.reprint(number, Reason.LOST, operator=office.crew.qian)
    another, _ = office.print(act, Kind.LOSS)
    assert another == "GS2012000002"
    assert office.forms.check(code).finding is Finding.VOID


def test_only_who_may_print_may_make_void(office: Office) -> None:
    number, _ = office.print(office.lose(), Kind.LOSS)
    with pytest.raises(NotAllowedError):
        office.forms.void(number, VoidReason.MISTAKE, operator=office.crew.sun)
    assert office.forms.get(number).standing == "printed"
