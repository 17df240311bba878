"""Somebody else's ONNX net, worn: what fits, and what is refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from osler.core.errors import BadModel
from osler.core.image import Image
from osler.inference.predict import mean_answers, predict
from osler.models.foreign.wear import wear
from osler.models.model import load_model

CHANNEL = {"name": "image", "modality": "", "normalization": {"how": "fixed", "mean": [0.0], "std": [255.0]}}


def card(path: Path, **changes: Any) -> Path:
    told: dict[str, Any] = {
        "name": "stranger",
        "version": "2",
        "title": "Somebody's net",
        "task": "multiclass",
        "classes": ["a", "b", "c"],
        "sees": {"text": "small pictures", "dims": 2},
        "recipe": {"channels": [CHANNEL]},
        "output": "logits",
    }
    told |= changes
    path.write_text(json.dumps({key: value for key, value in told.items() if value is not None}))
    return path


def net(
    path: Path, *, planes_last: bool = False, softmax: bool = False, outputs: int = 3, batch: Any = "n"
) -> Path:
    """Mean over space of one plane, times fixed weights; as Keras lays it out with `planes_last`."""
    shape = [batch, 6, 5, 1] if planes_last else [batch, 1, 6, 5]
    weights = np.arange(outputs, dtype=np.float32)[None] - 0.5
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["z"]),
    ]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["z"], ["y"], axis=1))
    axes = np.array([1, 2] if planes_last else [2, 3], np.int64)
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y" if softmax else "z", TensorProto.FLOAT, [batch, outputs])],
        [onnx.numpy_helper.from_array(weights, "w"), onnx.numpy_helper.from_array(axes, "axes")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.mark.parametrize("planes_last", [False, True])
@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("batch", ["n", 1])
def test_nets_of_both_layouts_and_both_outputs_say_the_same(
    planes_last: bool, softmax: bool, batch: Any, tmp_path: Path
) -> None:
    onnx_file = net(tmp_path / "net.onnx", planes_last=planes_last, softmax=softmax, batch=batch)
    told = card(tmp_path / "card.json", output="probabilities" if softmax else "logits")
    made = wear(onnx_file, told, tmp_path / "model")
    model = load_model(tmp_path / "model")
    assert made.engine == "onnx" and model.recipe.size == (6, 5) and model.recipe.whole
    images = torch.rand(2, 1, 6, 5)
    expected = torch.softmax(images.mean((2, 3)) @ (torch.arange(3.0)[None] - 0.5), 1)
    torch.testing.assert_close(mean_answers(model, images)[0], expected, atol=1e-5, rtol=0)


def test_a_worn_model_reads_a_picture_of_another_size(tmp_path: Path) -> None:
    wear(net(tmp_path / "net.onnx"), card(tmp_path / "card.json"), tmp_path / "model")
    prediction = predict(load_model(tmp_path / "model"), [Image(np.full((60, 50), 255, np.uint8))])
    expected = torch.softmax(torch.tensor([-0.5, 0.5, 1.5]), 0).numpy()
    np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["a", "b"]}, "classes need"),
        ({"recipe": None}, "how pictures become"),
        ({"recipe": {"channels": [CHANNEL], "colour": True}}, "takes 1 planes"),
        ({"recipe": {"channels": [CHANNEL], "speed": 3}}, "unknown field 'speed'"),
        ({"recipe": {"channels": [{**CHANNEL, "normalization": {"how": "magic"}}]}}, "no normalization 'magic'"),
        ({"sees": {"text": "volumes", "dims": 3}}, "takes 4 axes"),
        ({"task": "telepathy"}, "no known task"),
        ({"output": "probabilities"}, "do not add up to 1"),
        ({"output": "vibes"}, "has the output 'vibes'"),
        ({"task": "multilabel", "output": "probabilities"}, "worn by its logits"),
        ({"title": None}, "lacks 'title'"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=said):
        wear(net(tmp_path / "net.onnx"), card(tmp_path / "card.json", **changes), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_probabilities_called_logits_are_found_out(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="its card says logits"):
        wear(net(tmp_path / "net.onnx", softmax=True), card(tmp_path / "card.json"), tmp_path / "model")


def test_a_file_that_is_no_net_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"not a net")
    with pytest.raises(BadModel, match="not an ONNX net"):
        wear(tmp_path / "net.onnx", card(tmp_path / "card.json"), tmp_path / "model")
