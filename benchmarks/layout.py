"""What the planes' place in memory, the kind of skip and the norm cost a training step of a small 3-D U-Net.

python benchmarks/layout.py
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import itertools
import time
from collections.abc import Callable

import torch
from record import keep
from torch import Tensor, nn

SHAPE = (2, 1, 40, 56, 40)


class Stage(nn.Sequential):
    """Convolution, norm, activation."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Callable[[int], nn.Module]) -> None:
        convolution = nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False)
        super().__init__(convolution, norm(outputs), nn.LeakyReLU(0.01, inplace=True))


class Net(nn.Module):
    """One convolution a stage, 16 to 128 features; skips concatenated (nnU-Net's way) or added."""

    def __init__(self, norm: Callable[[int], nn.Module], *, added: bool) -> None:
        super().__init__()
        widths = (16, 32, 64, 128)
        self.added = added
        self.down = nn.ModuleList(
            Stage(i, o, 1 if i == 1 else 2, norm) for i, o in zip((1, *widths), widths, strict=False)
        )
        pairs = list(itertools.pairwise(widths))[::-1]
        self.narrow = nn.ModuleList(
            nn.Conv3d(wide, fine, 1) if added else nn.ConvTranspose3d(wide, fine, 2, 2) for fine, wide in pairs
        )
        self.up = nn.ModuleList(Stage(fine if added else 2 * fine, fine, 1, norm) for fine, _ in pairs)
        self.answer = nn.Conv3d(16, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        skips.pop()
        for narrow, stage in zip(self.narrow, self.up, strict=True):
            x, skip = narrow(x), skips.pop()
            if self.added:
                x = nn.functional.interpolate(x, size=skip.shape[2:], mode="trilinear") + skip
            x = stage(x if self.added else torch.cat([x, skip], 1))
        answer: Tensor = self.answer(x)
        return answer


def seconds(net: nn.Module, *, planes_last: bool) -> float:
    """Median of nine training steps."""
    form = torch.channels_last_3d if planes_last else torch.contiguous_format
    for weight in net.parameters():
        if weight.ndim == 5:
            weight.data = weight.data.contiguous(memory_format=form)
    images = torch.randn(SHAPE).contiguous(memory_format=form)
    truth = torch.randint(0, 3, (SHAPE[0], *SHAPE[2:]))
    optimizer = torch.optim.AdamW(net.parameters())
    times = []
    for _ in range(11):
        start = time.perf_counter()
        loss = nn.functional.cross_entropy(net(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return sorted(times[2:])[4]


def main() -> None:
    instance: Callable[[int], nn.Module] = lambda width: nn.InstanceNorm3d(width, affine=True)  # noqa: E731
    grouped: Callable[[int], nn.Module] = lambda width: nn.GroupNorm(width, width)  # noqa: E731
    rows = {}
    for title, norm, added, last in (
        ("instance norm, concatenated skips, planes first (the usual U-Net)", instance, False, False),
        ("instance norm, concatenated skips, planes last", instance, False, True),
        ("a group a feature, concatenated skips, planes last", grouped, False, True),
        ("instance norm, added skips, planes first", instance, True, False),
        ("a group a feature, added skips, planes last (Osler's)", grouped, True, True),
    ):
        rows[title] = f"{seconds(Net(norm, added=added), planes_last=last):.3f} s"
    keep("layout", {"command": "python benchmarks/layout.py", "tables": {"Seconds a training step": rows}})


if __name__ == "__main__":
    main()
