"""A model written as ONNX answers as it did, and can be worn again."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from osler.core.errors import AskedWrongly
from osler.core.image import Image
from osler.inference.predict import mean_answers, predict_prepared
from osler.models.foreign.export import TOLERANCE, export_onnx
from osler.models.foreign.wear import wear
from osler.models.model import Model, load_model
from osler.models.prepare import Prepared


def answered(model: Model, images: torch.Tensor) -> np.ndarray:
    """What reading gives for prepared pictures: windows are not tempered, whole pictures are."""
    if model.task.pixels:
        return mean_answers(model, images)[0].numpy()
    image = Image(np.zeros((4, 4), np.uint8))
    inside = (slice(0, 16), slice(0, 16))
    said = predict_prepared(model, [Prepared(array.numpy(), None, image, inside) for array in images])
    return np.stack([p.probabilities if p.probabilities is not None else [p.value] for p in said])


@pytest.mark.parametrize("task", ["multiclass", "multilabel", "ordinal", "regression", "segmentation"])
def test_every_task_goes_out_and_comes_back_with_the_same_answers(task: str, make_model, tmp_path: Path) -> None:
    temperatures = (0.8, 1.0, 1.3, 2.0) if task == "multilabel" else (1.3,)
    model = make_model(task, members=2, flips=(1,), temperatures=temperatures)
    written = export_onnx(model, tmp_path / "out" / "net.onnx")
    assert written.difference <= TOLERANCE
    assert sorted(p.name for p in written.path.parent.iterdir()) == ["net.card.json", "net.onnx"], "one file a net"

    images = torch.randn(3, model.recipe.planes, *model.recipe.size)  # another batch than it was exported with
    expected = answered(model, images)
    session = onnxruntime.InferenceSession(str(written.path))
    given = session.run(["probabilities"], {"images": images.numpy()})[0]
    np.testing.assert_allclose(given, expected, atol=1e-4)

    wear(written.path, written.card, tmp_path / "worn")
    worn = load_model(tmp_path / "worn")
    np.testing.assert_allclose(answered(worn, images), expected, atol=1e-4)
    assert worn.recipe == model.recipe and worn.card.classes == model.card.classes


def test_a_single_net_keeps_its_logits(make_model, tmp_path: Path) -> None:
    model = make_model("binary", temperatures=(1.0,))
    written = export_onnx(model, tmp_path / "net.onnx")
    images = torch.randn(2, 1, 16, 16)
    logits = onnxruntime.InferenceSession(str(written.path)).run(["logits"], {"images": images.numpy()})[0]
    with torch.inference_mode():
        expected = model.members[0].logits(images)[0]
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-4)


def test_other_names_and_worn_models_are_refused(make_model, tmp_path: Path) -> None:
    model = make_model("binary")
    with pytest.raises(AskedWrongly, match=r"no name for an ONNX file"):
        export_onnx(model, tmp_path / "net.bin")
    written = export_onnx(model, tmp_path / "net.onnx")
    wear(written.path, written.card, tmp_path / "worn")
    with pytest.raises(AskedWrongly, match="ONNX file already"):
        export_onnx(load_model(tmp_path / "worn"), tmp_path / "again.onnx")
