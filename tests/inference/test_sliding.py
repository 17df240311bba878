"""Windows that slide."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osler.inference.sliding import _starts, gaussian, slide


@given(st.integers(1, 200), st.integers(1, 64), st.sampled_from([0.0, 0.25, 0.5, 0.75]))
def test_windows_cover_everything_and_stay_inside(length, window, overlap):
    starts = _starts(length, window, overlap)
    seen = {place for start in starts for place in range(start, start + window)}
    assert seen >= set(range(length))
    assert starts == sorted(set(starts))
    assert all(0 <= s <= max(0, length - window) for s in starts)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(3, 23)] * 3), st.integers(0, 100))
def test_blending_answers_that_agree_gives_that_answer(shape, seed):
    """A net that answers with its input: blended windows are the input again, also when padded."""
    image = torch.rand(2, *shape, generator=torch.Generator().manual_seed(seed))
    out, _ = slide(image, (8, 8, 8), lambda windows: (windows, None), batch=3)
    assert out.shape == image.shape
    assert torch.allclose(out, image, atol=1e-5)


def test_the_middle_of_a_window_counts_most():
    weight = gaussian((9, 9))
    assert weight.argmax() == 40
    assert weight.min() > 0


def test_where_windows_disagree_the_nearer_one_is_believed():
    """Two windows say 0 and 1: the answer rises smoothly across their overlap."""
    calls = []

    def answer(windows):
        calls.append(len(windows))
        return torch.stack([torch.full((1, 8), float(i)) for i in range(len(windows))]), None

    out = slide(torch.zeros(1, 12), (8,), answer, overlap=0.5, batch=2)[0][0]
    assert calls == [2]
    assert out[0] == 0
    assert out[-1] == pytest.approx(1)
    assert (out.diff() >= -1e-6).all()


def test_features_of_windows_count_by_the_picture_they_answer_for():
    """Windows whose feature is their mean: blended evenly over a ramp, that is the ramp's own mean."""
    image = torch.arange(20.0)[None]
    blended, features = slide(image, (8,), lambda windows: (windows, windows.mean(2)), batch=2)
    assert blended.shape == image.shape
    assert features is not None
    assert float(features) == pytest.approx(float(image.mean()), abs=1e-3)
    many = torch.cat([torch.zeros(1, 40), torch.ones(1, 4)], 1)  # the last window alone sees ones
    _, last = slide(many, (8,), lambda windows: (windows, windows.amax(2)), batch=3)
    assert last is not None
    # Its neighbours overlap it: it answers for its own edge and the part of the overlap that is nearest to it.
    assert 4 / 44 < float(last) < 12 / 44


def test_a_net_without_features_gives_none():
    assert slide(torch.zeros(1, 12), (8,), lambda windows: (windows, None))[1] is None
