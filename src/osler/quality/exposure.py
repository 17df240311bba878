"""Checks of the numbers in a picture: are they numbers, and do they show anything?"""

import numpy as np

from osler.core.arrays import Array
from osler.core.report import Problem
from osler.core.study import Picture

_ENOUGH = 500_000  # numbers that are looked at; shares are then right to a tenth of a per cent
_BURNT_OUT = 0.5  # half of the picture at the brightest value: what lies there cannot be judged
_CLIPPED = 0.1  # collimation, markers and lead letters stay well below a tenth of the field


def not_numbers(picture: Picture) -> Problem | None:
    """NaN or infinity anywhere."""
    if picture.array.dtype.kind != "f" or np.isfinite(picture.array).all():
        return None
    return Problem(
        "The picture holds NaN or infinite values.", "Repair the picture, or export it again.", "numbers"
    )


def blank(picture: Picture) -> Problem | None:
    """Nearly one value everywhere: from the 1st to the 99th percentile it changes by less than 1/500 of its level.

    An unexposed detector still shows noise, but hardly any contrast; the faintest real picture has percents.
    """
    sample = _sample(picture)
    low, high = np.percentile(sample, (1, 99))
    level = max(abs(float(low)), abs(float(high)))
    if sample.size and high - low > level / 500:
        return None
    return Problem(
        "The picture is blank: nearly all of it has one value.",
        "Check that the right file was sent and that the exposure succeeded.",
        "blank",
    )


def looks_like_a_mask(picture: Picture) -> Problem | None:
    """Three values or fewer: an outline or a label map, not a picture of anybody."""
    if len(np.unique(_sample(picture))) > 3:
        return None
    return Problem(
        "The picture has three grey values or fewer: it is a mask or a drawing, not a picture of a patient.",
        "Send the picture that the mask was drawn on.",
        "mask",
    )


def burnt_out(picture: Picture) -> Problem | None:
    """Half of the picture or more at the brightest value."""
    share = _share_at_brightest(picture)
    if share < _BURNT_OUT:
        return None
    return Problem(
        f"{share:.0%} of the picture is at the brightest value: what lies there cannot be judged.",
        "Take the picture again with less exposure, or export it with a wider window.",
        "burnt_out",
    )


def clipped(picture: Picture) -> Problem | None:
    """A tenth of the picture or more at the brightest value."""
    share = _share_at_brightest(picture)
    if share < _CLIPPED:
        return None
    return Problem(
        f"{share:.0%} of the picture is at the brightest value: detail there is lost.",
        "Mind the bright parts when you compare; export it with a wider window if you can.",
        "clipped",
    )


def _share_at_brightest(picture: Picture) -> float:
    sample = _sample(picture)
    return float((sample == sample.max()).mean())


def _sample(picture: Picture) -> Array:
    """Numbers spread evenly over the picture, colours apart, (n,)."""
    flat = picture.array.reshape(-1)
    # An odd step does not fall into the rhythm of rows of even length.
    step = max(1, flat.size // _ENOUGH) | 1
    sample: Array = flat[::step] if step > 1 else flat
    return sample
