"""A grade: ordered classes, probabilities that never contradict the order.

CORN (Shi, Cao & Raschka 2021, arXiv 2111.08851): output k answers "above grade k, given above grade k-1";
the product of the answers is P(y > k), which falls with k by construction.
"""

import torch
from torch import Tensor
from torch.nn import functional


class Ordinal:
    """Grades 0 .. K-1. target (B,) grades, or (B, K) shares where cases were mixed."""

    name = "ordinal"
    metrics: tuple[str, ...] = ("qwk", "mae", "within_one", "accuracy", "auc", "brier")
    pixels = False

    def outputs(self, classes: int) -> int:
        return classes - 1

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Sum over thresholds of the conditional cross entropy, each on the cases that reached it."""
        if target.ndim == 1:
            target = functional.one_hot(target, logits.shape[1] + 1)
        above = target.to(logits.dtype).flip(1).cumsum(1).flip(1)  # (B, K): share of y >= k
        reached, passed = above[:, :-1], above[:, 1:]  # (B, K-1)
        # A mixed case reaches a threshold in part: its weight is `reached`, its answer `passed / reached`.
        loss = -(passed * functional.logsigmoid(logits) + (reached - passed) * functional.logsigmoid(-logits))
        return loss.sum() / reached.sum().clamp(min=1)

    def answers(self, logits: Tensor) -> Tensor:
        above = torch.cumprod(torch.sigmoid(logits), dim=1)  # (B, K-1): P(y > k)
        edge = torch.ones_like(above[:, :1])
        return torch.cat([edge, above], 1) - torch.cat([above, torch.zeros_like(edge)], 1)


ORDINAL = Ordinal()
