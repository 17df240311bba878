"""Somebody else's ONNX net worn as ours."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from osler.core.errors import BadModel


class OnnxNet:
    """An ONNX file with one input (B, planes, *spatial) or (B, *spatial, planes) and logits or probabilities out.

    Keras and TensorFlow put the planes last; which of the two it is, is told from the input's shape, and
    probabilities are told from logits by `probabilities` (they are turned into logits by the logarithm).
    Raises BadModel when the file is no ONNX net or has several inputs.
    """

    def __init__(self, path: Path, *, probabilities: bool = False, planes_last: bool = False) -> None:
        self.session = open_session(path)
        self.probabilities = probabilities
        self.planes_last = planes_last
        self.input = self.session.get_inputs()[0]
        self.fixed_batch = self.input.shape[0] if isinstance(self.input.shape[0], int) else None

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits with the classes in axis 1, and no features."""
        array = images.detach().cpu().numpy().astype(np.float32)
        if self.planes_last:
            array = np.moveaxis(array, 1, -1)
        step = self.fixed_batch or len(array)
        try:
            parts = [
                self.session.run(None, {self.input.name: np.ascontiguousarray(array[i : i + step])})[0]
                for i in range(0, len(array), step)
            ]
        except Exception as error:  # onnxruntime raises its own kinds, all straight from Exception
            raise BadModel(
                f"The ONNX net does not take pictures of shape {array.shape[1:]}: {type(error).__name__}.",
                remedy=f"It wants {self.input.shape}; set size and channels in its card to fit.",
            ) from error
        out = np.concatenate(parts)
        if self.planes_last and out.ndim > 2:
            out = np.moveaxis(out, -1, 1)
        if self.probabilities:
            if out.shape[1] == 1:  # one sigmoid: the classes are "not" and "yes"
                out = np.concatenate([1 - out, out], axis=1)
            out = np.log(np.clip(out, 1e-7, 1))
        return torch.from_numpy(np.ascontiguousarray(out, np.float32)), None


def open_session(path: Path) -> Any:
    """An ONNX Runtime session on the CPU, telemetry off. Raises BadModel when `path` is no ONNX net."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds, all straight from Exception
        raise BadModel(
            f"{path.name} is not an ONNX net that can run here: {type(error).__name__}.",
            remedy="Export it again (opset 17 or later) as one file.",
        ) from error
    if len(session.get_inputs()) != 1:
        raise BadModel(
            f"{path.name} has {len(session.get_inputs())} inputs; one is needed.",
            remedy="Export it with one input: (batch, planes, rows, columns).",
        )
    return session
