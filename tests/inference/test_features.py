"""Pooled features of pictures in files."""

import numpy as np
import pytest

from osler.core.errors import AskedWrongly
from osler.core.image import Image
from osler.inference import features as room
from osler.inference.features import features_of_files, pooled_features


def test_features_are_those_of_a_prediction(tmp_path, monkeypatch):
    from osler.core.prediction import Prediction
    from osler.io.raster import write_image

    seen = []

    def answer(model, pictures):
        seen.append(pictures)
        return Prediction("binary", ("a", "b"), features=np.full(3, float(pictures[0].array.mean())))

    monkeypatch.setattr(room, "predict", answer)
    for value in (0, 100):
        write_image(np.full((4, 4), value, np.uint8), tmp_path / f"{value}.png")
    found = features_of_files(None, [tmp_path / "0.png", tmp_path / "100.png"])
    assert found.shape == (2, 3) and found[:, 0].tolist() == [0.0, 100.0]
    assert isinstance(seen[0][0], Image)


def test_a_model_without_features_is_refused(monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setattr(room, "predict", lambda model, pictures: SimpleNamespace(features=None))
    model = SimpleNamespace(card=SimpleNamespace(name="foreign"))
    with pytest.raises(AskedWrongly, match="gives no features"):
        pooled_features(model, [])
