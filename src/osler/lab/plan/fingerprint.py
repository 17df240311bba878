"""What the training cases look like: sizes, spacings, numbers, balance. Never the test cases.

After nnU-Net's fingerprint (Isensee et al. 2021): intensities are pooled from the foreground where there is one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadDataset
from osler.core.image import Image
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.io.open import open_picture
from osler.lab.catalog.cases import open_label
from osler.lab.catalog.dataset import Case, Dataset, Source

ENOUGH = 400  # cases looked at; more would not move a median
DRAWN = 2000  # numbers drawn from each picture for the pools

MODALITY_WORDS = {
    "CT": ("ct", "hu"),
    "PT": ("pet", "pt", "suv"),
    "MR": ("mr", "mri", "t1", "t2", "flair", "adc", "dwi", "t1w", "t2w", "t1gd", "t1ce"),
    "DX": ("xray", "x-ray", "cr", "dx", "radiograph"),
    "US": ("us", "ultrasound"),
}


@dataclass(frozen=True, slots=True)
class ChannelPrint:
    """The numbers of one channel, pooled over training cases.

    modality    as the header or the channel's name says, "" where neither does
    eight_bit   all pictures hold whole numbers from 0 to 255
    low, high   percentiles .5 and 99.5
    mean, std   one number, three for colour
    """

    name: str
    modality: str
    eight_bit: bool
    low: float
    high: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the training cases look like.

    cases, patients  how many there are to train on
    dims             2 or 3
    colour           any of the images has colour
    shape            median size along (slices,) rows, columns, on the reference channel
    largest          largest size along each axis
    uniform          every picture has the same size
    spacing          median mm along each axis, None for images
    spacing_fine     10th percentile of the same
    channels         one row a channel
    counts           cases of each class, or of each label in the masks
    foreground       share of voxels that carry a label, median over cases; 0 where there are no masks
    reference        segmentation: the channel on whose grid the masks lie
    target_mean, target_std  regression: the pool of targets
    """

    cases: int
    patients: int
    dims: int
    colour: bool
    shape: tuple[int, ...]
    largest: tuple[int, ...]
    uniform: bool
    spacing: tuple[float, ...] | None
    spacing_fine: tuple[float, ...] | None
    channels: tuple[ChannelPrint, ...]
    counts: tuple[int, ...]
    foreground: float = 0.0
    reference: int = 0
    target_mean: float = 0.0
    target_std: float = 1.0


