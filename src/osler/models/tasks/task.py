"""What every task must say: how labels are read, how outputs become answers, which metrics count."""

from typing import Protocol

from torch import Tensor


class Task(Protocol):
    """One kind of question a net may answer.

    name     "binary", "ordinal", "segmentation", ...
    metrics  the names that count, the first is the one that decides between models
    pixels   the answer is one class a pixel or voxel
    """

    name: str
    metrics: tuple[str, ...]
    pixels: bool

    def outputs(self, classes: int) -> int:
        """How many numbers the net gives for so many classes."""

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """One number to make small; logits (B, outputs[, *spatial]), target as `lab/train/cases.py` makes it."""

    def answers(self, logits: Tensor) -> Tensor:
        """Probabilities (B, classes[, *spatial]), or (B, 1) numbers for a regression."""
