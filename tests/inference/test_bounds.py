"""Voxels made believable, and what is promised of masks and volumes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import BadModel
from osler.inference.bounds import (
    calibrated_voxels,
    promised,
    tempered_voxels,
    volume_interval,
    voxels_in_doubt,
)
from osler.inference.temper import temper
from osler.models.trust import Calibration, Conformal, MaskBounds


def shares(seed: int, shape=(3, 4, 5, 6)) -> np.ndarray:
    return (
        np.random.default_rng(seed)
        .dirichlet(np.ones(shape[0]), shape[1:])
        .transpose(3, 0, 1, 2)
        .astype(np.float32)
    )


@given(some.integers(0, 50), some.floats(0.3, 5))
def test_voxels_are_tempered_as_whole_pictures_are_and_no_mask_changes(seed, temperature):
    raw = shares(seed)
    made = tempered_voxels(raw, temperature)
    flat = temper(raw.reshape(3, -1).T, temperature)
    np.testing.assert_allclose(made.reshape(3, -1).T, flat, atol=2e-6)
    assert made.dtype == np.float32 and (made.argmax(0) == raw.argmax(0)).all()


def test_a_mask_takes_one_temperature_and_nothing_else():
    raw = shares(1)
    assert calibrated_voxels(raw, Calibration()) is raw
    softer = calibrated_voxels(raw, Calibration("temperature", ((2.0,),)))
    assert softer.max() < raw.max()
    for wrong in (
        Calibration("beta", ((1.0, 1.0, 0.0),)),
        Calibration("temperature", ((0.0,),)),
        Calibration("temperature"),
    ):
        with pytest.raises(BadModel, match="voxels"):
            calibrated_voxels(raw, wrong)


def test_the_promise_of_a_risk_is_a_number_a_label():
    bounds = MaskBounds((0.05, 0.1), ((None, 0.1), (0.2, 0.3)), ((0.9, None), (0.8, 0.7)), 20, (20, 20))
    assert promised(bounds, 2, risk=0.05) == ((None, 0.1), (0.9, None))
    assert promised(bounds, 2) == ((0.2, 0.3), (0.8, 0.7))
    assert promised(bounds, 2, risk=0.2) is None
    with pytest.raises(BadModel, match="3 labels"):
        promised(bounds, 3)


def test_doubt_is_what_lies_on_the_wrong_side_of_one_half():
    assert voxels_in_doubt(np.array([[0.0, 1.0]], np.float16)) == 1
    assert voxels_in_doubt(np.array([[0.25, 0.75], [0.5, 0.0]], np.float16)) == 2
    many = np.full((3, 500, 500), 0.5, np.float16)  # float16 alone would stop counting at 2048
    assert voxels_in_doubt(many) == 375_001


def test_a_volume_lies_between():
    probability = np.full((1, 10), 0.5, np.float16)  # six voxels in doubt
    volumes = Conformal("doubt", (0.8, 0.9), ((1.0, None), (2.0, None)))
    assert volume_interval(20, probability, volumes, 0) == (8.0, 32.0)
    assert volume_interval(20, probability, volumes, 0, level=0.8) == (14.0, 26.0)
    assert volume_interval(0, probability, volumes, 0) == (0.0, 12.0)
    assert volume_interval(20, probability, volumes, 1) is None
    share = Conformal("share", (0.9,), ((0.25,),))
    assert volume_interval(20, probability, share, 0) == (15.0, 25.0)
    assert volume_interval(0, probability, share, 0) is None


@pytest.mark.parametrize(
    ("volumes", "column"),
    [
        (Conformal("lac", (0.9,), ((0.5,),)), 0),
        (Conformal("doubt", (0.9,), ((0.5,),)), 1),
        (Conformal("doubt", (0.8,), ((0.5,),)), 0),
    ],
)
def test_a_promise_that_does_not_fit_is_refused(volumes, column):
    with pytest.raises(BadModel, match="do not fit"):
        volume_interval(3, np.zeros((1, 3), np.float16), volumes, column)
