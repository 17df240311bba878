"""What a person says is read as it stands, or refused with the remedy."""

import json

import pytest

from osler.core.errors import AskedWrongly, UnknownChoice, Unreadable
from osler.lab.report.said import read_said


def told(tmp_path, value):
    path = tmp_path / "facts.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return read_said(path)


def test_flat_and_nested_names_mean_the_same(tmp_path):
    flat = told(tmp_path, {"study.ethics": "Nr 7", "study.funding": ["One.", " Two. "]})
    assert flat == told(tmp_path, {"study": {"ethics": "Nr 7", "funding": ["One.", "Two."]}})
    assert flat == {"study.ethics": "Nr 7", "study.funding": "One.\nTwo."}


def test_what_is_empty_is_not_said(tmp_path):
    assert told(tmp_path, {"study.ethics": "  ", "study.funding": []}) == {}


def test_an_unknown_name_proposes_the_near_one(tmp_path):
    with pytest.raises(UnknownChoice, match=r"Did you mean 'study\.ethics'"):
        told(tmp_path, {"study.ethic": "x"})


@pytest.mark.parametrize("value", ["[1]", '{"study.ethics": 3}', '{"study.ethics": ["a", 2]}'])
def test_what_is_no_text_is_refused(tmp_path, value):
    with pytest.raises(AskedWrongly):
        told(tmp_path, value)


def test_a_whole_article_is_refused(tmp_path):
    with pytest.raises(AskedWrongly, match="letters"):
        told(tmp_path, {"study.ethics": "a" * 7000})


def test_no_json_is_unreadable(tmp_path):
    with pytest.raises(Unreadable):
        told(tmp_path, "{not json")
