"""Colours over a picture."""

import numpy as np

from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.imaging.heat import best_slices, heat, heated, strengths


def test_what_is_not_marked_stays_as_it_is_and_what_is_grows_brighter():
    grey = np.full((4, 101, 3), 100, np.uint8)
    strength = np.broadcast_to(np.linspace(0, 1, 101, dtype=np.float32), (4, 101))
    shown = heat(grey, strength)
    assert (shown[:, :12] == 100).all() and (shown[:, -1] != 100).any()
    light = shown[0].astype(float) @ [0.299, 0.587, 0.114]
    assert light[-1] > 180 and (np.diff(light[40:]) > -1).all()


def test_strengths_count_what_speaks_for_the_answer():
    found = np.array([[-5.0, 0, 1], [2, 4, 0]])
    np.testing.assert_allclose(strengths(found), [[0, 0, 0.25], [0.5, 1, 0]], atol=2e-3)
    assert not strengths(np.zeros((3, 3))).any() and not strengths(-np.ones((3, 3))).any()


def test_slices_where_the_map_is():
    found = np.zeros((20, 4, 4))
    found[8:13] = 1
    found[2] = -9
    assert best_slices(found) == [9, 10, 11] and best_slices(np.zeros((20, 4, 4))) == [10]


def test_a_mark_lies_over_its_place_however_the_slices_lie():
    """The brightest voxel and the mark on it, turned upright together."""
    array = np.zeros((6, 30, 20), np.float32)
    array[3, 5, 14] = 1
    for flip in (1, -1):
        affine = np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]] @ np.diag([1, flip, -flip, 1])
        volume = Volume(array, Geometry(array.shape, affine))
        plain = heated(volume, np.zeros_like(array), low="", high="", slice_index=3)
        marked = heated(volume, array, low="", high="", slice_index=3)
        body = np.s_[:720]
        bright = np.array(
            np.unravel_index(plain[body][..., 0][:, 60:-60].argmax(), plain[body][:, 60:-60].shape[:2])
        )
        changed = np.argwhere((plain[body] != marked[body]).any(axis=2)[:, 60:-60])
        assert np.abs(changed.mean(axis=0) - bright).max() < 36  # a voxel is 24 pixels


def test_a_flat_picture_keeps_its_millimetres():
    shown = heated(Image(np.zeros((50, 50), np.uint8), (2.0, 1.0)), np.zeros((50, 50)), low="a", high="b")
    assert shown.shape == (720 + 34, 360, 3) and shown.dtype == np.uint8
