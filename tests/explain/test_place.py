"""Maps come back where they belong: a spot planted at a known place lights up there, on every grid."""

import numpy as np
import pytest
from tests.explain.conftest import image_with, middle, volume_with

from osler.core.geometry import Geometry
from osler.core.progress import silent
from osler.explain.occlusion import occlusion
from osler.explain.place import on_native
from osler.explain.question import ask_why
from osler.explain.saliency import gradcam
from osler.models.prepare import prepare


@pytest.mark.parametrize("fit", ["stretch", "pad"])
@pytest.mark.parametrize("shape", [(64, 64), (150, 90), (70, 210)])
def test_a_dot_on_a_flat_picture_comes_back_to_its_pixel(sees_bright, fit, shape):
    model = sees_bright(fit=fit)
    at = (shape[0] * 0.3, shape[1] * 0.7)
    wide = (shape[0] / 40, shape[1] / 40)
    prepared = prepare([image_with(shape, at, wide)], model.recipe)
    question = ask_why(model, prepared, 1)
    back = on_native(prepared.array[0], question, prepared)  # the prepared picture itself as a map
    assert back.shape == shape and back.dtype == np.float32
    assert np.abs(middle(back) - at).max() < 0.5


@pytest.mark.parametrize(
    ("shape", "spacing"), [((24, 32, 32), (1, 1, 1)), ((12, 64, 40), (5, 0.8, 0.8)), ((40, 20, 50), (1, 2, 1.5))]
)
def test_a_dot_in_a_stretched_volume(sees_bright, shape, spacing):
    model = sees_bright(size=(24, 32, 32))
    geometry = Geometry.from_spacing(shape, spacing, (-30, 12, 100))
    place = np.array([0.4, 0.6, 0.3]) * shape
    prepared = prepare([volume_with(geometry, geometry.to_world(place), 5.0)], model.recipe)
    back = on_native(prepared.array[0], ask_why(model, prepared, 1), prepared)
    assert back.shape == shape and np.abs(middle(back) - place).max() < 0.5


def test_a_dot_in_a_sheared_volume(sees_bright):
    model = sees_bright(size=(24, 48, 48))
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 1.0], [0, 1.0, 0], [3.0, 0, 0]]
    affine[1, 0] = 1.2  # each slice lies 1.2 mm further back: a gantry tilted by 22 degrees
    geometry = Geometry((20, 48, 48), affine)
    place = np.array([12.0, 20, 30])
    prepared = prepare([volume_with(geometry, geometry.to_world(place), 5.0)], model.recipe)
    back = on_native(prepared.array[0], ask_why(model, prepared, 1), prepared)
    assert np.abs(middle(back) - place).max() < 0.7


def test_a_dot_in_a_window_of_another_spacing(outlines_bright):
    geometry = Geometry.from_spacing((50, 60, 44), (1.5, 1, 1), (5, 6, 7))
    place = np.array([33.0, 14, 30])
    prepared = prepare([volume_with(geometry, geometry.to_world(place), 4.0)], outlines_bright.recipe)
    question = ask_why(outlines_bright, prepared, 1)
    back = on_native(question.image[0].numpy(), question, prepared)
    assert np.abs(middle(back) - place).max() < 0.5
    assert not back[:10].any()  # outside the window nothing is said


@pytest.mark.parametrize("way", [gradcam, occlusion])
def test_from_the_net_to_the_native_grid(sees_bright, way):
    model = sees_bright(size=(64, 64), fit="pad")
    at = (50.0, 190.0)
    prepared = prepare([image_with((120, 240), at, (12, 12))], model.recipe)
    question = ask_why(model, prepared, 1)
    back = on_native(way(model.members, question, silent), question, prepared)
    assert np.abs(middle(back) - at).max() < 240 / 64  # one pixel of the net


def test_from_a_net_in_space_to_the_native_grid(outlines_bright):
    geometry = Geometry.from_spacing((40, 48, 48), (1, 1, 1))
    place = np.array([22.0, 26, 15])
    prepared = prepare([volume_with(geometry, geometry.to_world(place), 5.0)], outlines_bright.recipe)
    question = ask_why(outlines_bright, prepared, 1)
    back = on_native(occlusion(outlines_bright.members, question, silent), question, prepared)
    assert np.abs(middle(back) - place).max() < 8  # a patch is 4 voxels of 2 mm wide
