"""The vectors beside the layouts, put together by hand: ``python -m ... make_vectors FOLDER``.

Only Python's codecs and its `ljust` and `rjust`; nothing of the engine that is tested with them.
The shapes are those of domain.md and of what banks and agencies describe; nobody in them exists.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

LF, CRLF = b"\n", b"\r\n"
ZHANG, AYI = "639900198101010015", "639900198202020028"
CARD, OTHER_CARD = "6217990000000000013", "6217990000000000021"
CODE = "639900D15600000500000001"
Row = Mapping[str, str]


class Vector(NamedTuple):
    """Bytes of a file, and what they say."""

    source: str
    data: bytes
    header: Row
    rows: Sequence[Row]
    trailer: Row = MappingProxyType({})


def rows_of(names: str, *values: Sequence[str]) -> list[Row]:
    """Rows from names with a space between, and values."""
    return [dict(zip(names.split(), row, strict=True)) for row in values]


def piped(source: str, encoding: str, end: bytes, header: Row, rows: Sequence[Row]) -> Vector:
    """Fields between ``|``."""
    lines = ["|".join(one.values()) for one in (header, *rows)]
    return Vector(source, b"".join(one.encode(encoding) + end for one in lines), header, rows)


def left(text: str, width: int) -> bytes:
    """A column of GBK, filled with spaces behind."""
    return text.encode("gbk").ljust(width)


def zeros(text: str, width: int) -> bytes:
    """A column of digits, filled with zeros in front."""
    return text.encode("ascii").rjust(width, b"0")


def vectors() -> Iterator[tuple[str, Vector]]:
    """Name of a layout, and its vector."""
    yield from _opening()
    yield from _short()
    yield from _banks()
    yield from _columns()
    yield "county-columns", _county()
    yield from _blacklists()
    yield from _xml()


def _opening() -> Iterator[tuple[str, Vector]]:
    header = {"agency": "测试县", "batch": "000007", "date": "20120501", "count": "2"}
    rows = rows_of(
        "serial insurance_number name citizen_number address phone",
        ("1", ZHANG, "张倈三", ZHANG, "测试乡一村", "13900000001"),
        ("2", "63990002", "阿依·买买提", AYI, "", ""),
    )
    source = "[D1]; 倈 is 82 7C in GBK: its second byte looks like the separator"
    yield "bank-opening", piped(source, "gb18030", CRLF, header, rows)
    rows = rows_of(
        "serial insurance_number name citizen_number bank_card_number result text",
        ("1", ZHANG, "张倈三", ZHANG, CARD, "0000", ""),
        ("2", "63990002", "阿依·买买提", AYI, "", "1001", "姓名与证件号码不符"),
    )
    source = "[D1] the list comes back with 卡号; a failed row has a reason"
    yield "bank-opening-return", piped(source, "gb18030", CRLF, header, rows)


_INSTANT = {"instant": "2012-05-01T08:00:00.000Z"}
_ORDER = (
    "serial card_number card_id_code insurance_number name citizen_number sex nation birthplace"
    " birth_date bank_card_number kind"
)
_SHORT: tuple[tuple[str, str, str, bytes, str, tuple[str, ...], Row], ...] = (
    (
        "card-number-delta", "[D3]", "gb18030", CRLF,
        "serial card_number insurance_number old_card_number changed_on",
        ("1", "A00000025", ZHANG, "A00000017", "20120430"), {},
    ),
    (
        "factory-order", "[D7]", "gb18030", LF,
        _ORDER,
        ("1", "A00000017", CODE, ZHANG, "张三", ZHANG, "1", "01", "639900", "19810101", "",
         "adult"), {},
    ),
    (
        "factory-return", "[D7]", "gb18030", LF,
        "serial card_number card_id_code atr result text",
        ("1", "A00000017", f"{CODE}CAFEBABE", "3B6D00000087BF10028649639900000001", "00", ""), {},
    ),
    (
        "state-inquiry", "[D34]", "gb18030", LF, "serial citizen_number name",
        ("1", ZHANG, "张三"), {},
    ),
    (
        "state-answer", "[D34]", "gb18030", LF,
        "serial citizen_number card_number state bank_state result text",
        ("1", ZHANG, "A00000017", "active", "opened", "00", "成功"), _INSTANT,
    ),
    (
        "loss-report", "[D12]", "gbk", CRLF,
        "serial citizen_number bank_card_number kind reported_at",
        ("1", ZHANG, CARD, "1", "20120501080000"), {},
    ),
    (
        "loss-answer", "[D12]", "gbk", CRLF,
        "serial citizen_number bank_card_number state bank_state result text",
        ("1", ZHANG, CARD, "active", "temporarily_lost", "00", "成功"), _INSTANT,
    ),
    (
        "comparison-agency", "[D17]", "gb18030", LF,
        "citizen_number name insurance_number status card_number",
        (ZHANG, "张三", ZHANG, "retired", "A00000011"), {},
    ),
    (
        "comparison-police", "[D17]", "gb18030", LF, "citizen_number name sex nation birth_date",
        (ZHANG, "张㐂三", "1", "01", "19810101"), {},
    ),
    (
        "difference", "[D17]; 㐂 has four bytes in GB18030", "gb18030", LF,
        "citizen_number kind field ours theirs wins proposal",
        (ZHANG, "differs", "name", "张三", "张㐂三", "theirs", "12"), {},
    ),
)  # fmt: skip


def _short() -> Iterator[tuple[str, Vector]]:
    """Files of one row under the same header."""
    for name, source, encoding, end, names, row, more in _SHORT:
        header = {"batch": "000001", "date": "20120501", "count": "1", **more}
        yield name, piped(source, encoding, end, header, rows_of(names, row))


def _banks() -> Iterator[tuple[str, Vector]]:
    header = {
        "mark": "0001", "batch": "20120501", "date": "20120501", "unit": "639900000001",
        "unit_name": "测试县农保局", "currency": "CNY", "count": "2", "total": "200.50",
    }  # fmt: skip
    rows = rows_of(
        "agent name amount account unit id_type id_number times",
        ("1001", "张三", "100.00", CARD, "639900000001", "1", ZHANG, "1"),
        ("1002", "李四", "100.50", OTHER_CARD, "639900000001", "1", AYI, "1"),
    )
    source = "6.1 core bank: fields 3, 4, 7, 8 of the header"
    yield "bank-batch", piped(source, "gbk", LF, header, rows)
    header = {"merchant": "639900000000001", "batch": "000012", "count": "1", "total": "10000"}
    rows = rows_of(
        "date serial bank flag account name id_type id_number amount purpose private",
        ("20120501", "1", "0102", "0", CARD, "张三", "01", ZHANG, "10000", "养老保险费", ""),
    )
    source = "6.1 clearing house: merchant|batch|count|amount"
    yield "clearing-batch", piped(source, "gbk", CRLF, header, rows)


def _columns() -> Iterator[tuple[str, Vector]]:
    """A file in columns, and its answer: the result stands where the remark began."""
    bank = "102639900001"
    rows = rows_of(
        "prefix serial bank card name flag amount agreement remark",
        ("D1", "1", bank, CARD, "张三", "1", "10000", "XY1", "0001"),
        ("D1", "2", bank, OTHER_CARD, "阿卜杜拉", "1", "550", "XY2", ""),
    )
    trailer = {"prefix": "T9", "count": "2", "total": "10550"}
    last = b"T9" + zeros("2", 8) + zeros("10550", 16) + CRLF
    for name, source, results in (
        ("bank-columns", "6.1 fixed columns in GBK, the last line has the totals", ("", "")),
        ("bank-columns-return", "6.1 the result stands where the remark began", ("001", "002")),
    ):
        said, lines = [], []
        for row, result in zip(rows, results, strict=True):
            lines.append(
                b"D1" + zeros(row["serial"], 8) + left(bank, 12) + left(row["card"], 19)
                + left(row["name"], 20) + b"1" + zeros(row["amount"], 12)
                + left(row["agreement"], 15) + result.encode() + left(row["remark"], 4) + CRLF
            )  # fmt: skip
            keys = {key: value for key, value in row.items() if key != "remark"}
            more = {"result": result} if result else {}
            said.append(keys | more | {"remark": row["remark"]})
        yield name, Vector(source, b"".join([*lines, last]), {}, said, trailer)


def _county() -> Vector:
    header = {
        "transaction": "KK01", "branch": "测试支行", "batch": "7", "count": "1", "comment": ""
    }  # fmt: skip
    rows = rows_of(
        "serial insurance_number name citizen_number address phone",
        ("1", ZHANG, "张三", ZHANG, "测试乡", "13900000001"),
    )
    first = b"KK01" + left("测试支行", 15) + zeros("7", 10) + zeros("1", 6) + left("", 20)
    row = zeros("1", 6) + left(ZHANG, 18) + left("张三", 30) + left(ZHANG, 18) + left("测试乡", 60)
    data = first + LF + row + b"13900000001".rjust(15) + LF
    return Vector("6.1 transaction type, branch 15, total count 6, comments", data, header, rows)


def _blacklists() -> Iterator[tuple[str, Vector]]:
    code = f"{CODE}CAFEBABE"
    header = {"mark": "HMDF", "list_version": "3", "batch": "1", "date": "20120501"}
    trailer = {"mark": "TAIL", "count": "1"}
    rows = rows_of("card_id_code card_number reason", (code, "A00000017", "01"))
    first, last = b"HMDF0000000003000000000120120501\n", b"TAIL0000000001\n"
    data = first + code.encode() + b"A0000001701\n" + last
    yield "blacklist-full", Vector("[D16]", data, header, rows, trailer)
    header = {"mark": "HMDD", "base_version": "2", **dict(list(header.items())[1:])}
    rows = rows_of("change card_id_code card_number reason", ("-", code, "A00000017", ""))
    first = b"HMDD00000000020000000003000000000120120501\n"
    data = first + b"-" + code.encode() + b"A00000017  \n" + last
    yield "blacklist-delta", Vector("[D16]", data, header, rows, trailer)


def _xml() -> Iterator[tuple[str, Vector]]:
    """Written out: a reader of XML would see the same in them."""
    header = {
        "transaction": "100001", "version": "05", "batch": "20120501", "business": "14900",
        "merchant": "639900000000001", "date": "20120501", "count": "2", "total": "20050",
    }  # fmt: skip
    rows = rows_of(
        "serial bank flag account name amount id_type id_number remark",
        ("1", "102", "00", CARD, "张倈三", "10000", "0", ZHANG, '养老<保险>费 & "补"'),
        ("2", "102", "01", OTHER_CARD, "阿依·买买提", "10050", "", "", ""),
    )
    text = f"""\
