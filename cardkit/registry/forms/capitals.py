"""Amounts in words as papers about money carry them: 大写金额."""

from __future__ import annotations

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
LIMIT = 10**14
"""Fen: the amounts that can be written are below (a million million yuan)."""


def in_capitals(fen: int) -> str:
    """An amount in capital numerals, by the rules for bills and vouchers of the central bank.

    正确填写票据和结算凭证的基本规定: 零 between digits where zeros stand, one for a row of them;
    零 before 角 or 分 where the digit before is zero; 整 after 元 and 角, not after 分. Where the
    rule leaves a choice (零 between a group of four that ends in zero and the next) none is said.

    Parameters
    ----------
    fen : int
        0 or more, below 10**14.

    Raises
    ------
    ValueError
        Negative or too large: a paper says in words which way the money went.

    Examples
    --------
    >>> in_capitals(2800)
    '人民币贰拾捌元整'
    >>> in_capitals(1680_32), in_capitals(107000_53)
    ('人民币壹仟陆佰捌拾元零叁角贰分', '人民币壹拾万柒仟元零伍角叁分')
    >>> in_capitals(16409_02), in_capitals(0)
    ('人民币壹万陆仟肆佰零玖元零贰分', '人民币零元整')
    """
    if not 0 <= fen < LIMIT:
        raise ValueError("an amount in capitals is neither negative nor above 10^14 fen")
    yuan, rest = divmod(fen, 100)
    whole = _whole(yuan) + "元" if yuan or not rest else ""
    return "人民币" + whole + _rest(yuan, rest)


def _whole(yuan: int) -> str:
    """Groups of four digits from the left, with 零 where a group does not begin at its 仟."""
    words, gap = "", False
    for place in (2, 1, 0):
        group = yuan // 10_000**place % 10_000
        if not group:
            gap = bool(words)
            continue
        words += "零" * bool(words and (gap or group < 1000))
        words += _four(group) + _GROUPS[place]
        gap = False
    return words or "零"


def _four(group: int) -> str:
    """One to four digits: 1005 → 壹仟零伍."""
    words, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if not digit:
            gap = bool(words)
            continue
        words += "零" * gap + _DIGITS[digit] + _UNITS[place]
        gap = False
    return words


def _rest(yuan: int, rest: int) -> str:
    """角 and 分."""
    jiao, fen = divmod(rest, 10)
    if not rest:
        return "整"
    words = "零" if yuan and (not jiao or yuan % 10 == 0) else ""
    words += f"{_DIGITS[jiao]}角" if jiao else ""
    return words + (f"{_DIGITS[fen]}分" if fen else "整")


def in_yuan(fen: int) -> str:
    """The same amount in figures: yuan with two decimals and commas.

    Examples
    --------
    >>> in_yuan(107000_53), in_yuan(-2500), in_yuan(5)
    ('107,000.53', '-25.00', '0.05')
    """
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}{yuan:,}.{rest:02d}"
