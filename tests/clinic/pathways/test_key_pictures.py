"""The pictures of a report."""

import numpy as np
import pytest

from osler.clinic.pathways.key_pictures import key_pictures
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.report import Drawing
from osler.core.volume import Volume
from osler.imaging.enlarge import LONG_SIDE
from osler.imaging.overlay import colour_of, lighter

NOISE = np.random.default_rng(2).uniform(0, 100, (20, 30, 24))


def volume(spacing=(1.0, 1.0, 1.0)) -> Volume:
    return Volume(NOISE, Geometry.from_spacing(NOISE.shape, spacing))


def test_millimetres_are_alike_in_both_directions():
    [first, *_] = key_pictures(volume((1, 1, 2)), None)
    rows, columns = first.pixels.shape[:2]
    assert columns == LONG_SIDE and rows / columns == pytest.approx(30 / 48, abs=0.01)


def test_a_volume_without_outlines_shows_three_slices():
    shown = key_pictures(volume(), None)
    assert [picture.title for picture in shown] == [f"Axial, slice {n} of 20" for n in (6, 11, 16)]


def test_each_label_is_shown_where_it_is_largest_with_its_legend():
    labels = np.zeros(NOISE.shape, np.uint8)
    labels[4, 5:20, 5:20] = 1
    labels[15, 5:10, 5:10] = 2
    mask = Mask(labels, {1: "LEFT", 2: "RIGHT", 3: "ABSENT"}, geometry=volume().geometry)
    plain, first, second = key_pictures(volume(), Drawing(0, mask))
    assert first.title == "Axial, slice 5 of 20: LEFT" and second.title == "Axial, slice 16 of 20: RIGHT"
    assert first.pixels.shape[0] == plain.pixels.shape[0] + 30
    coloured = first.pixels[: plain.pixels.shape[0]].astype(int)
    assert (np.ptp(coloured, axis=2) > 20).mean() == pytest.approx(15 * 15 / (30 * 24), abs=0.02)


def test_a_large_film_becomes_small_and_stays_grey():
    film = Image(np.random.default_rng(0).integers(0, 4000, (1500, 1200)).astype(np.uint16))
    [shown] = key_pictures(film, None)
    assert shown.pixels.shape == (720, 576, 3) and shown.pixels.dtype == np.uint8
    assert (shown.pixels[..., 0] == shown.pixels[..., 2]).all()


def promising(outer, inner) -> Drawing:
    """A square of 12 pixels that fades from 8 pixels to nothing at 16."""
    rows, columns = np.mgrid[0:30, 0:24]
    away = np.maximum(abs(rows - 15), abs(columns - 12))
    chance = np.clip(1 - (away - 4) / 4, 0, 1).astype(np.float16)
    volumes = np.zeros((1, *NOISE.shape), np.float16)
    volumes[0, 9] = chance
    labels = (volumes[0] > 0.5).astype(np.uint8)
    return Drawing(0, Mask(labels, {1: "Square"}, geometry=volume().geometry), volumes, outer, inner, 0.1)


def test_promised_masks_are_broken_lines_around_and_inside_the_outline():
    plain, bare = key_pictures(volume(), promising((), ()))
    _, drawn = key_pictures(volume(), promising((0.2,), (0.9,)))
    assert drawn.pixels.shape[0] == bare.pixels.shape[0] + 90  # in the legend, one of the two wrapped
    tint = np.array(lighter(colour_of(1)))
    rows = len(plain.pixels)
    pixel = rows / 30
    where = np.argwhere((drawn.pixels[:rows] == tint).all(2))
    away = np.maximum(abs(where[:, 0] / pixel - 15.5), abs(where[:, 1] / pixel - 12.5))
    outer, inner = away > 6.5, away < 5.5
    assert outer.sum() > 100 and inner.sum() > 30  # the outline itself lies at 6
    assert away[outer].min() > 7 and away[outer].max() < 8 and away[inner].min() > 4 and away[inner].max() < 5.2
    whole = 8 * 7.5 * pixel
    assert 0.3 * whole < outer.sum() < 0.9 * whole  # broken, not a full line
    assert not (bare.pixels[:rows] == tint).all(2).any()


def test_a_promise_of_everything_or_nothing_is_not_drawn():
    _, bare = key_pictures(volume(), promising((), ()))
    for outer, inner in (((None,), (None,)), ((0.0,), (1.5,))):
        _, drawn = key_pictures(volume(), promising(outer, inner))
        assert np.array_equal(drawn.pixels, bare.pixels)


def test_a_flat_picture_shows_its_promise_too():
    rows, columns = np.mgrid[0:40, 0:40]
    chance = np.clip(2 - np.hypot(rows - 20, columns - 20) / 8, 0, 1).astype(np.float16)
    mask = Mask((chance > 0.5).astype(np.uint8), {1: "Disc"})
    drawing = Drawing(0, mask, chance[None], (0.1,), (0.95,), 0.1)
    film = Image(np.full((40, 40), 90, np.uint8))
    _, shown = key_pictures(film, drawing)
    assert shown.pixels.shape[0] == LONG_SIDE + 90
