"""A U-Net for flat and solid pictures, anisotropic where the voxels are.

Ronneberger et al. 2015; stage layout, instance norm and deep supervision as in nnU-Net (Isensee et al. 2021).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Maker = Callable[..., nn.Module]
CONVOLUTION: dict[int, Maker] = {2: nn.Conv2d, 3: nn.Conv3d}
UP: dict[int, Maker] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORM: dict[int, Maker] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}

Steps = tuple[tuple[int, ...], ...]


class UNet(nn.Module):
    """Encoder, decoder, and skips between equal resolutions.

    widths       features of each stage, finest first
    strides      how much each stage shrinks each axis; the first is all ones
    kernels      convolution size of each stage along each axis
    convolutions a stage of the encoder, a stage of the decoder
    supervised   how many resolutions answer while training (1: only the finest)

    While training it returns a list of logits, finest first; otherwise the finest alone.

    >>> net = UNet(dims=3, planes=1, outputs=3, size=(8, 8, 8), widths=(4, 8), strides=((1, 1, 1), (2, 2, 2)),
    ...            kernels=((3, 3, 3), (3, 3, 3)))
    >>> net.eval()(torch.zeros(1, 1, 8, 8, 8)).shape
    torch.Size([1, 3, 8, 8, 8])
    """

    def __init__(
        self,
        *,
        dims: int,
        planes: int,
        outputs: int,
        size: tuple[int, ...],
        widths: tuple[int, ...],
        strides: Steps,
        kernels: Steps,
        convolutions: tuple[int, int] = (2, 2),
        supervised: int = 1,
    ) -> None:
        super().__init__()
        self.supervised = supervised
        self.encoder = nn.ModuleList()
        inputs = planes
        for width, stride, kernel in zip(widths, strides, kernels, strict=True):
            self.encoder.append(_stage(dims, inputs, width, tuple(kernel), tuple(stride), convolutions[0]))
            inputs = width
        self.up = nn.ModuleList()
        self.decoder = nn.ModuleList()
        self.answers = nn.ModuleList()
        for level in range(len(widths) - 2, -1, -1):
            stride = tuple(strides[level + 1])
            self.up.append(UP[dims](widths[level + 1], widths[level], stride, stride))
            self.decoder.append(
                _stage(
                    dims,
                    2 * widths[level],
                    widths[level],
                    tuple(kernels[level]),
                    (1,) * dims,
                    convolutions[1],
                )
            )
            if level < supervised:
                self.answers.append(CONVOLUTION[dims](widths[level], outputs, 1))

    def features(self, images: Tensor) -> Tensor:
        """The deepest stage, averaged over space, (B, last width)."""
        for stage in self.encoder:
            images = stage(images)
        return images.flatten(2).mean(2)

    def forward(self, images: Tensor) -> Tensor | list[Tensor]:
        skips = []
        x = images
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        skips.pop()
        supervised: list[Tensor] = []
        first = len(self.decoder) - len(self.answers)
        for number, (up, stage) in enumerate(zip(self.up, self.decoder, strict=True)):
            x = stage(torch.cat([up(x), skips.pop()], dim=1))
            finest = number == len(self.decoder) - 1
            if number >= first and (self.training or finest):
                supervised.append(self.answers[number - first](x))  # (B, outputs, *spatial / stride)
        return supervised[::-1] if self.training else supervised[-1]


def _stage(
    dims: int, inputs: int, outputs: int, kernel: tuple[int, ...], stride: tuple[int, ...], convolutions: int
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for number in range(convolutions):
        layers += [
            CONVOLUTION[dims](
                inputs if number == 0 else outputs,
                outputs,
                kernel,
                stride if number == 0 else 1,
                tuple(k // 2 for k in kernel),
                bias=False,  # the norm takes it away again
            ),
            NORM[dims](outputs, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        ]
    return nn.Sequential(*layers)
