"""What a header says, held against what a model reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.clinic.pathways.header import REGIONS, agreement, regions_of, same_modality, view_of
from osler.core.facts import Facts
from osler.models.card import Sees

CHEST = Sees("chest", 2, modalities=("CR", "DX"), body_parts=("CHEST",), views=("PA", "AP"))


@pytest.mark.parametrize(
    ("facts", "support"),
    [
        (Facts(modality="CR", body_part="CHEST", view="PA"), 2),
        (Facts(modality="DX", body_part="THORAX"), 2),
        (Facts(modality="RG", body_part="CHEST PA"), 2),
        (Facts(modality="DX", body_part="CHESTABDPELVIS"), 2),
        (Facts(modality="DX", description="thorax pa stehend"), 2),
        (Facts(modality="OT", body_part="CHEST"), 2),
        (Facts(modality="DX"), 1),
        (Facts(modality="DX", body_part="WHOLEBODY"), 1),
        (Facts(modality="DX", body_part="ZZTOP"), 1),
        (Facts(), 0),
    ],
)
def test_what_a_chest_model_may_read(facts, support):
    found = agreement(facts, CHEST)
    assert not found.against and found.support == support


@pytest.mark.parametrize(
    "facts",
    [
        Facts(modality="CT", body_part="CHEST"),
        Facts(modality="CR", body_part="EXTREMITY"),
        Facts(modality="CR", body_part="THORACIC SPINE"),
        Facts(modality="DX", body_part="CHEST", view="LATERAL"),
        Facts(modality="DX", body_part="CHEST", view="LL"),
        Facts(modality="DX", body_part="CHEST", description="chest lateral"),
        Facts(modality="DX", description="left knee"),
        Facts(modality="OP"),
    ],
)
def test_what_a_chest_model_may_not_read(facts):
    assert agreement(facts, CHEST).against


def test_a_study_called_pa_and_lateral_says_no_view():
    assert view_of(Facts(description="chest pa and lateral")) == ("", "")


def test_a_header_that_contradicts_itself_is_told():
    found = agreement(Facts(modality="DX", body_part="CHEST", description="ankle left"), CHEST)
    assert found.support == 2 and "FOOT" in found.odd


def test_the_finer_description_decides_within_a_coarse_body_part():
    knee = Sees("knee", 2, modalities=("DX",), body_parts=("KNEE",))
    coarse = Facts(modality="DX", body_part="EXTREMITY")
    assert agreement(coarse, knee).support == 1
    assert agreement(Facts(modality="DX", body_part="EXTREMITY", description="knee ap"), knee).support == 2


def test_a_part_in_no_table_is_matched_as_it_is_spelled():
    sees = Sees("placenta", 3, modalities=("MR",), body_parts=("PLACENTA",))
    assert agreement(Facts(modality="MR", body_part="PLACENTA"), sees).support == 2
    assert agreement(Facts(modality="MR", body_part="BRAIN"), sees).against


def test_what_the_header_leaves_out_is_listed():
    assert agreement(Facts(modality="CR"), CHEST).silent == ("body part", "view")


@given(some.text(), some.text(), some.text(), some.text())
def test_any_header_gets_an_answer(modality, part, view, description):
    found = agreement(Facts(modality=modality, body_part=part, view=view, description=description), CHEST)
    assert found.support in (0, 1, 2)


@given(some.sampled_from(sorted(REGIONS)))
def test_every_region_is_found_by_its_own_spellings(region):
    for spelling in REGIONS[region]:
        assert region in regions_of(Facts(body_part=spelling))[0]
        assert region in regions_of(Facts(description=spelling.lower()))[0]


@given(some.sampled_from(["CR", "DX", "MR", "CT", "OP"]), some.sampled_from(["CR", "DX", "MR", "CT", "OP"]))
def test_sharing_a_kind_of_picture_goes_both_ways(one, other):
    assert same_modality(one, other) == same_modality(other, one)
