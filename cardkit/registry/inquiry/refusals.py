"""Why a question is not answered: code, HTTP status, and the line for people. Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Refusal(NamedTuple):
    """A reason, and what a person reads."""

    status: int
    title: str
    zh: str


REFUSALS: Mapping[str, Refusal] = {
    "unreadable": Refusal(400, "the request cannot be read", "请求无法读取"),
    "unknown-client": Refusal(401, "no client with this token or certificate", "客户端未登记"),
    "expired-client": Refusal(401, "the client's registration has run out", "客户端登记已过期"),
    "network": Refusal(403, "the client may not ask from this network", "不允许从该网络查询"),
    "right": Refusal(403, "the client has no right to ask this", "客户端无此查询权限"),
    "not-found": Refusal(404, "there is nothing at this address", "地址不存在"),
    "method": Refusal(405, "this address does not take this method", "方法不允许"),
    "too-large": Refusal(413, "the request is too large", "请求过大"),
    "malformed": Refusal(422, "the question is not of the declared form", "查询内容格式不符"),
    "too-many": Refusal(429, "too many questions: ask again later", "查询过于频繁，请稍后再试"),
    "unknown-region": Refusal(404, "no such region", "地区代码不存在"),
    "hop": Refusal(403, "a question that was passed on is not passed on again", "不再转发"),
    "internal": Refusal(500, "this is a bug; the server's log has its number", "内部错误"),
    "region-unreachable": Refusal(502, "the other region does not answer", "对方地区无应答"),
    "unavailable": Refusal(503, "the registry cannot be reached now", "登记库暂时不可用"),
}
"""By the code a program reads."""


def problem(code: str, detail: str = "") -> dict[str, object]:
    """Body of the answer (RFC 9457) that says why.

    Examples
    --------
    >>> problem("right")["status"]
    403
    """
    refusal = REFUSALS[code]
    body: dict[str, object] = {
        "type": f"urn:cardkit:inquiry:{code}",
        "title": refusal.title,
        "title_zh": refusal.zh,
        "status": refusal.status,
    }
    if detail:
        body["detail"] = detail
    return body
