"""One class a pixel or voxel: cross entropy plus soft Dice (Milletari 2016, Isensee 2021)."""

import torch
from torch import Tensor
from torch.nn import functional


class Segmentation:
    """Background and labels, exclusive. target (B, *spatial) class numbers."""

    name = "segmentation"
    metrics: tuple[str, ...] = ("dice", "nsd", "hd95_mm", "volume_error_ml")
    pixels = True

    def outputs(self, classes: int) -> int:
        return classes

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Cross entropy + 1 - Dice; Dice over the whole batch, background left out.

        Over the batch, not a case: a patch without a label then neither counts as perfect nor as failed.
        """
        cross = functional.cross_entropy(logits, target)
        share = torch.softmax(logits, dim=1).transpose(0, 1).flatten(1)[1:]  # (classes - 1, B * voxels)
        truth = torch.stack([(target == k).flatten() for k in range(1, logits.shape[1])]).to(share.dtype)
        overlap = (share * truth).sum(1)
        dice = (2 * overlap + 1e-5) / (share.sum(1) + truth.sum(1) + 1e-5)
        return cross + 1 - dice.mean()

    def answers(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=1)


SEGMENTATION = Segmentation()