<?xml version="1.0" encoding="GBK"?>
<GZELINK>
<INFO>
<TRX_CODE>100001</TRX_CODE>
<VERSION>05</VERSION>
<REQ_SN>20120501</REQ_SN>
</INFO>
<BODY>
<TRANS_SUM>
<BUSINESS_CODE>14900</BUSINESS_CODE>
<MERCHANT_ID>639900000000001</MERCHANT_ID>
<SUBMIT_DATE>20120501</SUBMIT_DATE>
<TOTAL_ITEM>2</TOTAL_ITEM>
<TOTAL_SUM>20050</TOTAL_SUM>
</TRANS_SUM>
<TRANS_DETAILS>
<TRANS_DETAIL><SN>1</SN><BANK_CODE>102</BANK_CODE><ACCOUNT_TYPE>00</ACCOUNT_TYPE>\
<ACCOUNT_NO>{CARD}</ACCOUNT_NO><ACCOUNT_NAME>张倈三</ACCOUNT_NAME><AMOUNT>10000</AMOUNT>\
<ID_TYPE>0</ID_TYPE><ID>{ZHANG}</ID><REMARK>养老&lt;保险&gt;费 &amp; "补"</REMARK></TRANS_DETAIL>
<TRANS_DETAIL><SN>2</SN><BANK_CODE>102</BANK_CODE><ACCOUNT_TYPE>01</ACCOUNT_TYPE>\
<ACCOUNT_NO>{OTHER_CARD}</ACCOUNT_NO><ACCOUNT_NAME>阿依·买买提</ACCOUNT_NAME>\
<AMOUNT>10050</AMOUNT><ID_TYPE></ID_TYPE><ID></ID><REMARK></REMARK></TRANS_DETAIL>
</TRANS_DETAILS>
</BODY>
</GZELINK>
"""
    source = "6.1 XML, GBK: INFO and BODY with TRANS_SUM and details"
    yield "deduction-xml", Vector(source, text.encode("gbk"), header, rows)
    yield from _xml_opening()


def _xml_opening() -> Iterator[tuple[str, Vector]]:
    header = {
        "transaction": "KK01", "batch": "000007", "agency": "测试县", "date": "20120501",
        "count": "1",
    }  # fmt: skip
    first = """\
