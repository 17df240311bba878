"""Window, outlines and words for the key slices, drawn where they lie."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from PIL import Image as Pillow

from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import Drawing
from osler.core.volume import Volume
from osler.imaging.window import to_display
from osler.io.dicom.write import write_series
from osler.io.open import open_study
from osler.results.dicom_object import origins_of
from osler.results.dicom_presentation import MOST_OUTLINES, MOST_POINTS, outlines, write_presentation_states


def filled(lines, shape):
    """The pixels inside an odd number of outlines, by counting the edges to the left of each pixel's middle."""
    inside = np.zeros(shape, bool)
    for line in lines:
        for (x, y), (to_x, to_y) in zip(line, np.roll(line, -1, axis=0), strict=True):
            if x == to_x:
                top, bottom = sorted((int(y), int(to_y)))
                inside[top:bottom, int(x) :] ^= True
    return inside


def drawn_in(dataset, shape, image=None):
    """What the polylines of a state cover on one image."""
    lines = []
    for item in dataset.GraphicAnnotationSequence:
        if image in (None, item.ReferencedImageSequence[0].ReferencedSOPInstanceUID):
            for shown in item.get("GraphicObjectSequence", []):
                points = np.reshape(shown.GraphicData, (-1, 2))
                assert len(points) == shown.NumberOfGraphicPoints and (points[0] == points[-1]).all()
                lines.append(points[:-1])
    return filled(lines, shape)


def test_dciodvfy_finds_no_error(reading, validate, tmp_path):
    for path in write_presentation_states(reading.report, reading.study, tmp_path):
        assert validate(path) == []


def test_filling_the_outlines_gives_the_mask_again(reading, tmp_path):
    paths = write_presentation_states(reading.report, reading.study, tmp_path)
    picture, mask = reading.study.pictures[0], reading.report.drawings[0].mask.array
    flat = isinstance(picture, Image)
    seen = 0
    for path in paths:
        dataset = pydicom.dcmread(path)
        for item in dataset.GraphicAnnotationSequence:
            there = item.ReferencedImageSequence[0]
            frame = there.get("ReferencedFrameNumber")
            origins = (picture.origin,) if flat else picture.origins
            (n,) = [
                n
                for n, o in enumerate(origins)
                if (o.instance_uid, o.frame) == (there.ReferencedSOPInstanceUID, frame)
            ]
            one = pydicom.Dataset()
            one.GraphicAnnotationSequence = [item]
            wanted = (mask if flat else mask[n]) > 0
            np.testing.assert_array_equal(drawn_in(one, wanted.shape), wanted)
            assert wanted.any()
            seen += 1
    assert seen == (1 if flat else 2)


@given(arrays(bool, some.tuples(some.integers(1, 7), some.integers(1, 7))))
def test_outlines_are_exact_for_any_mask(inside):
    lines = outlines(inside)
    np.testing.assert_array_equal(filled(lines, inside.shape), inside)
    for line in lines:
        assert len(line) >= 4 and (line >= 0).all() and (line <= np.array(inside.shape)[::-1]).all()


def ends(state, voi):
    """The stored numbers that the state shows black and white (PS3.3 C.11.2.1.2.1)."""
    centre, half = float(voi.WindowCenter) - 0.5, (float(voi.WindowWidth) - 1) / 2
    return [
        (x - float(state.RescaleIntercept)) / float(state.RescaleSlope) for x in (centre - half, centre + half)
    ]


def test_the_window_fits_the_stored_numbers(reading, tmp_path):
    picture = reading.study.pictures[0]
    origins = origins_of(picture)
    for path in write_presentation_states(reading.report, reading.study, tmp_path):
        state = pydicom.dcmread(path)
        for voi in state.SoftcopyVOILUTSequence:
            there = voi.ReferencedImageSequence[0]
            n = [(one.instance_uid, one.frame) for one in origins].index(
                (there.ReferencedSOPInstanceUID, there.get("ReferencedFrameNumber"))
            )
            image = pydicom.dcmread(origins[n].path)
            low, high = ends(state, voi)
            if reading.source in ("CT", "enhanced CT"):
                assert (voi.WindowCenter, voi.WindowWidth, state.RescaleType) == (40, 400, "HU")
            elif reading.source == "PT":
                per_stored = picture.array[n].max() / image.pixel_array.max()
                assert [low * per_stored, high * per_stored] == pytest.approx([0, 10], abs=1e-6)
            elif reading.source == "MR":
                assert [low, high] == pytest.approx(list(np.percentile(image.pixel_array, (1, 99))), rel=1e-6)
            else:  # what the file asks for
                shared = image.get("SharedFunctionalGroupsSequence", [image])[0]
                said = shared.get("FrameVOILUTSequence", [shared])[0]
                scale = shared.get("PixelValueTransformationSequence", [shared])[0]
                slope, intercept = float(scale.get("RescaleSlope", 1)), float(scale.get("RescaleIntercept", 0))
                middle, half = float(said.WindowCenter) - 0.5, (float(said.WindowWidth) - 1) / 2
                wanted = [(x - intercept) / slope for x in (middle - half, middle + half)]
                assert [low, high] == pytest.approx(wanted)


