"""One table of sentences, in every language."""

import re
import string
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import osler
from osler.core.errors import UnknownChoice
from osler.core.image import Image
from osler.core.report import NOT_A_DEVICE
from osler.quality import exposure, geometry
from osler.quality.check import CHECKS
from osler.results.sentences import LANGUAGES, SENTENCES, current, english, joined, language, listed, phrase, say
from osler.results.sentences_chinese import CHINESE

HOUSE = Path(osler.__file__).parent
TABLES = [HOUSE / "results" / name for name in ("sentences.py", "sentences_chinese.py", "phrases_chinese.py")]
SOURCES = [*HOUSE.rglob("*.py"), *HOUSE.rglob("templates/*.html")]
HAN = re.compile(r"[\u4e00-\u9fff]")
# Names, and what is set by its blanks and signs alone, are the same in every language.
NO_CHINESE = {"why.way.gradcam", "risk.auc"}


def test_every_sentence_that_is_asked_for_is_in_the_table_and_every_one_there_is_asked_for():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path not in TABLES)
    asked = set(re.findall(r"""(?:say|drawn_sentence)\(\s*["']([a-z_.A-Z0-9]+)["']""", text))
    asked |= {"join.sentences", "join.names"}  # by the table itself
    begun = {key for key in asked if key.endswith(".")}  # the templates add the rest: say("why.way." ~ reason.way)
    assert all(any(key.startswith(one) for key in SENTENCES) for one in begun)
    assert asked - begun - set(SENTENCES) == set()
    # A key made up on the way stands for all that begin alike: say(f"plane.{name}"), say("measure." + name).
    begun |= set(re.findall(r"""["']([a-z_.]+[._])(?:\{|["'])""", text))
    unused = [key for key in SENTENCES if key not in asked and not key.startswith(tuple(begun))]
    assert [key for key in unused if f'"{key}"' not in text] == []


def test_a_blank_that_is_not_filled_is_an_error():
    with pytest.raises(KeyError):
        say("statement.regression", name="Age")


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != "en"])
def test_a_language_has_every_sentence_and_no_other(name):
    spoken = LANGUAGES[name].sentences
    assert sorted(set(SENTENCES) - set(spoken)) == []
    assert sorted(set(spoken) - set(SENTENCES)) == []


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != "en"])
def test_a_sentence_has_the_same_blanks_in_every_language(name):
    spoken = LANGUAGES[name]
    other = [key for key, said in spoken.sentences.items() if blanks(said) != blanks(SENTENCES[key])]
    other += [key for key, said in spoken.phrases.items() if blanks(said) != blanks(key)]
    assert other == []


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != "en"])
def test_every_number_of_a_sentence_is_there_in_every_language(name):
    """The limits of guidelines above all."""
    spoken = LANGUAGES[name]
    pairs = [(SENTENCES[key], said) for key, said in spoken.sentences.items() if key in SENTENCES]
    assert [one for one, other in (*pairs, *spoken.phrases.items()) if numbers(one) - numbers(other)] == []


def test_no_chinese_sentence_is_left_in_english_or_set_with_western_signs():
    for key, said in CHINESE.items():
        words = re.sub(r"\{\w*\}", "", said)
        english = re.findall(r"[A-Za-z]{3,}", re.sub(r"\{\w*\}", "", SENTENCES[key]))
        if english and key not in NO_CHINESE:
            assert HAN.search(words) or set(words) & set("≥≤<>～"), f"{key} is English still: {said}"
            assert said != SENTENCES[key]
        assert not re.search(r"[\u4e00-\u9fff}][,;:!?](?!\d)", said), f"{key}: full-width punctuation"
        assert not re.search(r"[\u4e00-\u9fff] [\u4e00-\u9fff]", said), f"{key}: a space between Chinese letters"
        assert said.count("（") == said.count("）"), f"{key}: brackets"
    for key, said in LANGUAGES["zh"].phrases.items():
        assert not re.search(r"[\u4e00-\u9fff}][,;:!?](?!\d)", said), f"{key}: full-width punctuation"


def test_the_language_is_that_of_the_innermost_block_and_of_its_thread_only():
    heard = []
    with language("zh"):
        with language("en"):
            assert (current(), say("page.side")) == ("en", "Side")
        other = threading.Thread(target=lambda: heard.append(current()))
        other.start()
        other.join()
        assert (current(), say("page.side")) == ("zh", "侧别")
    assert (current(), heard) == ("en", ["en"])


def test_after_an_error_the_language_is_as_it_was():
    with pytest.raises(ValueError, match="on the way"), language("zh"):
        raise ValueError("on the way")
    assert current() == "en"


def test_an_unknown_language_is_refused_and_the_known_are_named():
    with pytest.raises(UnknownChoice, match="Known: en, zh"), language("xx"):
        pass


def test_the_notice_is_that_of_the_house():
    assert say("page.notice") == NOT_A_DEVICE


def test_every_quality_check_speaks_chinese():
    grey = np.arange(40 * 300, dtype=np.float32).reshape(40, 300) % 251
    problems = [
        geometry.tiny(Image(grey[:12])),
        geometry.small(Image(grey[:, :50])),
        geometry.strip(Image(grey)),
        geometry.spacing_missing(Image(grey)),
        geometry.spacing_odd(Image(grey, spacing_mm=(0.001, 0.001))),
        exposure.not_numbers(Image(grey * np.nan)),
        exposure.blank(Image(grey * 0)),
        exposure.looks_like_a_mask(Image(grey > 3)),
        exposure.burnt_out(Image(np.minimum(grey, 20))),
        exposure.clipped(Image(np.minimum(grey, 200))),
    ]
    with language("zh"):
        for problem in problems:
            assert problem is not None
            for said in (problem.what, problem.remedy):
                assert HAN.search(phrase(said)), said
    assert {one.check for one in problems if one} == set(CHECKS) - {"few_slices", "thick_slices"}


def test_sentences_and_names_are_set_side_by_side_as_the_language_does():
    assert joined("One.", "", "Two.") == "One. Two." and listed(["a", "b"]) == "a, b"
    with language("zh"):
        assert joined("一。", "二。") == "一。二。" and listed(["甲", "乙"]) == "甲、乙"


def test_a_name_held_in_a_phrase_is_translated_too_and_what_nobody_translated_stays():
    with language("zh"):
        assert "测试集" in phrase("Calibrated on 9 cases of 8 patients of mine (test).")
        assert phrase("A sentence of somebody's own card.") == "A sentence of somebody's own card."


def test_english_undoes_a_name():
    with language("zh"):
        assert english("肺炎") == "Pneumonia" and english("不知所云") == "不知所云"
        assert english(say("lesion.name_of", lesion="L1", of="肝")) == "Lesion L1 (Liver)"
        threshold = say("measure.threshold.fixed", suv="2.5")
        assert english(say("measure.metabolic_volume", threshold=threshold)).endswith("SUV 2.5 or more")
        changed = say("measure.change_days", name=say("burden.volume"), days=70)
        assert english(changed) == SENTENCES["measure.change_days"].format(
            name=SENTENCES["burden.volume"], days=70
        )
    assert english("Pneumonia") == "Pneumonia"


def numbers(sentence: str) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:\.\d+)?", re.sub(r"\{\w*\}", "", sentence).replace("by 180", "")))


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
