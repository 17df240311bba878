"""Pictures made worse on purpose, as devices, archives and hasty hands do it.

Each function takes a picture as it came from the file, so that the model's own normalization sees what was done,
and a strength; whole numbers stay whole numbers of their type. Grey values are counted in the span from the 0.5th
to the 99.5th percentile of the picture.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.resample import resize

Worsen = Callable[[Picture, float, np.random.Generator], Picture]
_SPAN = (0.5, 99.5)  # percentiles
_CALIBRATED = ("HU", "SUV")


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way of making a picture worse.

    strengths  from mild to severe
    words      what a strength means, with {} for it
    worsen     picture, strength, dice -> picture
    fits       does it make sense for such a picture?
    turns      the reference masks move along
    """

    name: str
    strengths: tuple[float, ...]
    words: str
    worsen: Worsen
    fits: Callable[[Picture], bool] = lambda picture: True
    turns: bool = False

    def said(self, strength: float) -> str:
        """What this strength means."""
        return self.words.format(f"{strength:g}", percent=f"{100 * strength:g}")


def noisy(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """White Gaussian noise; strength: its deviation as a share of the span."""
    _, span = _spread(picture)
    noise = random.standard_normal(picture.array.shape, dtype=np.float32)
    return _like(picture, picture.array + strength * span * noise)


def blurred(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Gaussian blur in the plane; strength: its deviation as a share of the shorter side, at least 100 pixels."""
    from scipy import ndimage

    rows, columns = _plane(picture)
    # Of a picture of 28 pixels, 2 % is half a pixel, which blurs nothing.
    sigma = strength * max(100, min(picture.array.shape[rows], picture.array.shape[columns]))
    sigmas = [sigma if axis in (rows, columns) else 0.0 for axis in range(picture.array.ndim)]
    return _like(picture, ndimage.gaussian_filter(picture.array.astype(np.float32), sigmas))


def coarser(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Shrunk in the plane by the factor `strength`, and enlarged again."""
    size = _plane_size(picture)
    small = tuple(max(1, round(n / strength)) for n in size)
    if isinstance(picture, Image):
        return _like(picture, resize(resize(picture.array, small), size))
    slices = picture.array.shape[0]
    return _like(picture, resize(resize(picture.array, (slices, *small)), (slices, *size)))


def brighter(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Everything brighter by a share of the span; what leaves the range of the type is cut off."""
    _, span = _spread(picture)
    return _like(picture, picture.array.astype(np.float32) + strength * span)


def flatter(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Less contrast: differences from the mean shrunk to `strength`."""
    values = picture.array.astype(np.float32)
    middle = float(values.mean())
    return _like(picture, middle + strength * (values - middle))


def bent(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Another grey curve: (value / span) to the power of `strength`."""
    low, span = _spread(picture)
    values = picture.array.astype(np.float32)
    inside = np.clip((values - low) / span, 0, 1)
    # What lies outside of the span stays as far outside.
    return _like(picture, values + span * (inside**strength - inside))


def turned(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Turned in the plane by `strength` degrees about the middle; new corners take the nearest edge."""
    return _like(picture, _turned(picture.array.astype(np.float32), strength, _plane(picture), order=1))


def turned_mask(mask: Mask, degrees: float) -> Mask:
    """The reference moved along with `turned`."""
    axes = (mask.array.ndim - 2, mask.array.ndim - 1)
    return replace(mask, array=_turned(mask.array, degrees, axes, order=0))


def squeezed(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """Through JPEG at quality `strength`, in 8 bits from the darkest to the brightest value."""
    from PIL import Image as Pillow

    values = picture.array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if picture.array.dtype == np.uint8:
        low, high = 0.0, 255.0
    span = max(high - low, 1e-6)
    written = io.BytesIO()
    eight = np.clip((values - low) / span * 255 + 0.5, 0, 255).astype(np.uint8)
    Pillow.fromarray(eight).save(written, format="JPEG", quality=int(strength))
    back = np.asarray(Pillow.open(written), np.float32)
    return _like(picture, back / 255 * span + low)


def gappy(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """A share of the slices lost at random, never the first; the slice before stands in their place."""
    slices = picture.array.shape[0]
    lost = random.choice(np.arange(1, slices), size=min(slices - 1, round(strength * slices)), replace=False)
    source = np.arange(slices)
    source[lost] = 0
    return _like(picture, picture.array[np.maximum.accumulate(source)])


def uneven(picture: Picture, strength: float, random: np.random.Generator) -> Picture:
    """A smooth field over the picture, as a receive coil makes it: factors from 1 - strength to 1 + strength.

    A quadratic of random coefficients along the axes, as bias fields are commonly modelled.
    """
    axes = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in picture.array.shape), indexing="ij")
    terms: list[Floats] = [*axes, *(axis**2 for axis in axes)]
    terms += [one * other for place, one in enumerate(axes) for other in axes[place + 1 :]]
    weights = random.standard_normal(len(terms))
    field = np.sum([weight * term for weight, term in zip(weights, terms, strict=True)], axis=0)
    field = 2 * (field - field.min()) / max(float(np.ptp(field)), 1e-6) - 1
    values = picture.array.astype(np.float32)
    low = float(values.min())
    return _like(picture, low + (values - low) * (1 + strength * field))


def degradations_for(picture: Picture) -> tuple[Degradation, ...]:
    """Those that make sense for such pictures."""
    return tuple(one for one in DEGRADATIONS if one.fits(picture))


def _uncalibrated(picture: Picture) -> bool:
    """Where numbers have a unit, devices keep them: a CT does not come brighter."""
    return not (isinstance(picture, Volume) and picture.unit in _CALIBRATED)


def _mr_like(picture: Picture) -> bool:
    return isinstance(picture, Volume) and _uncalibrated(picture) and picture.facts.modality in ("", "MR")


def _many_slices(picture: Picture) -> bool:
    return isinstance(picture, Volume) and picture.array.shape[0] >= 4


DEGRADATIONS = (
    Degradation("noise", (0.02, 0.05, 0.1), "deviation {percent} % of the grey span", noisy),
    Degradation(
        "blur",
        (0.005, 0.01, 0.02),
        "deviation {percent} % of the shorter side, {percent} pixels at least",
        blurred,
    ),
    Degradation("lower resolution", (1.5, 2.0, 4.0), "{} times fewer pixels a side", coarser),
    Degradation("brighter", (0.1, 0.2, 0.3), "by {percent} % of the grey span", brighter, _uncalibrated),
    Degradation("less contrast", (0.8, 0.6, 0.4), "down to {percent} %", flatter, _uncalibrated),
    Degradation("gamma", (0.8, 1.4, 2.0), "grey values to the power of {}", bent, _uncalibrated),
    Degradation("rotation", (3.0, 7.0, 15.0), "{} degrees in the plane", turned, turns=True),
    Degradation("JPEG", (50.0, 20.0, 10.0), "quality {}", squeezed, lambda picture: isinstance(picture, Image)),
    Degradation("missing slices", (0.05, 0.15, 0.3), "{percent} % of the slices", gappy, _many_slices),
    Degradation("bias field", (0.2, 0.4, 0.7), "brightness up to {percent} % off", uneven, _mr_like),
)


def _plane(picture: Picture) -> tuple[int, int]:
    """The axes of rows and columns."""
    return (0, 1) if isinstance(picture, Image) else (1, 2)


def _plane_size(picture: Picture) -> tuple[int, int]:
    rows, columns = _plane(picture)
    return picture.array.shape[rows], picture.array.shape[columns]


def _spread(picture: Picture) -> tuple[float, float]:
    """(lowest, highest - lowest) of the grey values, outliers left out."""
    low, high = np.percentile(picture.array, _SPAN)
    return float(low), max(float(high - low), 1e-6)


def _turned(array: Array, degrees: float, axes: tuple[int, int], *, order: Literal[0, 1]) -> Array:
    from scipy import ndimage

    moved: Array = ndimage.rotate(array, degrees, axes=axes, reshape=False, order=order, mode="nearest")
    return moved


def _like(picture: Picture, values: Array) -> Picture:
    """The picture with other numbers, of its own type."""
    kind = picture.array.dtype
    if np.issubdtype(kind, np.integer):
        ends = np.iinfo(kind)
        values = np.clip(np.rint(values), ends.min, ends.max)
    return picture.with_array(np.ascontiguousarray(values, dtype=kind))