@pytest.mark.parametrize("source", ["CT", "PT", "CR"])
def test_dcmtk_shows_what_the_key_pictures_show(source, readings, tmp_path):
    if shutil.which("dcmp2pgm") is None:
        pytest.skip("dcmp2pgm is not installed (Debian: dcmtk)")
    reading = readings[source]
    picture = reading.study.pictures[0]
    origins = {one.instance_uid: one for one in origins_of(picture)}
    path = write_presentation_states(reading.report, reading.study, tmp_path)[0]
    uid = pydicom.dcmread(path).ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID
    subprocess.run(["dcmp2pgm", "-p", path, origins[uid].path, tmp_path / "shown.pgm"], check=True)
    shown = np.asarray(Pillow.open(tmp_path / "shown.pgm")).astype(int)
    window = (2048.0, 4096.0) if source == "CR" else None  # which the file asks for
    wanted = to_display(picture, slice_index=list(origins).index(uid), window=window)[..., 0]
    assert np.abs(shown - wanted).mean() < 1.0 and np.ptp(shown) > 100


@pytest.mark.parametrize("slope", ["0.00009", "0.5", "3", "12.5"])
def test_pet_is_shown_from_0_to_10_whatever_its_scale(slope, readings, tmp_path):
    """Activity of any scale, slices of their own slope: what the state makes of a stored number is its SUV."""
    reading = readings["PT"]
    for n, origin in enumerate(reading.study.pictures[0].origins):
        image = pydicom.dcmread(origin.path)
        image.Units, image.DecayCorrection = "GML", "START"  # SUV as it stands
        image.RescaleSlope, image.RescaleIntercept = str(float(slope) * (1 + n / 8)), "0"
        image.save_as(tmp_path / f"{n}.dcm")
    study = open_study(tmp_path)
    picture = study.pictures[0]
    assert picture.unit == "SUV"
    report = replace(reading.report, drawings=())
    paths = write_presentation_states(report, study, tmp_path / "out")
    assert len(paths) == (1 if float(slope) < 1 else 3)
    for path in paths:
        dataset = pydicom.dcmread(path)
        for voi in dataset.SoftcopyVOILUTSequence:
            uid = voi.ReferencedImageSequence[0].ReferencedSOPInstanceUID
            n = [one.instance_uid for one in picture.origins].index(uid)
            per_stored = picture.array[n].max() / pydicom.dcmread(picture.origins[n].path).pixel_array.max()
            assert [x * per_stored for x in ends(dataset, voi)] == pytest.approx([0, 10], abs=1e-6)


def test_the_whole_picture_is_shown_in_its_own_proportions(readings, tmp_path):
    (path,) = write_presentation_states(readings["CR"].report, readings["CR"].study, tmp_path)
    (area,) = pydicom.dcmread(path).DisplayedAreaSelectionSequence
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 1]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [24, 20]  # columns, rows
    assert [float(mm) for mm in area.PresentationPixelSpacing] == [0.2, 0.25]


def test_a_film_stored_the_other_way_round_is_shown_the_right_way(readings, tmp_path):
    reading = readings["CR"]
    origin = reading.study.pictures[0].origin
    film = pydicom.dcmread(origin.path)
    film.PhotometricInterpretation = "MONOCHROME1"
    film.save_as(tmp_path / "film.dcm")
    study = open_study(tmp_path / "film.dcm")
    shapes = [
        pydicom.dcmread(write_presentation_states(reading.report, one, tmp_path / "out")[0]).PresentationLUTShape
        for one in (reading.study, study)
    ]
    assert shapes == ["IDENTITY", "INVERSE"]


def test_without_an_outline_the_words_stand_on_the_picture(readings, tmp_path):
    reading = readings["CR"]
    (path,) = write_presentation_states(replace(reading.report, drawings=()), reading.study, tmp_path)
    (item,) = pydicom.dcmread(path).GraphicAnnotationSequence
    assert "GraphicObjectSequence" not in item
    assert "Pneumonia: probability 0.93." in item.TextObjectSequence[0].UnformattedTextValue


def test_a_border_with_too_many_corners_is_thinned_and_noise_left_out(readings, tmp_path):
    comb = np.zeros((2, 30, 4400), np.uint8)
    comb[1, 1] = comb[1, 1:4, ::2] = 1  # 2200 teeth, four corners each: more than an element holds
    comb[1, 6::2, ::40] = 1  # and 1320 specks
    big = Volume(comb.astype(np.int16), Geometry.from_spacing(comb.shape, (5, 1, 1)), "HU", Facts(modality="CT"))
    write_series(big, tmp_path / "big")
    study = open_study(tmp_path / "big")
    mask = (study.pictures[0].array > 0).astype(np.uint8)
    drawing = Drawing(0, Mask(mask, {1: "Comb"}, study.pictures[0].geometry))
    (path,) = write_presentation_states(
        replace(readings["CT"].report, drawings=(drawing,)), study, tmp_path / "out"
    )
    (item,) = pydicom.dcmread(path).GraphicAnnotationSequence
    counts = [one.NumberOfGraphicPoints for one in item.GraphicObjectSequence]
    assert MOST_POINTS // 2 < max(counts) <= MOST_POINTS and len(counts) == MOST_OUTLINES


def test_a_colour_picture_and_a_declined_reading_have_none(readings, tmp_path):
    reading = readings["CR"]
    with pytest.raises(CannotHold):
        write_presentation_states(reading.declined, reading.study, tmp_path)
    film = pydicom.dcmread(reading.study.pictures[0].origin.path)
    film.PhotometricInterpretation, film.SamplesPerPixel, film.PlanarConfiguration = "RGB", 3, 0
    film.BitsAllocated = film.BitsStored = 8
    film.HighBit, film.PixelRepresentation = 7, 0
    film.PixelData = bytes(range(240)) * 6
    film.save_as(tmp_path / "colour.dcm")
    study = open_study(tmp_path / "colour.dcm")
    with pytest.raises(CannotHold, match="colour"):
        write_presentation_states(replace(reading.report, drawings=()), study, tmp_path / "out")
