import numpy as np
import pytest

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.lab.evaluate.degrade import DEGRADATIONS, degradations_for, turned_mask

GRID = Geometry.from_spacing((8, 20, 16), (3, 1, 1))
RANDOM = np.random.default_rng(0)
PICTURES = {
    "grey": Image(RANDOM.integers(0, 256, (24, 30)).astype(np.uint8)),
    "colour": Image(RANDOM.integers(0, 256, (24, 30, 3)).astype(np.uint8)),
    "16 bit": Image(RANDOM.integers(0, 4000, (24, 30)).astype(np.uint16)),
    "ct": Volume(RANDOM.integers(-1000, 1000, GRID.shape).astype(np.int16), GRID, "HU", Facts(modality="CT")),
    "mr": Volume(RANDOM.random(GRID.shape).astype(np.float32) * 900, GRID, "", Facts(modality="MR")),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_degradation_keeps_size_and_type_and_changes_the_picture(name):
    picture = PICTURES[name]
    ways = degradations_for(picture)
    for way in ways:
        for strength in way.strengths:
            first, again = (way.worsen(picture, strength, np.random.default_rng(3)) for _ in range(2))
            assert first.array.shape == picture.array.shape and first.array.dtype == picture.array.dtype
            assert (first.array != picture.array).any() or way.name == "missing slices", (name, way.name, strength)
            assert (first.array == again.array).all(), "the same dice make the same picture"
            assert np.isfinite(first.array).all() and way.said(strength)


def test_degradations_fit_the_kind_of_picture():
    names = {kind: {way.name for way in degradations_for(one)} for kind, one in PICTURES.items()}
    assert "JPEG" in names["grey"] and "missing slices" not in names["grey"]
    assert {"missing slices", "bias field", "gamma"} <= names["mr"] and "JPEG" not in names["mr"]
    assert not {"brighter", "gamma", "less contrast", "bias field"} & names["ct"]


@pytest.mark.parametrize("way", [way for way in DEGRADATIONS if way.name not in ("gamma", "missing slices")])
def test_stronger_is_further_from_the_picture(way):
    smooth = np.add.outer(np.linspace(0, 120, 48), 60 * np.sin(np.linspace(0, 9, 48))) + 70
    picture = Image(smooth.astype(np.uint8))
    if not way.fits(picture):
        picture = Volume(np.repeat(smooth[None], 8, 0), Geometry.from_spacing((8, 48, 48), (3, 1, 1)))
    away = [
        np.abs(way.worsen(picture, strength, np.random.default_rng(0)).array.astype(float) - picture.array).mean()
        for strength in way.strengths
    ]
    assert away == sorted(away) and away[0] < away[2]


def test_lost_slices_are_replaced_by_the_one_before():
    volume = Volume(np.arange(8.0)[:, None, None] * np.ones(GRID.shape), GRID)
    way = next(way for way in DEGRADATIONS if way.name == "missing slices")
    seen = way.worsen(volume, 0.3, np.random.default_rng(1)).array[:, 0, 0]
    assert seen[0] == 0 and (seen <= np.arange(8)).all() and len(np.unique(seen)) == 6


def test_the_reference_turns_with_the_picture():
    square = np.zeros(GRID.shape, np.uint8)
    square[:, 5:15, 4:10] = 1
    volume = Volume(square.astype(np.float32) * 100, GRID)
    way = next(way for way in DEGRADATIONS if way.name == "rotation")
    picture = way.worsen(volume, 15.0, np.random.default_rng(0)).array > 50
    mask = turned_mask(Mask(square, {1: "a"}, geometry=GRID), 15.0).array > 0
    assert (picture != mask).mean() < 0.01 and (mask != (square > 0)).mean() > 0.02
