"""Which slices make a volume, from headers alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from osler.core.errors import BadGeometry
from osler.io.dicom import group as grouping
from osler.io.dicom.find import Instance
from osler.io.dicom.group import Grouped, group
from osler.io.dicom.multiframe import planes_of
from osler.io.dicom.plane import Plane, directions

UPRIGHT = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)


def plane(where: float, *, turned: tuple[float, ...] = UPRIGHT, drift: float = 0.0, **told: object) -> Plane:
    """One slice `where` mm along its normal, moved `drift` mm along its columns."""
    header = Dataset()
    normal = np.cross(turned[:3], turned[3:])
    position = normal * where + np.array(turned[3:]) * drift
    header.ImagePositionPatient, header.ImageOrientationPatient = [float(x) for x in position], list(turned)
    header.PixelSpacing, header.SamplesPerPixel, header.Modality = [0.8, 0.7], 1, "MR"
    for keyword, value in {"InstanceNumber": 1, **told}.items():
        setattr(header, keyword, value)
    (one,) = planes_of(Instance(Path(f"{where:g}.dcm"), header))
    return one


def stacked(grouped: Grouped) -> list[list[float]]:
    """Where the slices of each stack lie."""
    return [[round(float(one.position @ one.normal), 3) for one in stack.planes] for stack in grouped.stacks]


def why(grouped: Grouped) -> str:
    assert not grouped.stacks
    (failure,) = grouped.failures
    assert failure.remedy
    return failure.problem


def test_slices_are_sorted_along_their_normal_and_the_affine_follows():
    (stack,) = group([plane(z) for z in (7.5, 0, 2.5, 5)], "S").stacks
    np.testing.assert_allclose(stack.affine, [[0, 0, 0.7, 0], [0, 0.8, 0, 0], [2.5, 0, 0, 0], [0, 0, 0, 1]])
    assert stack.notes == ()


def test_rounding_of_the_orientation_is_one_orientation():
    turned = [directions((1, 1e-4 * n, 0, 0, 1, 0)) for n in range(4)]
    assert all(turned)
    planes = [plane(z, turned=(1, 3e-4 * (z % 2), 0, 0, 1, 0)) for z in range(4)]
    assert stacked(group(planes, "S")) == [[0, 1, 2, 3]]


def test_crooked_orientations_are_made_straight_or_are_none():
    row, column = directions((1, 0, 0, 0.004, 1, 0)) or (None, None)
    assert row is not None and column is not None
    assert abs(row @ column) < 1e-12 and np.linalg.norm(column) == pytest.approx(1)
    for bad in ((1, 0, 0, 0.1, 1, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 1, 0, 0), (float("nan"), 0, 0, 0, 1, 0), ()):
        assert directions(bad) is None


def test_two_orientations_are_two_volumes_or_scouts_or_refused():
    both = [plane(z) for z in range(3)] + [plane(z, turned=SAGITTAL) for z in range(4)]
    assert sorted(map(len, stacked(group(both, "S")))) == [3, 4]
    few = [plane(z) for z in range(4)] + [plane(0, turned=SAGITTAL)]
    assert "mixes orientations" in why(group(few, "S")) and "(4, 1 slices)" in why(group(few, "S"))
    assert len(group([plane(0), plane(0, turned=SAGITTAL)], "S").scouts) == 2


def test_pixel_sizes_are_not_mixed():
    wide = [plane(z, PixelSpacing=[1.6, 1.4]) for z in range(3)]
    assert len(group([plane(z) for z in range(3)] + wide, "S").stacks) == 2
    assert "mixes pixel sizes" in why(group([plane(z) for z in range(3)] + wide[:1], "S"))


def test_frames_of_reference_are_not_mixed():
    planes = [plane(z, FrameOfReferenceUID="1.2") for z in range(3)]
    assert len(group(planes + [plane(z, FrameOfReferenceUID="1.3") for z in range(3, 6)], "S").stacks) == 2


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("EchoTime", (10, 80)),
        ("EchoNumbers", (1, 2)),
        ("TemporalPositionIdentifier", (1, 2, 3)),
        ("TriggerTime", (0, 120.5)),
        ("AcquisitionNumber", (1, 2)),
        ("DiffusionBValue", (0.0, 1000.0)),
        ("ConvolutionKernel", ("B30f", "B70f")),
        ("KVP", (80, 140)),
        ("FrameReferenceTime", (1000, 2000)),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
        ("InversionTime", (100, 900)),
        ("FlipAngle", (5, 25)),
        ("AcquisitionTime", ("100000", "100030")),
    ],
)
def test_repeated_slices_are_told_apart(keyword, values):
    planes = [plane(z, **{keyword: value}) for value in reversed(values) for z in range(3)]
    grouped = group(planes, "S")
    assert stacked(grouped) == [[0, 1, 2]] * len(values)
    for stack in grouped.stacks:
        assert len({str(one.instance.header.get(keyword)) for one in stack.planes}) == 1
    first = [str(one.instance.header.get(keyword)) for one in (planes[-1], grouped.stacks[0].planes[0])]
    assert first[0] == first[1]  # in the order of what tells them apart


def test_two_things_at_once_are_told_apart():
    planes = [
        plane(z, EchoTime=e, TemporalPositionIdentifier=t) for e in (10, 80) for t in (1, 2) for z in range(3)
    ]
    assert stacked(group(planes, "S")) == [[0, 1, 2]] * 4


def test_what_is_another_kind_never_lies_between_the_slices_of_a_volume():
    planes = [plane(z, ConvolutionKernel="B30f") for z in (0, 2, 4)]
    planes += [plane(z, ConvolutionKernel="B70f") for z in (1, 3, 5)]
    assert stacked(group(planes, "S")) == [[0, 2, 4], [1, 3, 5]]
    # One odd header makes no volume of its own.
    planes = [plane(z, ConvolutionKernel="B70f" if z == 1 else "B30f") for z in range(4)]
    assert stacked(group(planes, "S")) == [[0, 1, 2, 3]]


def test_an_incomplete_repetition_is_a_shorter_volume():
    planes = [plane(z, EchoTime=10) for z in range(5)] + [plane(z, EchoTime=80) for z in range(3)]
    assert stacked(group(planes, "S")) == [[0, 1, 2, 3, 4], [0, 1, 2]]


def test_equal_repetitions_without_a_name_are_ordered_by_number(monkeypatch):
    monkeypatch.setattr(
        grouping, "_fingerprint", lambda one: (one.position[2], one.instance.header.InstanceNumber)
    )
    planes = [plane(z, InstanceNumber=10 * t + z) for z in range(3) for t in (1, 0)]
    grouped = group(planes, "S")
    numbers = [[one.instance.header.InstanceNumber for one in stack.planes] for stack in grouped.stacks]
    assert numbers == [[0, 1, 2], [10, 11, 12]]
    assert "told apart only by their order in time" in grouped.stacks[0].notes[0]


def test_copies_are_dropped_and_different_ones_refused(monkeypatch):
    monkeypatch.setattr(grouping, "_fingerprint", lambda one: "same")
    (stack,) = group([*(plane(z) for z in range(4)), plane(2, InstanceNumber=9)], "S").stacks
    assert len(stack.planes) == 4
    assert stack.notes == ("1 slice is a copy of others and left out.",)
    monkeypatch.setattr(grouping, "_fingerprint", lambda one: id(one))
    refused = why(group([*(plane(z) for z in range(4)), plane(2, InstanceNumber=9)], "S"))
    assert "1 slices too many" in refused and "2.0 mm" in refused


def test_pictures_of_one_place_are_a_film_in_order_of_time():
    planes = [plane(5, AcquisitionTime=f"10000{n}") for n in (2, 0, 1)]
    grouped = group(planes, "S")
    assert not grouped.stacks
    assert [one.instance.header.AcquisitionTime[-1] for one in grouped.films[0]] == ["0", "1", "2"]


def test_missing_slices_are_named():
    refused = why(group([plane(z * 2.5) for z in (0, 1, 2, 5, 6, 8)], "S"))
    assert "gap: about 3 of 9 slices are missing, at 7.5, 10.0, 17.5 mm" in refused


def test_uneven_steps_are_refused_and_changing_ones_split():
    assert "even steps" in why(group([plane(z) for z in (0, 2.5, 5.6, 7.5, 10)], "S"))
    grouped = group([plane(z) for z in (0, 1, 2, 3, 8, 13, 18)], "S")
    assert stacked(grouped) == [[0, 1, 2, 3], [8, 13, 18]]
    assert "changes its step on the way (1.00, 5.00 mm)" in grouped.stacks[1].notes[0]


def test_positions_rounded_to_a_tenth_are_even():
    assert stacked(group([plane(round(z * 1.25, 1)) for z in range(9)], "S"))


def test_two_slices_need_their_distance_in_the_header():
    assert "only 2 slices" in why(group([plane(0), plane(2)], "S"))
    assert "thickness of 1 mm" in why(group([plane(z, SliceThickness=1) for z in (0, 2)], "S"))
    assert stacked(group([plane(z, SliceThickness=2) for z in (0, 2)], "S")) == [[0, 2]]
    assert stacked(group([plane(z, SpacingBetweenSlices=-2.2) for z in (0, 2.2)], "S")) == [[0, 2.2]]


@given(st.floats(0.6, 40), st.floats(0.5, 10))
def test_a_tilted_gantry_is_an_exact_shear(degrees, step):
    drift = np.tan(np.radians(degrees)) * step
    (stack,) = group([plane(n * step, drift=n * drift) for n in range(5)], "S").stacks
    np.testing.assert_allclose(stack.affine[:3, 0], (0, drift, step), atol=1e-9)
    said = float(stack.notes[0].partition("each other by ")[2].split()[0])
    assert said == pytest.approx(degrees, abs=0.051)


def test_slices_off_their_line_are_refused():
    planes = [plane(n, drift=0.5 if n == 2 else 0) for n in range(5)]
    assert "a slice is 0.5 mm from where it should be" in why(group(planes, "S"))


@given(st.permutations(list(range(6))), st.floats(0.3, 10), st.floats(-500, 500))
def test_the_order_of_the_files_does_not_matter(order, step, start):
    (stack,) = group([plane(start + n * step) for n in order], "S").stacks
    assert stack.affine[2, 3] == pytest.approx(start)
    assert stack.affine[2, 0] == pytest.approx(step)


def test_one_failure_does_not_hide_the_rest():
    planes = [plane(z, FrameOfReferenceUID="1.2") for z in range(3)]
    planes += [plane(z, FrameOfReferenceUID="1.3") for z in (0, 1, 2, 5)]
    grouped = group(planes, "S")
    assert stacked(grouped) == [[0, 1, 2]]
    assert isinstance(grouped.failures[0], BadGeometry) and "gap" in grouped.failures[0].problem