def take_fingerprint(train: Dataset, *, seed: int = 0, tell: Tell = silent) -> Fingerprint:
    """Look at the training cases (at most 400 of them, drawn by `seed`).

    Raises BadDataset when flat images and volumes are mixed, Unreadable for a file that cannot be opened.
    """
    order = np.random.default_rng(seed).permutation(len(train.cases))[:ENOUGH]
    looks = []
    for done, index in enumerate(order, start=1):
        looks.append(_look(train.cases[index], train, np.random.default_rng([seed, int(index)])))
        tell("looking", done, len(order), "")
    dims = {look.dims for look in looks}
    if len(dims) > 1:
        raise BadDataset(
            "The data set mixes flat images and volumes.", remedy="Train one model on each kind: split the folder."
        )
    shapes = np.array([look.shape for look in looks])
    spacings = np.array([look.spacing for look in looks]) if looks[0].spacing is not None else None
    targets = [float(case.label) for case in train.cases if isinstance(case.label, int | float)]
    return Fingerprint(
        cases=len(train.cases),
        patients=train.patients,
        dims=dims.pop(),
        colour=any(look.colour for look in looks),
        shape=tuple(int(n) for n in np.median(shapes, axis=0)),
        largest=tuple(int(n) for n in shapes.max(axis=0)),
        uniform=bool((shapes == shapes[0]).all()),
        spacing=None if spacings is None else tuple(float(s) for s in np.median(spacings, axis=0)),
        spacing_fine=None if spacings is None else tuple(float(s) for s in np.percentile(spacings, 10, axis=0)),
        channels=tuple(_pool(name, [look.channels[i] for look in looks]) for i, name in enumerate(train.channels)),
        counts=_counts(train, looks),
        foreground=float(np.median([look.foreground for look in looks])),
        reference=Counter(look.reference for look in looks).most_common(1)[0][0],
        target_mean=float(np.mean(targets)) if train.task == "regression" else 0.0,
        target_std=float(np.std(targets)) or 1.0 if train.task == "regression" else 1.0,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Numbers drawn from one picture, (n,) or (n, 3), and what else was seen of it."""

    modality: str
    eight_bit: bool
    numbers: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    dims: int
    colour: bool
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    channels: tuple[_Drawn, ...]
    present: tuple[bool, ...]
    foreground: float
    reference: int


def _look(case: Case, train: Dataset, random: np.random.Generator) -> _Look:
    pictures = [open_picture(source.path, source.item) for source in case.pictures]
    reference, labelled, foreground = 0, None, 0.0
    present: tuple[bool, ...] = ()
    if isinstance(case.label, Source):
        mask = open_label(case.label)
        reference = reference_channel(pictures, mask.array.shape)
        labelled = mask.array != train.label_values[0]
        present = tuple(bool((mask.array == value).any()) for value in train.label_values)
        foreground = float(labelled.mean())
    first = pictures[reference]
    return _Look(
        dims=3 if isinstance(first, Volume) else 2,
        colour=any(isinstance(p, Image) and colourful(p) for p in pictures),
        shape=first.array.shape[: 3 if isinstance(first, Volume) else 2],
        spacing=first.geometry.spacing if isinstance(first, Volume) else None,
        channels=tuple(_draw(p, labelled, random) for p in pictures),
        present=present,
        foreground=foreground,
        reference=reference,
    )


def colourful(image: Image) -> bool:
    """Has the picture colours that say anything? A grey picture saved as colour JPEG differs by a few levels."""
    if not image.colour:
        return False
    array = image.array[::2, ::2].astype(np.float32)
    spread = array.max(axis=2) - array.min(axis=2)
    return float(np.percentile(spread, 99)) > 0.04 * max(float(array.max()), 1.0)


def reference_channel(pictures: Sequence[Picture], shape: tuple[int, ...]) -> int:
    """The channel on whose grid a mask of `shape` lies; 0 where none fits (preparing says so then)."""
    for index, picture in enumerate(pictures):
        if picture.array.shape[: len(shape)] == shape:
            return index
    return 0


def _draw(picture: Picture, labelled: Array | None, random: np.random.Generator) -> _Drawn:
    array = picture.array
    if isinstance(picture, Image) and picture.colour:
        flat = array.reshape(-1, 3) if colourful(picture) else array.mean(axis=2).ravel()
    else:
        flat = array.ravel()
    if labelled is not None and labelled.size == len(flat) and labelled.any():
        flat = flat[labelled.ravel()]
    numbers = flat[random.integers(0, len(flat), DRAWN)]
    return _Drawn(picture.facts.modality, picture.array.dtype == np.uint8, numbers.astype(np.float32))


def _pool(name: str, drawn: list[_Drawn]) -> ChannelPrint:
    # A grey picture in a colour set counts as one with three equal colours.
    colour = any(d.numbers.ndim == 2 for d in drawn)
    numbers = np.concatenate(
        [np.repeat(d.numbers[:, None], 3, 1) if colour and d.numbers.ndim == 1 else d.numbers for d in drawn]
    )
    said = Counter(d.modality for d in drawn).most_common(1)[0][0]
    low, high = np.percentile(numbers, (0.5, 99.5))
    mean, std = np.atleast_1d(numbers.mean(0)), np.atleast_1d(numbers.std(0))
    return ChannelPrint(
        name=name,
        modality=said or modality_of(name),
        eight_bit=all(d.eight_bit for d in drawn),
        low=float(low),
        high=float(high),
        mean=tuple(float(x) for x in mean),
        std=tuple(max(float(x), 1e-6) for x in std),
    )


def modality_of(channel: str) -> str:
    """The modality that a channel's name speaks of, "" if none.

    >>> modality_of("T1"), modality_of("PET_image"), modality_of("image")
    ('MR', 'PT', '')
    """
    words = set(channel.lower().replace("_", " ").replace("-", " ").split()) | {channel.lower()}
    return next((modality for modality, known in MODALITY_WORDS.items() if words & set(known)), "")


def _counts(train: Dataset, looks: list[_Look]) -> tuple[int, ...]:
    if train.task == "segmentation":
        return tuple(int(n) for n in np.array([look.present for look in looks]).sum(0))
    if train.task == "multilabel":
        return tuple(int(n) for n in np.array([case.label for case in train.cases]).sum(0))
    counts = Counter(case.label for case in train.cases)
    return tuple(counts[number] for number in range(len(train.classes)))