<?xml version="1.0" encoding="GB18030"?>
<GZELINK>
<INFO>
<TRX_CODE>KK01</TRX_CODE>
<REQ_SN>000007</REQ_SN>
</INFO>
<BODY>
<TRANS_SUM>
<AGENCY>测试县</AGENCY>
<SUBMIT_DATE>20120501</SUBMIT_DATE>
<TOTAL_ITEM>1</TOTAL_ITEM>
</TRANS_SUM>
"""
    last = "</BODY>\n</GZELINK>\n"
    keys = f"<SN>1</SN><INSURANCE_NO>{ZHANG}</INSURANCE_NO><NAME>张㐂三</NAME><ID>{ZHANG}</ID>"
    rows = rows_of(
        "serial insurance_number name citizen_number address phone",
        ("1", ZHANG, "张㐂三", ZHANG, "测试乡一村", ""),
    )
    row = f"<TRANS_DETAIL>{keys}<ADDRESS>测试乡一村</ADDRESS><TEL></TEL></TRANS_DETAIL>"
    text = f"{first}<TRANS_DETAILS>\n{row}\n</TRANS_DETAILS>\n{last}"
    source = "[D1] in the envelope of 6.1; 㐂 has four bytes in GB18030"
    yield "bank-opening-xml", Vector(source, text.encode("gb18030"), header, rows)
    rows = rows_of(
        "serial insurance_number name citizen_number bank_card_number result text",
        ("1", ZHANG, "张㐂三", ZHANG, CARD, "0000", "成功"),
    )
    row = f"{keys}<CARD_NO>{CARD}</CARD_NO><RET_CODE>0000</RET_CODE><ERR_MSG>成功</ERR_MSG>"
    text = f"{first}<RET_DETAILS>\n<RET_DETAIL>{row}</RET_DETAIL>\n</RET_DETAILS>\n{last}"
    source = "[D1] the list comes back with 卡号"
    yield "bank-opening-return-xml", Vector(source, text.encode("gb18030"), header, rows)


def rendered(vector: Vector) -> str:
    """A vector as the TOML file that lies beside its layout."""
    rows = "".join(f"    {_inline(row)},\n" for row in vector.rows)
    lines = "".join(f'    "{line.hex().upper()}",\n' for line in vector.data.splitlines(True))
    return (
        f"# {vector.source}\nheader = {_inline(vector.header)}\n"
        f"trailer = {_inline(vector.trailer)}\nrows = [\n{rows}]\nlines = [\n{lines}]\n"
    )


def _inline(values: Row) -> str:
    pairs = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return f"{{ {', '.join(pairs)} }}" if pairs else "{}"


if __name__ == "__main__":
    for name, vector in vectors():
        (Path(sys.argv[1]) / f"{name}.toml").write_text(rendered(vector), "utf-8")
