"""From a fingerprint to a plan: the rules, each with its reason.

After nnU-Net's planning (Isensee et al. 2021) where a rule is taken from there; the rest was measured on small
public sets (see benchmarks/). Everything here can be overridden by editing the plan.
"""

import math
from dataclasses import dataclass

from osler.core.errors import AskedWrongly
from osler.lab.plan.ask import Ask
from osler.lab.plan.fingerprint import ChannelPrint, Fingerprint
from osler.lab.plan.plan import Augmentation, Plan, Training, with_settings
from osler.models.model import NetPlan
from osler.models.recipe import Channel, Normalization, Recipe

ANISOTROPIC = 3.0  # a spacing this many times the finer ones makes an axis "thick" (Isensee et al. 2021)
SMALLEST = 4  # voxels an axis keeps at the deepest stage
FEW = 1000  # fewer tiny pictures than this are learnt better by a narrow net that sees them more often


@dataclass(frozen=True, slots=True)
class Machine:
    """What the training may use.

    accelerator   there is a GPU
    memory_bytes  free memory of the device
    """

    accelerator: bool
    memory_bytes: int


def make_plan(
    fingerprint: Fingerprint, ask: Ask, machine: Machine, *, task: str, classes: tuple[str, ...]
) -> Plan:
    """The plan for a data set that looks like `fingerprint`.

    Raises UnknownChoice or AskedWrongly for settings that cannot be meant.
    """
    because: dict[str, str] = {}
    if ask.settings.get("net") == "softmax" and task != "segmentation":
        plan = _softmax(fingerprint, ask, task, classes, because)
    elif task == "segmentation":
        plan = _segmentation(fingerprint, ask, machine, classes, because)
    else:
        plan = _whole_pictures(fingerprint, ask, machine, task, classes, because)
    if ask.settings.get("net", plan.net.name) != plan.net.name:
        others = "" if task == "segmentation" else ", or with softmax"
        raise AskedWrongly(
            f"The net {ask.settings['net']} does not learn {task} tasks.",
            remedy=f"They are learnt with the net {plan.net.name}{others}: leave --set net away.",
        )
    return with_settings(plan, ask.settings)


# --- normalization -------------------------------------------------------------------------------------------


def _channels(fingerprint: Fingerprint, because: dict[str, str]) -> tuple[Channel, ...]:
    channels = []
    for row in fingerprint.channels:
        rule, reason = _normalization(row, fingerprint)
        channels.append(Channel(row.name, row.modality, rule))
        because[f"normalization of {row.name}"] = reason
    return tuple(channels)


def _normalization(row: ChannelPrint, fingerprint: Fingerprint) -> tuple[Normalization, str]:
    if row.modality == "CT":
        return (
            Normalization("clip", row.low, row.high, row.mean, row.std),
            "CT numbers mean the same everywhere: clip to .5-99.5 % of the foreground, z-score by its numbers",
        )
    if row.modality == "PT":
        return (
            Normalization("clip", 0.0, max(row.high, 1e-3), row.mean, row.std),
            "uptake starts at 0 and has a long tail: clip at 99.5 % of the foreground, z-score by its numbers",
        )
    if fingerprint.colour:
        return (
            Normalization("fixed", mean=row.mean, std=row.std),
            "colour has a meaning of its own: the training set's mean and deviation of each colour",
        )
    if fingerprint.dims == 2 and row.eight_bit and max(fingerprint.shape) < 64:
        return Normalization(
            "fixed", mean=row.mean, std=row.std
        ), "tiny 8-bit pictures: the training set's numbers"
    if fingerprint.dims == 2:
        return (
            Normalization("percentile", 1.0, 99.0),
            "radiographs come in any bit depth: 1-99 % of each picture to -1..1",
        )
    return Normalization("zscore"), "numbers without a unit: each picture by its own mean and deviation"


# --- whole pictures: classes, grades, numbers ----------------------------------------------------------------


