"""Softmax regression: one weight a pixel and class. The textbook example; see docs/start/softmax.md."""

import math

from torch import Tensor, nn


class Softmax(nn.Module):
    """logits = W x + b on the flattened picture.

    >>> import torch
    >>> Softmax(dims=2, planes=1, outputs=10, size=(28, 28))(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, *, dims: int, planes: int, outputs: int, size: tuple[int, ...]) -> None:
        super().__init__()
        self.linear = nn.Linear(planes * math.prod(size), outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def features(self, images: Tensor) -> Tensor:
        """The pixels themselves, (B, pixels)."""
        return images.flatten(1)

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.linear(features)  # (B, outputs)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))
