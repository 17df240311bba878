"""Patients from file names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.lab.catalog.patients import patients_of


@pytest.mark.parametrize(
    ("stems", "patients"),
    [
        (["person1_bacteria_1", "person1_virus_2", "person2_x", "person3_y"], 3),
        (["9002411L", "9002411R", "9003126L", "9004000R"], 3),
        (["10_left", "10_right", "11_left", "13_right"], 3),
        (["00000001_000", "00000001_001", "00000002_000", "00000003_000"], 3),
        (["sub-01_T1w", "sub-01_T2w", "sub-02_T1w", "sub-03_T1w"], 3),
        (["p7_slice_1", "p7_slice_2", "p8_slice_1", "p9_slice_1"], 3),
        (["hippocampus_001", "hippocampus_002", "hippocampus_003"], 3),
        (["lungaca1", "lungaca2", "lungaca3"], 3),
    ],
)
def test_known_schemes(stems, patients):
    found, notes = patients_of(stems)
    assert len(set(found)) == patients
    assert notes


def test_schemes_in_one_set_do_not_mix():
    stems = ["person1_bacteria_1", "person1_bacteria_2", "person2_virus_1", "person3_virus_3"]
    stems += ["IM-0115-0001", "IM-0115-0001-0002", "NORMAL2-IM-0115-0001", "IM-0117-0001", "other"]
    found, notes = patients_of(stems)
    assert found[:4] == ["person1", "person1", "person2", "person3"]
    assert found[4:] == ["IM-0115", "IM-0115", "NORMAL2-IM-0115", "IM-0117", "other"]
    assert len(notes) == 3


@given(st.lists(st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True), unique=True, max_size=30))
def test_every_file_gets_a_patient(stems):
    found, _ = patients_of(stems)
    assert len(found) == len(stems)
    assert all(found)
