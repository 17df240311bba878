"""A residual network for whole pictures, flat or solid.

He et al. 2016, "Identity mappings in deep residual networks" (pre-activation). Sizes follow the plan: a few
thousand labelled pictures and two cores want a narrow net, not ResNet-18.
"""

from collections.abc import Callable

from torch import Tensor, nn

Maker = Callable[..., nn.Module]
CONVOLUTION: dict[int, Maker] = {2: nn.Conv2d, 3: nn.Conv3d}
NORM: dict[int, Maker] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
POOL: dict[int, Maker] = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


class Block(nn.Module):
    """Norm, activation, convolution, twice; the input is added back."""

    def __init__(self, dims: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        convolution, norm = CONVOLUTION[dims], NORM[dims]
        self.norm1 = norm(inputs)
        self.conv1 = convolution(inputs, outputs, 3, stride, 1, bias=False)
        self.norm2 = norm(outputs)
        self.conv2 = convolution(outputs, outputs, 3, 1, 1, bias=False)
        self.act = nn.ReLU(inplace=True)
        # The way past shrinks by picking every stride-th point itself: a strided convolution of size 1 with fewer
        # than 16 inputs writes past its memory when trained on a CPU with the planes last (oneDNN issue 6035).
        self.picked = (..., *(slice(None, None, stride),) * dims)
        self.short = (
            convolution(inputs, outputs, 1, bias=False) if stride != 1 or inputs != outputs else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        ready = self.act(self.norm1(x))
        skip = x if isinstance(self.short, nn.Identity) else self.short(ready[self.picked])
        out: Tensor = self.conv2(self.act(self.norm2(self.conv1(ready)))) + skip
        return out


class ResNet(nn.Module):
    """Stem, stages of residual blocks that halve the picture, mean over space, one linear layer.

    widths   features of each stage; the first keeps the stem's resolution
    blocks   residual blocks a stage
    stem     stride of the first convolution: 1 for small pictures, 2 for large ones
    dropout  share of pooled features hidden while training

    >>> import torch
    >>> net = ResNet(dims=2, planes=1, outputs=2, size=(28, 28), widths=(8, 16), blocks=1, stem=1)
    >>> net(torch.zeros(3, 1, 28, 28)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        *,
        dims: int,
        planes: int,
        outputs: int,
        size: tuple[int, ...],
        widths: tuple[int, ...] = (32, 64, 128),
        blocks: int = 2,
        stem: int = 1,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            CONVOLUTION[dims](planes, widths[0], 3 if stem == 1 else 5, stem, 1 if stem == 1 else 2, bias=False)
        ]
        inputs = widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                layers.append(Block(dims, inputs, width, 2 if block == 0 and stage > 0 else 1))
                inputs = width
        layers += [NORM[dims](inputs), nn.ReLU(inplace=True), POOL[dims](1), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(inputs, outputs)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d)):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def features(self, images: Tensor) -> Tensor:
        """What the net has made of the picture before it decides, (B, last width)."""
        pooled: Tensor = self.body(images)
        return pooled

    def head(self, features: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.dropout(features))  # (B, outputs)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))
