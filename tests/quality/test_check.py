"""Every check catches what it is for, and lets good pictures through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays

from osler.core.errors import UnknownChoice
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.quality.check import CHECKS, check_quality


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(10, 240, shape).astype(np.uint8)


def volume(shape=(12, 40, 40), spacing=(2.0, 1.0, 1.0)) -> Volume:
    return Volume(noise(*shape).astype(np.int16), Geometry.from_spacing(shape, spacing))


def image(array: np.ndarray, spacing: tuple[float, float] | None = (0.2, 0.2)) -> Image:
    return Image(array, spacing_mm=spacing)


def with_bright(share: float) -> Image:
    array = noise(200, 200)
    array[: int(200 * share)] = 255
    return image(array)


def nan() -> Image:
    array = noise(200, 200).astype(np.float32)
    array[0, 0] = np.nan
    return image(array)


BAD = {
    "numbers": nan(),
    "blank": image(np.arange(40000).reshape(200, 200) % 5 + 30000),
    "mask": image((noise(200, 200) > 99).astype(np.uint8)),
    "burnt_out": with_bright(0.7),
    "clipped": with_bright(0.2),
    "tiny": image(noise(12, 200)),
    "small": image(noise(28, 28)),
    "strip": image(noise(100, 900)),
    "few_slices": volume((2, 40, 40)),
    "thick_slices": volume(spacing=(10.0, 0.5, 0.5)),
    "spacing_missing": image(noise(200, 200), None),
    "spacing_odd": volume(spacing=(100.0, 90.0, 90.0)),
}
GOOD = {"film": image(noise(200, 240)), "colour": image(noise(200, 200, 3)), "volume": volume()}


def test_every_check_has_a_bad_picture():
    assert set(BAD) == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_catches_what_it_is_for(name):
    found = check_quality(BAD[name], [name])
    problems = found.declined if CHECKS[name].declines else found.cautions
    assert [problem.check for problem in problems] == [name]
    assert problems[0].what.endswith(".") and problems[0].remedy.endswith(".")


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("good", GOOD)
def test_a_good_picture_passes(name, good):
    found = check_quality(GOOD[good], [name])
    assert not found.declined and not found.cautions


def test_after_a_reason_to_decline_nothing_more_is_asked():
    found = check_quality(nan(), ["numbers", "blank"])  # percentiles of NaN would mean nothing
    assert [problem.check for problem in found.declined] == ["numbers"]


def test_an_unknown_check_is_named():
    with pytest.raises(UnknownChoice, match="quality check"):
        check_quality(GOOD["film"], ["blanc"])


@given(arrays.arrays(np.int16, some.tuples(some.integers(1, 40), some.integers(1, 40))))
def test_any_picture_gets_an_answer(array):
    check_quality(Image(array), CHECKS)


def test_real_pictures_pass(test_data):
    from osler.io.open import open_picture

    checks = ("numbers", "tiny", "mask", "blank", "strip", "burnt_out")
    films = sorted((test_data / "chest-xray").rglob("*.jp*g"))[::150]
    scans = sorted((test_data / "hippocampus" / "images").glob("*.nii*"))[::25]
    if not films or not scans:
        pytest.skip("no chest radiographs or hippocampi in the folder of real data")
    refused = [path.name for path in (*films, *scans) if check_quality(open_picture(path), checks).declined]
    assert refused == []
