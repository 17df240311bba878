"""Eight bits for a page, and the outline on top."""

import numpy as np
import pytest

from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.imaging.overlay import PALETTE, best_slice, colour_of, dashed, outline
from osler.imaging.window import to_display, upright

GRID = Geometry.from_spacing((3, 4, 5), (1, 1, 1))


def test_ct_is_shown_in_the_soft_tissue_window():
    array = np.full((3, 4, 5), 40, np.int16)
    array[1, 0, 0], array[1, 0, 1] = -160, 3000
    shown = to_display(Volume(array, GRID, unit="HU"))
    assert shown.shape == (4, 5, 3)
    assert shown.dtype == np.uint8
    assert (shown[0, 0, 0], shown[0, 1, 0], shown[2, 2, 0]) == (0, 255, 128)
    assert to_display(Volume(array, GRID, unit="HU"), slice_index=0, window=(0, 80)).max() == 255


def test_other_pictures_use_their_percentiles():
    ramp = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    shown = to_display(Image(ramp))
    assert (shown[0, 0, 0], shown[-1, -1, 0]) == (0, 255)
    assert 120 < shown[50, 0, 0] < 135
    assert (to_display(Image(np.full((4, 4), 7.0))) == 0).all()
    colour = np.random.default_rng(0).integers(0, 255, (4, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(to_display(Image(colour)), colour)


def test_upright_puts_the_right_on_the_left_and_the_front_on_top():
    """A bright right front corner, stored in four ways, is always shown at the top left."""
    for down, along in (
        ((0, 1, 0), (1, 0, 0)),
        ((0, -1, 0), (-1, 0, 0)),
        ((-1, 0, 0), (0, 1, 0)),
        ((1, 0, 0), (0, -1, 0)),
    ):
        affine = np.eye(4)
        affine[:3, 1], affine[:3, 2] = down, along
        affine[:3, 0] = np.cross(along, down)
        grid = Geometry((1, 4, 5), affine)
        world = grid.to_world(np.indices((1, 4, 5)).reshape(3, -1).T)
        pixels = -(world[:, 0] + world[:, 1]).reshape(4, 5)
        shown = upright(pixels, grid)
        assert shown[0, 0] == pixels.max()
        assert shown[-1, -1] == pixels.min()
    side = np.eye(4)
    side[:3, :3] = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])  # rows towards the head, columns to the back
    pixels = np.arange(12).reshape(3, 4)
    np.testing.assert_array_equal(upright(pixels, Geometry((1, 3, 4), side)), pixels[::-1])


def test_an_outline_is_drawn_in_full_colour_and_filled_lightly():
    labels = np.zeros((9, 9), np.uint8)
    labels[2:7, 2:7] = 1
    labels[0, 8] = 2
    shown = outline(np.full((9, 9, 3), 100, np.uint8), labels)
    assert tuple(shown[2, 2]) == colour_of(1)
    assert tuple(shown[0, 8]) == colour_of(2)
    assert tuple(shown[8, 0]) == (100, 100, 100)
    assert 0 < abs(int(shown[4, 4, 0]) - 100) < abs(PALETTE[0][0] - 100)
    assert tuple(outline(np.zeros((9, 9, 3), np.uint8), labels, {1: (1, 2, 3)})[2, 2]) == (1, 2, 3)
    with pytest.raises(BadGeometry):
        outline(np.zeros((8, 9, 3), np.uint8), labels)


def test_a_broken_line_follows_the_border_and_its_holes():
    inside = np.zeros((60, 60), bool)
    inside[10:50, 10:50] = True
    inside[20:30, 20:30] = False
    shown = dashed(np.full((60, 60, 3), 200, np.uint8), inside, (1, 2, 3), on=4, off=2)
    drawn = (shown == (1, 2, 3)).all(2)
    edges = np.zeros((60, 60), bool)
    edges[9:51, 9:51], edges[11:49, 11:49] = True, False
    edges[19:31, 19:31] |= ~inside[19:31, 19:31] | inside[19:31, 19:31]
    edges[21:29, 21:29] = False
    assert not (drawn & ~edges).any()
    assert drawn.sum() == pytest.approx((4 * 40 + 4 * 10) * 4 / 6, abs=12)
    assert drawn[20:30, 20:31].any() and (shown[~drawn] <= 200).all()
    full = dashed(shown, np.ones((60, 60), bool), (9, 9, 9), on=4, off=2)
    assert np.array_equal(full, shown)  # all of the picture has no border inside it
    with pytest.raises(BadGeometry):
        dashed(shown, inside[1:], (1, 2, 3), on=4, off=2)


def test_the_best_slice_shows_most():
    array = np.zeros((3, 4, 5), np.uint8)
    assert best_slice(Mask(array, {}, geometry=GRID)) == 1
    array = array.copy()
    array[2, :2], array[0, 0, 0] = 1, 1
    assert best_slice(Mask(array, {1: "a"}, geometry=GRID)) == 2
    assert best_slice(Mask(array[0], {1: "a"})) == 0
