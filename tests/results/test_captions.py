"""Words drawn onto pictures."""

import pytest

from osler.imaging import lettering
from osler.imaging.lettering import east_asian_font
from osler.results.captions import drawn_name, drawn_sentence
from osler.results.sentences import language, phrase, say


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "EAST_ASIAN_FONTS", ("no-such-font.ttf",))
    east_asian_font.cache_clear()
    yield
    east_asian_font.cache_clear()


def test_they_are_english_where_the_machine_has_no_letters(bare: None) -> None:
    with language("zh"):
        assert drawn_name(phrase("Hippocampus, anterior")) == "Hippocampus, anterior"
        assert drawn_name(say("lesion.name_of", lesion="L2", of=phrase("Liver"))) == "Lesion L2 (Liver)"
        assert drawn_sentence("why.more", about=phrase("Pneumonia")) == "speaks most for Pneumonia"


def test_they_are_the_reports_where_it_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osler.results.captions.can_draw", lambda text: True)
    with language("zh"):
        assert drawn_name("肺炎") == "肺炎" and drawn_sentence("why.more", about="肺炎") == "最支持肺炎"
