"""Ours worn by others: a trained model as one ONNX file.

The graph takes what `models/prepare.py` makes of the pictures and holds all that follows: every member, mirror
images where validation chose them, their mean, and the calibration. Its two outputs say the same: "logits", which
the task turns into answers (what `wear.py` reads), and "probabilities", the answers themselves.

Left out are isotonic calibration, whose steps have no logits, that of masks, and all that is no probability:
operating point, promised sets and the gate. The card beside it says so.
"""

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from osler.core.errors import AskedWrongly, BadModel
from osler.core.record import to_plain
from osler.io.files import replacing, write_json
from osler.models.card import card_to_json
from osler.models.foreign.onnx import open_session
from osler.models.model import Model, TorchNet

TOLERANCE = 1e-3
_SURE = 1e-7  # probabilities nearer to 0 or 1 have no logit that single precision can hold


@dataclass(frozen=True, slots=True)
class Exported:
    """One ONNX file that was written and checked.

    card        the JSON beside it, with which `osler models add` wears it again
    difference  largest absolute difference of its probabilities (numbers, for a regression) from torch's,
                on pictures of noise
    """

    path: Path
    card: Path
    difference: float


def export_onnx(model: Model, path: Path) -> Exported:
    """Write the model as `path` (.onnx) with its card beside it (.card.json), and compare it with torch.

    The batch is free, the picture's size is the recipe's; large volumes are cut into windows outside the graph.

    Raises AskedWrongly for another suffix or a model that is ONNX already, BadModel when the parts that write ONNX
    are missing or the file does not answer as torch does (nothing is then written), NoRoom on a full disk.
    """
    if path.suffix.lower() != ".onnx":
        raise AskedWrongly(f"{path.name} is no name for an ONNX file.", remedy="End it in .onnx.")
    members = [member.module for member in model.members if isinstance(member, TorchNet)]
    if len(members) != len(model.members):
        raise AskedWrongly(
            f"The model {model.card.name} is an ONNX file already.", remedy="Copy model.onnx from its folder."
        )
    if find_spec("onnx") is None:
        raise BadModel(
            "The Python package 'onnx' is not installed.", remedy='Install it: pip install "osler[export]".'
        )
    graph = _Graph(model, members, _WRITABLE.get(model.card.task, model.task.answers)).eval()
    truth = _Graph(model, members, model.task.answers).eval()
    images = torch.randn(2, model.recipe.planes, *model.recipe.size, generator=torch.Generator().manual_seed(0))
    card = path.with_suffix(".card.json")
    with replacing(path) as beside:
        _write(graph, images.to(model.device), beside)
        difference = _difference(truth, images.to(model.device), beside)
        if not difference <= TOLERANCE:
            raise BadModel(
                f"The ONNX file of {model.card.name} differs from torch: they differ by {difference:.2g}.",
                remedy="Report this as a defect, with the versions that `osler doctor` prints.",
            )
    worn = card_to_json(replace(model.card, limits=(*model.card.limits, _left_out(model))))
    del worn["digest"], worn["engine"]
    write_json(card, worn | {"output": "logits", "recipe": to_plain(model.recipe)})
    return Exported(path, card, difference)


