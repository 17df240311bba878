"""Facts that newer objects say in codes."""

import pydicom
import pytest

from osler.io.dicom.facts import facts_of


def _coded(**told: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    for keyword, value in told.items():
        setattr(item, keyword, value)
    return item


@pytest.mark.parametrize(
    ("code", "view"), [("399162004", "CC"), ("R-10226", "MLO"), ("272479007", "PA"), ("399348003", "AP")]
)
def test_the_view_of_a_mammogram_is_a_code(code, view):
    header = pydicom.Dataset()
    header.ViewCodeSequence = [_coded(CodeValue=code, CodeMeaning="x")]
    assert facts_of(header).view == view
    header.ViewPosition = "LLO"
    assert facts_of(header).view == "LLO"


def test_an_unknown_view_keeps_its_words():
    header = pydicom.Dataset()
    header.ViewCodeSequence = [_coded(CodeValue="1", CodeMeaning="oblique")]
    assert facts_of(header).view == "OBLIQUE"


def test_an_enhanced_object_says_its_anatomy_in_a_group():
    anatomy = _coded(FrameLaterality="L")
    anatomy.AnatomicRegionSequence = [_coded(CodeMeaning="Knee")]
    group = pydicom.Dataset()
    group.FrameAnatomySequence = [anatomy]
    header = pydicom.Dataset()
    header.SharedFunctionalGroupsSequence = [group]
    facts = facts_of(header)
    assert (facts.body_part, facts.laterality) == ("KNEE", "L")
    header.BodyPartExamined, header.Laterality = "EXTREMITY", "R"
    facts = facts_of(header)
    assert (facts.body_part, facts.laterality) == ("EXTREMITY", "R")
