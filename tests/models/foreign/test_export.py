"""A model written as ONNX answers as it did, and can be worn again."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from osler.core.errors import AskedWrongly
from osler.core.image import Image
from osler.inference.predict import mean_answers, predict_prepared
from osler.io.files import read_json
from osler.models.foreign.export import TOLERANCE, export_onnx
from osler.models.foreign.wear import wear
from osler.models.model import Model, load_model
from osler.models.prepare import Prepared
from osler.models.trust import Calibration


def answered(model: Model, images: torch.Tensor) -> np.ndarray:
    """What reading gives for prepared pictures: windows are not calibrated, whole pictures are."""
    if model.task.pixels:
        return mean_answers(model, images)[0].numpy()
    image = Image(np.zeros((4, 4), np.uint8))
    inside = (slice(0, 16), slice(0, 16))
    said = predict_prepared(model, [Prepared(array.numpy(), None, image, inside) for array in images])
    return np.stack([p.probabilities if p.probabilities is not None else [p.value] for p in said])


KINDS = {
    "multiclass": Calibration("vector", ((0.8, 1.2, 1.5, 0.6, 0.3, -0.2, 0.0, 0.5),)),
    "binary": Calibration("beta", ((1.4, 0.7, -0.3),)),
    "multilabel": Calibration("temperature", ((0.8,), (1.0,), (1.3,), (2.0,))),
    "ordinal": Calibration("beta", ((1.4, 0.7, 0.5, 0.1, -0.3),)),
    "regression": Calibration(),
    "segmentation": Calibration("temperature", ((1.3,),)),
}
OTHERS = [
    ("multiclass", Calibration("temperature", ((1.3,),))),
    ("multilabel", Calibration("beta", ((1.4, 0.7, -0.3), (1.0, 1.0, 0.0), (0.5, 0.5, 1.0), (2.0, 1.0, 0.2)))),
    ("ordinal", Calibration("temperature", ((0.6,),))),
]


@pytest.mark.parametrize(("task", "calibration"), OTHERS)
def test_every_calibration_but_isotonic_goes_into_the_file(
    task: str, calibration: Calibration, make_model, tmp_path: Path
) -> None:
    model = make_model(task, members=2, calibration=calibration)
    written = export_onnx(model, tmp_path / "net.onnx")
    images = torch.randn(3, model.recipe.planes, *model.recipe.size)
    given = onnxruntime.InferenceSession(str(written.path)).run(["probabilities"], {"images": images.numpy()})[0]
    np.testing.assert_allclose(given, answered(model, images), atol=1e-4)
    assert np.abs(given - mean_answers(model, images)[0].numpy()).max() > 0.01


def test_an_isotonic_calibration_stays_behind_and_the_card_says_so(make_model, tmp_path: Path) -> None:
    model = make_model("binary", calibration=Calibration("isotonic", ((0.0, 1.0, 0.3, 0.4),)))
    written = export_onnx(model, tmp_path / "net.onnx")
    assert "not calibrated" in read_json(written.card)["limits"][-1]
    plain = export_onnx(make_model("multiclass"), tmp_path / "plain.onnx")
    assert "not calibrated" not in read_json(plain.card)["limits"][-1]


@pytest.mark.parametrize("task", KINDS)
def test_every_task_goes_out_and_comes_back_with_the_same_answers(task: str, make_model, tmp_path: Path) -> None:
    model = make_model(task, members=2, flips=(1,), calibration=KINDS[task])
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
    model = make_model("binary")
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