class _Graph(nn.Module):
    """What `inference/predict.py` computes, as one module: images -> (logits, probabilities)."""

    def __init__(self, model: Model, members: list[nn.Module], answers: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.answers = answers
        self.backwards = _BACKWARDS[model.card.task]
        self.pixels = model.task.pixels
        calibration = model.trust.calibration
        self.numbers = nn.Buffer(torch.tensor(calibration.numbers, device=model.device))
        # Windows are calibrated when they are a whole again, outside the graph.
        self.calibrate = None if self.pixels else _CALIBRATIONS.get((_kind(model.card.task), calibration.how))
        self.mirrors: list[list[int]] = [[]]
        for axis in model.trust.flips:
            self.mirrors += [[*mirror, axis + 2] for mirror in self.mirrors]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        answers = []
        for mirror in self.mirrors:
            seen = images.flip(mirror) if mirror else images
            for member in self.members:
                logits = member(seen)
                given = self.answers(logits)  # (B, classes[, *spatial])
                answers.append(given.flip(mirror) if mirror and self.pixels else given)
        if len(answers) == 1 and self.calibrate is None:
            return logits, answers[0]
        mean = torch.stack(answers).mean(0)
        if self.calibrate is not None:
            mean = self.calibrate(mean, self.numbers)
        return self.backwards(mean), mean


def _log(probabilities: Tensor) -> Tensor:
    return probabilities.clamp(min=_SURE).log()


def _logit(probabilities: Tensor) -> Tensor:
    sure = probabilities.clamp(_SURE, 1 - _SURE)
    return sure.log() - (1 - sure).log()


def _conditional_logits(probabilities: Tensor) -> Tensor:
    """(B, K) grades -> (B, K-1): logit of "above grade k, given above k - 1", as the ordinal task reads them."""
    at_least = probabilities.flip(1).cumsum(1).flip(1)  # (B, K): P(y >= k)
    return _logit(at_least[:, 1:] / at_least[:, :-1].clamp(min=_SURE))


def _same(values: Tensor) -> Tensor:
    return values


def _kind(task: str) -> str:
    return {"multilabel": "labels", "ordinal": "grades"}.get(task, "exclusive")


def _beta(p: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    sure = p.clamp(_SURE, 1 - _SURE)
    return torch.sigmoid(a * sure.log() - b * (1 - sure).log() + c)


def _beta_of_two(p: Tensor, numbers: Tensor) -> Tensor:
    there = _beta(p[:, 1:], numbers[:, 0], numbers[:, 1], numbers[:, 2])
    return torch.cat([1 - there, there], 1)


def _vector(p: Tensor, numbers: Tensor) -> Tensor:
    return torch.softmax(_log(p) * numbers[:, : p.shape[1]] + numbers[:, p.shape[1] :], dim=1)


def _beta_of_grades(p: Tensor, numbers: Tensor) -> Tensor:
    above = p.flip(1).cumsum(1).flip(1)[:, 1:]  # (B, K-1): P(y > k)
    return _shares(_beta(above, numbers[:, 0], numbers[:, 1], numbers[:, 2:]))


def _temperature_of_grades(p: Tensor, numbers: Tensor) -> Tensor:
    return _beta_of_grades(p, torch.cat([1 / numbers, 1 / numbers, 0 * numbers], 1))


# What `inference/calibrated.py` does with the numbers of Trust.calibration, (rows, numbers).
_CALIBRATIONS: dict[tuple[str, str], Callable[[Tensor, Tensor], Tensor]] = {
    ("exclusive", "temperature"): lambda p, numbers: torch.softmax(_log(p) / numbers[0, 0], dim=1),
    ("exclusive", "vector"): _vector,
    ("exclusive", "beta"): _beta_of_two,
    ("labels", "temperature"): lambda p, numbers: torch.sigmoid(_logit(p) / numbers[:, 0]),
    ("labels", "beta"): lambda p, numbers: _beta(p, *numbers.T),
    ("grades", "temperature"): _temperature_of_grades,
    ("grades", "beta"): _beta_of_grades,
}


def _left_out(model: Model) -> str:
    """What the reader of the exported file must know."""
    how = model.trust.calibration.how
    raw = how == "isotonic" or (model.task.pixels and how != "none")
    first = "The exported probabilities are not calibrated. " if raw else ""
    return f"{first}Exported without operating point, promised sets and gate: calibrate it where it is worn."


# From a task's answers back to logits that give them.
_BACKWARDS: dict[str, Callable[[Tensor], Tensor]] = {
    "binary": _log,
    "multiclass": _log,
    "segmentation": _log,
    "multilabel": _logit,
    "ordinal": _conditional_logits,
    "regression": _same,
}


def _grades(logits: Tensor) -> Tensor:
    """The ordinal task's answers without its running product, for which ONNX has no word."""
    return _shares(nn.functional.logsigmoid(logits).cumsum(1).exp())


def _shares(above: Tensor) -> Tensor:
    """(B, K-1): P(y > k) -> (B, K) grades."""
    edge = torch.ones_like(above[:, :1])
    return torch.cat([edge, above], 1) - torch.cat([above, torch.zeros_like(edge)], 1)


_WRITABLE: dict[str, Callable[[Tensor], Tensor]] = {"ordinal": _grades}


def _write(graph: nn.Module, images: Tensor, path: Path) -> None:
    says = ["logits", "probabilities"]
    try:
        with _quietly():
            if find_spec("onnxscript") is not None:
                batch = torch.export.Dim("batch", min=1, max=4096)
                torch.onnx.export(
                    graph, (images,), str(path), input_names=["images"], output_names=says, dynamo=True,
                    external_data=False, verbose=False, dynamic_shapes=({0: batch},),
                )  # fmt: skip
            else:  # the older exporter needs no onnxscript
                torch.onnx.export(
                    graph, (images,), str(path), input_names=["images"], output_names=says, dynamo=False,
                    dynamic_axes={name: {0: "batch"} for name in ("images", *says)},
                )  # fmt: skip
    except OSError:
        raise
    except Exception as error:  # the exporters raise a dozen kinds, all for "this net cannot be written"
        raise BadModel(
            f"The net cannot be written as ONNX: {type(error).__name__}.",
            remedy="Use the net from torch, or report this with the versions that `osler doctor` prints.",
        ) from error


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """The exporters chat on stdout and in the log."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _difference(truth: nn.Module, images: Tensor, path: Path) -> float:
    """Largest absolute difference between the file's probabilities and torch's, for one picture and for two."""
    session = open_session(path)
    worst = 0.0
    with torch.inference_mode():
        for batch in (images, images[:1]):
            expected = truth(batch)[1].cpu()
            given = torch.from_numpy(session.run(["probabilities"], {"images": batch.cpu().numpy()})[0])
            away = float((given - expected).abs().max())
            worst = max(worst, away) if away == away else float("inf")  # NaN is no agreement
    return worst
