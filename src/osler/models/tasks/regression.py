"""A number: age, volume, ejection fraction. The net learns the standardized number; see Recipe.target_mean."""

from torch import Tensor
from torch.nn import functional


class Regression:
    """target (B,) standardized numbers."""

    name = "regression"
    metrics: tuple[str, ...] = ("mae", "rmse", "r2")
    pixels = False

    def outputs(self, classes: int) -> int:
        return 1

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Huber: like squares near, like distance far, so that one wrong label does not rule."""
        return functional.huber_loss(logits[:, 0], target.to(logits.dtype))

    def answers(self, logits: Tensor) -> Tensor:
        return logits


REGRESSION = Regression()
