"""The 56 nations 民族 of GB 3304, as the card writes them: two digits, 01 to 56."""

from __future__ import annotations

_NAMES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 "
    "拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 "
    "怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)

NATIONS: dict[str, str] = {f"{n:02}": name for n, name in enumerate(_NAMES.split(), start=1)}
"""Code to name, without 族."""

_CODES = {name: code for code, name in NATIONS.items()} | {"毛难": "36"}  # 毛难: until 1986


def nation_code(text: str) -> str:
    """Two digits of a nation written as code or as name, with or without 族.

    Raises
    ------
    ValueError
        No nation of the list.

    Examples
    --------
    >>> nation_code("汉族"), nation_code("维吾尔"), nation_code("1")
    ('01', '05', '01')
    """
    code = text.zfill(2)
    if code in NATIONS:
        return code
    found = _CODES.get(text) or _CODES.get(text.removesuffix("族"))
    if found is None:
        raise ValueError("no nation of GB 3304")
    return found
