"""Why a photo is not taken: reasons as data, in Chinese for the window and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Language = Literal["zh", "en"]


class Words(NamedTuple):
    """A reason in two languages, with places for values."""

    zh: str
    en: str


REASONS: Mapping[str, Words] = {
    "empty": Words("文件是空的", "the file is empty"),
    "format": Words("不是JPEG格式{found}：请另存为JPEG", "not a JPEG file{found}: save it as JPEG"),
    "truncated": Words(
        "文件不完整（被截断）：请重新传送", "the file is cut off: transfer it again"
    ),
    "damaged": Words("文件已损坏，不能解码", "the file is damaged and cannot be decoded"),
    "huge": Words(
        "{width}×{height}像素，超过可接受的大小",
        "{width} x {height} pixels: beyond what is decoded",
    ),
    "progressive": Words(
        "是渐进式JPEG：请另存为基线（标准）JPEG", "a progressive JPEG: save it as baseline"
    ),
    "coding": Words("JPEG编码方式不受支持", "a JPEG of a coding that readers do not know"),
    "colour": Words("不是彩色照片（24位RGB）", "not a colour photo (24 bit RGB)"),
    "file_small": Words(
        "文件只有{bytes}字节，至少{least}字节：压缩过度",
        "only {bytes} bytes, {least} wanted: compressed too much",
    ),
    "file_large": Words("文件有{bytes}字节，最多{most}字节", "{bytes} bytes, {most} allowed"),
    "aspect": Words(
        "宽高比不对（{width}×{height}），应为{want_width}×{want_height}",
        "wrong shape ({width} x {height}), it must be {want_width} x {want_height}",
    ),
    "pixels": Words(
        "像素不足（{width}×{height}），应为{want_width}×{want_height}",
        "too few pixels ({width} x {height}), {want_width} x {want_height} wanted",
    ),
    "resolution": Words("分辨率为{dpi}dpi，应为{want}dpi", "{dpi} dpi, it must be {want}"),
    "nobody": Words("照片上没有人像", "nobody is on the photo"),
    "dark": Words(
        "面部过暗（亮度{value}，至少{limit}）", "the face is too dark ({value} < {limit})"
    ),
    "bright": Words(
        "面部过亮、曝光过度（亮度{value}，最多{limit}）",
        "the face is too bright ({value} > {limit})",
    ),
    "contrast": Words(
        "层次不足、发灰（对比度{value}，至少{limit}）", "too little contrast ({value} < {limit})"
    ),
    "uneven_light": Words(
        "面部光线不均、有阴影（左右相差{value}，最多{limit}）",
        "the light on the face is uneven ({value} > {limit})",
    ),
    "blurred": Words("人像模糊（清晰度{value}，至少{limit}）", "not sharp ({value} < {limit})"),
    "background": Words(
        "背景不是白色（亮度{value}，至少{limit}）",
        "the background is not white ({value} < {limit})",
    ),
    "background_uneven": Words(
        "背景不均匀（有杂物或阴影，起伏{value}，最多{limit}）",
        "the background is not uniform ({value} > {limit})",
    ),
    "head_low": Words(
        "头顶距上边{value}像素，最多{limit}像素：头部过小或过低",
        "the hair is {value} pixels below the edge, {limit} allowed: the head is small or low",
    ),
    "off_centre": Words(
        "人像未居中（偏{value}像素，最多{limit}像素）",
        "the person is {value} pixels out of the middle, {limit} allowed",
    ),
    "chip": Words(
        "不能压缩到芯片的{limit}字节以内",
        "cannot be made as small as the {limit} bytes of the chip",
    ),
}
"""Every sort of photo that is not taken, by its code."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a photo.

    Parameters
    ----------
    code : str
        Key of `REASONS`.
    values : mapping
        What the reason's text is filled with; never personal.
    """

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def text(self, lang: Language = "zh") -> str:
        """The reason.

        Examples
        --------
        >>> Finding("resolution", {"dpi": 72, "want": 350}).text()
        '分辨率为72dpi，应为350dpi'
        """
        words = REASONS[self.code]
        return (words.zh if lang == "zh" else words.en).format(**self.values)

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"code": self.code, "zh": self.text("zh"), "en": self.text("en"), **self.values}
