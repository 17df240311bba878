"""The fonts of our PDF pages: each run of letters is set in a font that has them, so that no name becomes boxes.

DejaVu is inside the file. Letters that it has not got are set in the East Asian fonts for which PDF readers keep a
stand-in (CID fonts: ISO 32000-1, 9.7.5.2).
"""

import functools
import unicodedata
from pathlib import Path
from xml.sax.saxutils import escape

# East Asian scripts -> the font that every reader has a stand-in for, and the encoding that tells what it holds.
_CID_FONTS = (
    ("HeiseiKakuGo-W5", "shift_jis", ("HIRAGANA", "KATAKANA")),
    ("HYGothic-Medium", "euc_kr", ("HANGUL",)),
    ("STSong-Light", "gbk", ("CJK", "FULLWIDTH", "IDEOGRAPHIC")),
    ("MSung-Light", "big5", ("CJK",)),
)


def marked_up(text: str, *, bold: bool = False) -> str:
    """A text as reportlab's paragraph markup: escaped, each run of letters in a font that has them.

    Letters that no font has become the replacement character, never nothing.
    """
    runs: list[tuple[str, list[str]]] = []
    for letter in unicodedata.normalize("NFC", text):
        font, shown = font_for(letter, bold=bold)
        if not runs or runs[-1][0] != font:
            runs.append((font, []))
        runs[-1][1].append(shown)
    return "".join(f'<font name="{font}">{escape("".join(letters))}</font>' for font, letters in runs)


def font_for(letter: str, *, bold: bool = False) -> tuple[str, str]:
    """(font, the letter or what stands for it)"""
    plain = font_of(bold)
    if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Cs"):
        return plain, " " if letter.isspace() else ""
    if ord(letter) in _letters(plain):
        return plain, letter
    script = unicodedata.name(letter, "")
    for font, encoding, scripts in _CID_FONTS:
        if ord(letter) < 0x10000 and script.startswith(scripts) and _holds(encoding, letter):
            return font, letter
    return plain, "\ufffd"


def _holds(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def font_of(bold: bool) -> str:
    """The name of the font that `register_fonts` gives a page."""
    return "DejaVuSans-Bold" if bold else "DejaVuSans"


@functools.cache
def _letters(font: str) -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


@functools.cache
def register_fonts() -> None:
    """DejaVu, which matplotlib brings along: Latin, Greek, Cyrillic, and the signs of measurements."""
    from matplotlib import get_data_path
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.ttfonts import TTFont

    fonts = Path(get_data_path()) / "fonts" / "ttf"
    for name in (font_of(False), font_of(True)):
        pdfmetrics.registerFont(TTFont(name, fonts / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(font_of(False), normal=font_of(False), bold=font_of(True))
    for name, _, _ in _CID_FONTS:
        pdfmetrics.registerFont(UnicodeCIDFont(name))
