"""The pictures of a report."""

import numpy as np
import pytest

from osler.clinic.pathways.key_pictures import LONG_SIDE, key_pictures
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.volume import Volume

NOISE = np.random.default_rng(2).uniform(0, 100, (20, 30, 24))


def volume(spacing=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(NOISE, Geometry.from_spacing(NOISE.shape, spacing))


def test_millimetres_are_alike_in_both_directions():
    [first, *_] = key_pictures(volume((1, 1, 2)), Prediction("binary", ("no", "yes")), str)
    rows, columns = first.pixels.shape[:2]
    assert columns == LONG_SIDE and rows / columns == pytest.approx(30 / 48, abs=0.01)


def test_a_volume_without_outlines_shows_three_slices():
    shown = key_pictures(volume(), Prediction("binary", ("no", "yes")), str)
    assert [picture.title for picture in shown] == [f"Axial, slice {n} of 20" for n in (6, 11, 16)]


def test_each_label_is_shown_where_it_is_largest_with_its_legend():
    labels = np.zeros(NOISE.shape, np.uint8)
    labels[4, 5:20, 5:20] = 1
    labels[15, 5:10, 5:10] = 2
    mask = Mask(labels, {1: "left", 2: "right", 3: "absent"}, geometry=volume().geometry)
    plain, first, second = key_pictures(volume(), Prediction("segmentation", ("a",), mask=mask), str.upper)
    assert first.title == "Axial, slice 5 of 20: LEFT" and second.title == "Axial, slice 16 of 20: RIGHT"
    assert first.pixels.shape[0] == plain.pixels.shape[0] + 30
    coloured = first.pixels[: plain.pixels.shape[0]].astype(int)
    assert (np.ptp(coloured, axis=2) > 20).mean() == pytest.approx(15 * 15 / (30 * 24), abs=0.02)


def test_a_large_film_becomes_small_and_stays_grey():
    film = Image(np.random.default_rng(0).integers(0, 4000, (1500, 1200)).astype(np.uint16))
    [shown] = key_pictures(film, Prediction("binary", ("no", "yes")), str)
    assert shown.pixels.shape == (720, 576, 3) and shown.pixels.dtype == np.uint8
    assert (shown.pixels[..., 0] == shown.pixels[..., 2]).all()
