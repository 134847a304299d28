"""What can be wrong with a file of XML, in words; never with what is in it."""

from __future__ import annotations

import re
from xml.parsers import expat
from xml.parsers.expat import errors

from cardkit.registry.exchange.errors import Fault
from cardkit.registry.exchange.xml_shape import DECLARED

Said = tuple[str, str, str]
"""Code, text and Chinese of a fault whose line is where the parser is."""

ATTRIBUTE = "attribute", "an element has attributes", "元素带有属性"
COMMENT = "comment", "has a comment, which nobody would read", "含有注释"
CONTROL = "control", "has a control character", "含有控制字符"
DEEP = "deep", "elements are too deep inside each other", "元素嵌套过深"
DOCTYPE = "doctype", "has a DOCTYPE, which is not accepted", "含有 DOCTYPE，不予接收"
FORBIDDEN = "control", "has a character that XML does not allow", "含有 XML 不允许的字符"
INSTRUCTION = "instruction", "has a processing instruction", "含有处理指令"
LARGE = "size", "the file is larger than 1 GiB", "文件超过 1 GiB"
LONG = "size", "has more than 1 MiB without an element", "超过 1 MiB 没有元素"
MANY = "size", "has more than 5,000,000 rows", "超过500万笔"
TEXT = "text", "has text between elements", "元素之间有文字"

_CUT = ("NO_ELEMENTS", "UNCLOSED_TOKEN", "PARTIAL_CHAR", "UNCLOSED_CDATA_SECTION")
_PLAIN_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")


def unknown(tag: str) -> Said:
    """An element that the layout does not have in this place."""
    shown = _shown(tag)
    return "element", f"unknown element{shown}", f"未知元素{shown}"


def twice(tag: str) -> Said:
    """An element that was there before."""
    shown = _shown(tag)
    return "twice", f"element{shown} is there twice", f"元素{shown} 重复出现"


def outside(tag: str, encoding: str) -> Said:
    """A reference to a character that the encoding does not have."""
    text = f"{tag} refers to a character that {encoding} does not have"
    return "encoding", text, f"{tag} 引用了 {encoding} 没有的字"


def undeclared(encoding: str) -> Said:
    """No XML declaration."""
    wanted = DECLARED[encoding]
    text = f"does not begin with an XML declaration that says {wanted}"
    return "encoding", text, f"开头没有声明 {wanted} 编码"


def declared(encoding: str, version: str, said: str) -> Said | None:
    """What is wrong with the XML declaration."""
    wanted = DECLARED[encoding]
    if version != "1.0":
        return "version", "is not XML 1.0", "不是 XML 1.0"
    if said.upper() != wanted:
        named = f"declares {said}, not {wanted}" if said in _known() else f"does not say {wanted}"
        return "encoding", named, f"声明的编码不是 {wanted}"
    return None


def malformed(error: expat.ExpatError) -> Fault:
    """What the parser says."""
    line, what = error.lineno, errors.messages[error.code]
    names = {name: getattr(errors, f"XML_ERROR_{name}") for name in _CUT}
    if what in names.values():
        text = "ends inside an element: the file may be cut off"
        return Fault(line, "cut", text, "元素没有结束，文件可能不完整")
    if what == errors.XML_ERROR_BAD_CHAR_REF:
        return Fault(line, *FORBIDDEN)
    if what == errors.XML_ERROR_UNDEFINED_ENTITY:
        return Fault(line, "entity", "uses an entity that XML does not have", "使用了未定义的实体")
    return Fault(line, "xml", f"is not well-formed XML: {what}", "不是格式正确的 XML")


def _shown(tag: str) -> str:
    """Its name, unless it may be something else than a name."""
    return f" {tag}" if _PLAIN_TAG.fullmatch(tag) else ""


def _known() -> set[str]:
    return {*DECLARED.values(), *(one.lower() for one in DECLARED.values()), "GB2312", "gb2312"}
