"""Parts of names. The people are invented; a likeness to someone's name is chance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏"
    "吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙黎史陶贺毛郝顾龚邵万覃武"
)
_COMPOUND = ("欧阳", "上官", "司马", "诸葛", "慕容", "皇甫", "尉迟", "东方")
SURNAMES: tuple[str, ...] = (*_SURNAMES, *_COMPOUND)
_WEIGHTS: tuple[int, ...] = tuple(
    accumulate([1000 // (rank + 8) for rank in range(len(_SURNAMES))] + [1] * len(_COMPOUND))
)
"""The most frequent surnames come first; frequencies fall off with the rank."""

_MEN = "伟强磊军勇涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢建国志文海洋成东春生永福德昌荣"
_WOMEN = "芳娜敏静丽艳娟霞秀燕玲桂英梅红云兰凤洁琴素莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉淑婷"

RARE = "䶮喆堃犇淼燚垚煊翀玥珺頔祎彧翯嬿赟昇甪旻昉晞"
"""Characters many systems cannot write; each has two bytes in GB18030."""

_UYGHUR_MEN = ("买买提", "艾力", "吐尔逊", "阿卜杜拉", "玉素甫", "热合曼", "库尔班", "依明")
_UYGHUR_WOMEN = ("阿依古丽", "帕提古丽", "热依汗", "古丽娜尔", "茹仙古丽", "阿米娜", "祖丽胡玛尔")
_UYGHUR_LONG = ("阿卜杜热合曼江", "阿卜杜克热木", "吐尔逊买买提艾力", "努尔买买提江")
_KAZAKH_MEN = ("叶尔兰", "哈力克", "巴合提", "赛力克", "木拉提", "努尔兰", "达列力汗")
_KAZAKH_WOMEN = ("古丽努尔", "阿依努尔", "加娜尔", "沙吾列", "巴哈尔古丽")
_TIBETAN = ("扎西", "多杰", "才让", "卓玛", "央金", "仁青", "索南", "桑杰", "达瓦", "尼玛", "贡布")
_TIBETAN_MEN = ("顿珠", "加措", "平措", "旺堆", "才旦", "东智")
_TIBETAN_WOMEN = ("措", "拉姆", "卓嘎", "曲珍", "白玛", "草")
_MONGOL_MEN = ("巴图", "巴特尔", "苏和", "孟和", "朝鲁", "额尔德尼", "宝音", "呼和")
_MONGOL_WOMEN = ("其其格", "萨仁", "乌兰", "高娃", "娜仁", "托娅", "斯琴", "萨日娜")
_HUI = "马马马马韩冶丁白沙哈穆"

NATIONS = (("01", 860), ("04", 40), ("03", 40), ("05", 25), ("10", 3), ("02", 15), ("17", 6),
           ("15", 4), ("11", 4), ("30", 2), ("35", 1))  # fmt: skip
"""Nations of the sample by code, and how many of a thousand people they have."""

LONGEST = "阿卜杜热合曼江·吐尔逊买买提艾力·努尔买买提江"
"""A name of 46 bytes, which needs the name extension."""


def name(rng: random.Random, nation: str, sex: str) -> str:
    """A name as people of the nation bear them.

    Parameters
    ----------
    rng : random.Random
        Where chance comes from.
    nation : str
        Code of GB 3304.
    sex : str
        ``'1'`` or ``'2'``.
    """
    man = sex == "1"
    if nation == "05":
        return _uyghur(rng, _UYGHUR_MEN if man else _UYGHUR_WOMEN)
    if nation == "17":
        first = rng.choice(_KAZAKH_MEN if man else _KAZAKH_WOMEN)
        return f"{first}·{rng.choice(_KAZAKH_MEN)}"
    if nation in {"04", "30"}:
        return rng.choice(_TIBETAN) + rng.choice(_TIBETAN_MEN if man else _TIBETAN_WOMEN)
    if nation == "02":
        return rng.choice(_MONGOL_MEN if man else _MONGOL_WOMEN)
    surname = rng.choice(_HUI) if nation in {"03", "35"} else _surname(rng)
    return surname + _given(rng, _MEN if man else _WOMEN)


def _surname(rng: random.Random) -> str:
    (surname,) = rng.choices(SURNAMES, cum_weights=_WEIGHTS)
    return surname


def _given(rng: random.Random, characters: str) -> str:
    chance = rng.random()
    first = rng.choice(RARE if chance < 0.004 else characters)
    return first if chance > 0.8 else first + rng.choice(characters)


def _uyghur(rng: random.Random, firsts: Sequence[str]) -> str:
    first = rng.choice(firsts)
    if rng.random() < 0.9:
        return f"{first}·{rng.choice(_UYGHUR_MEN)}"
    return f"{first}·{rng.choice(_UYGHUR_LONG)}·{rng.choice(_UYGHUR_LONG)}"