def _whole_pictures(
    fingerprint: Fingerprint,
    ask: Ask,
    machine: Machine,
    task: str,
    classes: tuple[str, ...],
    because: dict[str, str],
) -> Plan:
    size, fit = _whole_size(fingerprint, ask, machine, because)
    pixels = math.prod(size)
    tiny = max(size) <= 40
    few = tiny and fingerprint.dims == 2 and fingerprint.cases < FEW
    widths: tuple[int, ...] = (32, 64, 128) if tiny else (24, 48, 96, 192)
    if few:
        widths = (16, 32, 64)
    if fingerprint.dims == 3:
        widths = (16, 32, 64, 128)
    if machine.accelerator:
        widths = tuple(2 * w for w in widths)
    stem = 1 if tiny else 2
    because["net"] = "a pre-activated residual net: strong on small sets, quick on a CPU"
    because["widths"] = (
        f"fewer than {FEW} tiny pictures: a narrow net that sees each often answers better"
        if few
        else "as wide as tens of passes over the data allow in the budget"
    )
    because["stem"] = "small pictures keep their pixels" if stem == 1 else "large pictures are halved at once"
    batch = max(8, min(64, fingerprint.cases // 12, 4_000_000 // pixels))
    because["batch"] = f"{batch}: at least a dozen steps a pass, at most 64"
    members = (
        1 if machine.accelerator or fingerprint.dims == 3 else _members(fingerprint, pixels, few, ask, because)
    )
    return Plan(
        task=task,
        classes=classes,
        recipe=Recipe(
            dims=fingerprint.dims,
            colour=fingerprint.colour,
            channels=_channels(fingerprint, because),
            whole=True,
            size=size,
            fit=fit,
            target_mean=fingerprint.target_mean,
            target_std=fingerprint.target_std,
        ),
        net=NetPlan("resnet", {"widths": widths, "blocks": 2, "stem": stem, "dropout": 0.2}),
        training=Training(
            budget_seconds=ask.budget_seconds,
            batch=batch,
            members=members,
            rate=2e-3,
            weight_decay=0.05,
            balance=_balance(fingerprint, task, because),
            seed=ask.seed,
        ),
        augmentation=_whole_augmentation(fingerprint, task, because),
        because=because,
    )


def _whole_size(
    fingerprint: Fingerprint, ask: Ask, machine: Machine, because: dict[str, str]
) -> tuple[tuple[int, ...], str]:
    if fingerprint.dims == 3:
        most = 64 if machine.accelerator or ask.budget_seconds > 1800 else 40
        size = tuple(max(8, min(most, _round_to(n, 4))) for n in fingerprint.shape)
        because["size"] = f"the median volume {fingerprint.shape}, at most {most} a side in this budget"
        return size, "stretch"
    side = min(fingerprint.shape)
    if max(fingerprint.shape) <= 64:
        because["size"] = f"the pictures are small ({fingerprint.shape}): every pixel is kept"
        return fingerprint.shape, "stretch"
    most = 128 if ask.budget_seconds < 3600 and not machine.accelerator else 224
    edge = min(_round_to(side, 16), most)
    because["size"] = f"the shorter side is {side}; at most {most} in this budget"
    if fingerprint.uniform:
        because["fit"] = "every picture was brought to one size before: others are stretched to it likewise"
        return (edge, edge), "stretch"
    because["fit"] = "padding keeps the proportions of the anatomy"
    return (edge, edge), "pad"


def _members(fingerprint: Fingerprint, pixels: int, few: bool, ask: Ask, because: dict[str, str]) -> int:
    """Several nets where one would pass over the data more often than it needs to.

    Measured on two cores: tiny pictures, kept at full resolution, train at about .2 million pixels a second (.45
    with a narrow net), large ones, halved at once, at about 1 million. A net that saw its pictures, where they are
    few, fewer than about 40 times has hardly begun to tell them apart (docs/decisions/0020).
    """
    pace = (0.45e6 if few else 0.2e6) if max(fingerprint.shape) <= 64 else 1e6
    needed = 40 if few else 16
    passes = ask.budget_seconds * 0.8 * pace / (pixels * fingerprint.cases)
    members = max(1, min(5, int(passes / needed)))
    because["members"] = (
        f"about {passes:.0f} passes over the data fit the budget on two cores; a net needs about {needed}"
    )
    return members


def _balance(fingerprint: Fingerprint, task: str, because: dict[str, str]) -> float:
    if task not in ("binary", "multiclass") or not fingerprint.counts:
        return 0.0
    rarest = min(fingerprint.counts) / max(1, sum(fingerprint.counts)) * len(fingerprint.counts)
    if rarest < 0.2:
        because["balance"] = "one class is rarer than a fifth of its even share: it is drawn more often"
        return 0.5
    because["balance"] = "classes are balanced enough to be drawn as they come, so probabilities stay honest"
    return 0.0


def _whole_augmentation(fingerprint: Fingerprint, task: str, because: dict[str, str]) -> Augmentation:
    turned = fingerprint.colour  # photographs and tiles have no fixed up; radiographs and slices do
    flips: tuple[int, ...] = (0, 1) if turned else (fingerprint.dims - 1,)
    because["flips"] = (
        "colour pictures have no fixed up" if turned else "left and right may change places, up may not"
    )
    return Augmentation(
        flips=flips,
        chance=0.8,
        rotate=180.0 if turned else 12.0,
        scale=0.15,
        shift=0.08,
        intensity=0.5,
        brightness=0.2,
        contrast=0.25,
        gamma=0.25,
        noise=0.08,
        low_resolution=0.0 if max(fingerprint.shape) < 64 else 0.1,
        erase=0.25,
        mix=0.5 if task in ("binary", "multiclass", "ordinal", "multilabel") else 0.0,
    )


# --- segmentation --------------------------------------------------------------------------------------------


def _segmentation(
    fingerprint: Fingerprint, ask: Ask, machine: Machine, classes: tuple[str, ...], because: dict[str, str]
) -> Plan:
    flat = fingerprint.dims == 2
    spacing = None if fingerprint.spacing is None else _target_spacing(fingerprint, because)
    shape = fingerprint.shape
    if spacing is not None and fingerprint.spacing is not None:
        shape = tuple(
            max(1, round(n * s / t)) for n, s, t in zip(shape, fingerprint.spacing, spacing, strict=True)
        )
    size = _flat_size(shape, because) if flat else _window(shape, spacing, machine, because)
    strides, kernels = _stages(size, spacing or (1.0,) * len(size))
    # To the nearest multiple: a window beyond the median picture would train on the padding around it.
    size = tuple(_round_to(n, math.prod(s[a] for s in strides)) for a, n in enumerate(size))
    first = 32 if machine.accelerator else 16
    widths = tuple(min(first * 2**level, 320 if machine.accelerator else 128) for level in range(len(strides)))
    because["net"] = "a plain U-Net, hard to beat when trained well (Isensee et al. 2024); made lean for a CPU"
    because["encoder"] = "one convolution at full resolution, where they are dearest, two at each stage below"
    because["widths"] = f"{first} features at full resolution, doubled at each stage"
    because["strides"] = "an axis is halved while it keeps 4 voxels and is not coarser than its neighbours"
    voxels = math.prod(size)
    batch = max(2, min(16, (1_500_000 if machine.accelerator else 180_000) // voxels))
    because["batch"] = f"windows of {voxels} voxels: {batch} a step"
    thick = spacing is not None and max(spacing) / min(spacing) > ANISOTROPIC
    because["flips"] = "the net sees mirrored anatomy, so that the answer may be averaged over mirrors"
    because["foreground"] = "half of the windows hold a label, or a rare label would hardly be seen"
    return Plan(
        task="segmentation",
        classes=classes,
        recipe=Recipe(
            dims=fingerprint.dims,
            colour=fingerprint.colour,
            channels=_channels(fingerprint, because),
            whole=flat,
            size=size,
            fit="pad" if flat else "stretch",
            spacing=spacing,
            reference=fingerprint.reference,
        ),
        net=NetPlan(
            "unet",
            {
                "widths": widths,
                "strides": strides,
                "kernels": kernels,
                "encoder": (1, *(2,) * (len(strides) - 1)),
                "decoder": ((2 if machine.accelerator else 1),) * (len(strides) - 1),
                "supervised": min(3, len(strides) - 1),
            },
        ),
        training=Training(
            budget_seconds=ask.budget_seconds,
            batch=batch,
            rate=5e-3,
            weight_decay=0.01,
            foreground=0.5,
            seed=ask.seed,
        ),
        augmentation=Augmentation(
            flips=tuple(range(fingerprint.dims)) if not thick else tuple(range(1, fingerprint.dims)),
            chance=0.4,
            rotate=20.0,
            scale=0.2,
            shift=0.0,
            in_plane=thick,
            intensity=0.2,
            brightness=0.25,
            contrast=0.25,
            gamma=0.3,
            noise=0.1,
            low_resolution=0.1,
        ),
        because=because,
    )


def _target_spacing(fingerprint: Fingerprint, because: dict[str, str]) -> tuple[float, ...]:
    """The median, but a thick axis is resampled finer, to its 10th percentile (Isensee et al. 2021)."""
    assert fingerprint.spacing is not None and fingerprint.spacing_fine is not None
    spacing, shape = list(fingerprint.spacing), fingerprint.shape
    worst = max(range(len(spacing)), key=lambda axis: spacing[axis])
    others = [axis for axis in range(len(spacing)) if axis != worst]
    coarsest = max(spacing[axis] for axis in others)
    because["spacing"] = "the median of the training cases"
    if spacing[worst] > ANISOTROPIC * coarsest and shape[worst] * 3 < min(shape[axis] for axis in others):
        spacing[worst] = max(fingerprint.spacing_fine[worst], coarsest)
        because["spacing"] += "; the thick axis at its 10th percentile"
    return tuple(spacing)


def _flat_size(shape: tuple[int, ...], because: dict[str, str]) -> tuple[int, ...]:
    scale = min(1.0, 256 / max(shape))
    because["size"] = "the median picture, at most 256 a side"
    return tuple(max(SMALLEST * 4, round(n * scale)) for n in shape)


def _window(
    shape: tuple[int, ...], spacing: tuple[float, ...] | None, machine: Machine, because: dict[str, str]
) -> tuple[int, ...]:
    """The largest window of about equal sides in mm that the machine can train on often enough."""
    most = 128**3 if machine.accelerator else 44**3
    pitch = spacing or (1.0,) * len(shape)
    edge = (most * math.prod(pitch)) ** (1 / len(shape))
    for _ in range(8):  # axes shorter than the window leave room for the others
        size = [min(n, max(SMALLEST, round(edge / p))) for n, p in zip(shape, pitch, strict=True)]
        if math.prod(size) >= 0.9 * most or size == list(shape):
            break
        edge *= (most / math.prod(size)) ** (1 / len(shape))
    because["size"] = f"the median volume {tuple(shape)}, cut to about {most} voxels for this machine"
    return tuple(size)


def _stages(
    size: tuple[int, ...], spacing: tuple[float, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Strides and kernels of each stage: an axis is halved while it is fine enough and long enough."""
    current, pitch = list(size), list(spacing)
    strides = [(1,) * len(size)]
    kernels = [tuple(3 if p < 2 * min(pitch) else 1 for p in pitch)]
    while len(strides) < 6:
        halve = [n >= 2 * SMALLEST and p < 2 * min(pitch) for n, p in zip(current, pitch, strict=True)]
        if not any(halve):
            break
        strides.append(tuple(2 if h else 1 for h in halve))
        current = [-(-n // 2) if h else n for n, h in zip(current, halve, strict=True)]
        pitch = [p * 2 if h else p for p, h in zip(pitch, halve, strict=True)]
        kernels.append(tuple(3 if p < 2 * min(pitch) else 1 for p in pitch))
    return tuple(strides), tuple(kernels)


# --- the textbook example ------------------------------------------------------------------------------------


def _softmax(
    fingerprint: Fingerprint, ask: Ask, task: str, classes: tuple[str, ...], because: dict[str, str]
) -> Plan:
    because["net"] = "asked for: softmax regression by gradient descent on all cases at once, rate .5, 1000 steps"
    size = fingerprint.shape if max(fingerprint.shape) <= 64 else (28,) * fingerprint.dims
    channels = tuple(
        # Pixels to 0..1, as the textbook has them.
        Channel(row.name, row.modality, Normalization("fixed", std=(255.0 if row.eight_bit else row.high,)))
        for row in fingerprint.channels
    )
    return Plan(
        task=task,
        classes=classes,
        recipe=Recipe(fingerprint.dims, fingerprint.colour, channels, True, size),
        net=NetPlan("softmax", {}),
        training=Training(
            budget_seconds=ask.budget_seconds,
            steps=1000,
            optimizer="descent",
            rate=0.5,
            weight_decay=0.0,
            average=0.0,
            clip=0.0,
            precision="float32",
            seed=ask.seed,
        ),
        augmentation=Augmentation(),
        because=because,
    )


def _round_to(number: float, step: int) -> int:
    return max(step, round(number / step) * step)
