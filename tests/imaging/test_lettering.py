"""Letters on pictures, with and without a font for them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.imaging import lettering
from osler.imaging.lettering import can_draw, east_asian_font, font_for, lines_of


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has none of the fonts."""
    monkeypatch.setattr(lettering, "EAST_ASIAN_FONTS", ("no-such-font.ttf",))
    east_asian_font.cache_clear()
    yield
    east_asian_font.cache_clear()


@pytest.fixture
def furnished(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with one, which matplotlib's own font stands for."""
    from matplotlib import get_data_path

    file = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    monkeypatch.setattr(lettering, "EAST_ASIAN_FONTS", ("no-such-font.ttf", str(file)))
    east_asian_font.cache_clear()
    yield file
    east_asian_font.cache_clear()


def test_without_a_font_only_western_letters_can_be_drawn(bare: None) -> None:
    assert can_draw("Pneumonia, 3.2 mm²") and not can_draw("肺炎")
    assert font_for("肺炎", 20).getlength("abc") == font_for("abc", 20).getlength("abc")


def test_a_font_of_the_machine_is_used_for_its_letters_only(furnished: Path) -> None:
    assert can_draw("肺炎") and font_for("肺炎", 20).path == str(furnished)
    assert font_for("Pneumonia", 20).getlength("Pneumonia") != font_for("肺炎", 20).getlength("Pneumonia")


@given(some.text(alphabet="ab 肺炎，。x", max_size=40), some.integers(2, 12))
def test_no_letter_is_lost_and_lines_are_no_longer_than_they_must(text: str, width: int) -> None:
    lines = lines_of(text, width, len)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        # A word that is longer by itself stays whole, and a comma hangs on to the line before it.
        assert len(line.rstrip("，。 ")) <= width or all(len(part) == len(line) for part in line.split(" "))


def test_a_full_stop_does_not_begin_a_line() -> None:
    assert lines_of("肺炎。", 2, len) == ["肺炎。"]
