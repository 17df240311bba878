"""Which of several classes (binary, multiclass), or which of several at once (multilabel)."""

import torch
from torch import Tensor
from torch.nn import functional


class Exclusive:
    """One class a case. Binary is the case of two: "normal" and "not"."""

    pixels = False

    def __init__(self, name: str, metrics: tuple[str, ...]) -> None:
        self.name = name
        self.metrics = metrics

    def outputs(self, classes: int) -> int:
        return classes

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy. target (B,) class numbers, or (B, classes) shares where cases were mixed."""
        return functional.cross_entropy(logits, target)

    def answers(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=1)


class Multilabel:
    """Several findings a case, each there or not. target (B, labels) of 0 and 1."""

    name = "multilabel"
    metrics: tuple[str, ...] = ("auc", "brier", "pr_auc", "accuracy")
    pixels = False

    def outputs(self, classes: int) -> int:
        return classes

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        return functional.binary_cross_entropy_with_logits(logits, target.to(logits.dtype))

    def answers(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits)


BINARY = Exclusive("binary", ("auc", "accuracy", "sensitivity", "specificity", "pr_auc", "brier", "ece"))
MULTICLASS = Exclusive("multiclass", ("auc", "accuracy", "brier", "ece"))
MULTILABEL = Multilabel()
