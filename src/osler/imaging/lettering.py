"""Letters on pictures: in which font a text can be drawn, and where its lines break.

Pillow's own font has the letters of Western languages. Chinese, Japanese and Korean take a font of the machine;
nothing is brought along and nothing downloaded, so a machine without one cannot draw them.
"""

import functools
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

# Files of fonts that have them, as Linux, Windows and macOS call these; Pillow looks where each keeps its fonts.
EAST_ASIAN_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
    "PingFang.ttc",
    "STHeiti Light.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
)


def can_draw(text: str) -> bool:
    """Has this machine a font for every letter of a text?"""
    return not _is_east_asian(text) or east_asian_font() != ""


def font_for(text: str, size: float) -> "FreeTypeFont | ImageFont":
    """The font to draw a text in, `size` pixels high."""
    from PIL import ImageFont

    if _is_east_asian(text) and (file := east_asian_font()):
        return ImageFont.truetype(file, size)
    return ImageFont.load_default(size=size)


@functools.cache
def east_asian_font() -> str:
    """The first of EAST_ASIAN_FONTS that this machine has; "" where it has none."""
    from PIL import ImageFont

    for file in EAST_ASIAN_FONTS:
        try:
            ImageFont.truetype(file, 12)
        except OSError:  # what Pillow raises for a font that it cannot find or read
            continue
        return file
    return ""


def lines_of(text: str, width: float, long: Callable[[str], float]) -> list[str]:
    """A text in lines of at most that length, cut between words, and beside any East Asian letter.

    long  how long a piece of the text is

    >>> lines_of("one two three", 8, len), lines_of("肺炎，概率 0.97", 4, len)
    (['one two', 'three'], ['肺炎，概', '率', '0.97'])
    """
    lines = [""]
    for piece in _pieces(text):
        longer = lines[-1] + piece
        if lines[-1].strip() and long(longer.strip()) > width and not _ends_a_line(piece):
            lines.append(piece.lstrip())
        else:
            lines[-1] = longer
    return [line.strip() for line in lines]


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for letter in text:
        alone = _is_wide(letter) or letter.isspace()
        if alone or not pieces or _is_wide(pieces[-1][-1]):
            pieces.append(letter)
        else:
            pieces[-1] += letter
    return pieces


def _ends_a_line(piece: str) -> bool:
    """A comma or a full stop does not begin a line: it hangs on to the one before."""
    return piece in "，。；：、）！？”"


def _is_east_asian(text: str) -> bool:
    return any(_is_wide(letter) for letter in text)


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("W", "F")
