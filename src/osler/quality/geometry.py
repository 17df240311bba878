"""Checks of a picture's size, shape and millimetres."""

from osler.core.image import Image
from osler.core.report import Problem
from osler.core.study import Picture
from osler.core.volume import Volume

_TINY = 16  # pixels: below this no structure of an organ is left
_SMALL = 96  # pixels: a thumbnail; fine detail is gone
_STRIP = 6.0  # a panoramic jaw is 2 to 1, a whole spine 3 to 1, a scout 4 to 1
_FEW = 3  # slices
_THICK = 8.0  # slice distance over pixel distance: volumes and diameters across slices become guesses


def tiny(picture: Picture) -> Problem | None:
    """A side of fewer than 16 pixels."""
    rows, columns = _plane(picture)
    if min(rows, columns) >= _TINY:
        return None
    return Problem(
        f"The picture has {columns} by {rows} pixels: too few to show anything.",
        "Send the original, not a thumbnail.",
        "tiny",
    )


def small(picture: Picture) -> Problem | None:
    """A flat picture with a side of fewer than 96 pixels."""
    rows, columns = _plane(picture)
    if isinstance(picture, Volume) or min(rows, columns) >= _SMALL:
        return None
    return Problem(
        f"The picture has only {columns} by {rows} pixels; fine detail is missing.",
        "Send the original where there is one.",
        "small",
    )


def strip(picture: Picture) -> Problem | None:
    """A flat picture more than six times as long as it is wide."""
    rows, columns = _plane(picture)
    if isinstance(picture, Volume) or max(rows, columns) <= _STRIP * min(rows, columns):
        return None
    return Problem(
        f"The picture has {columns} by {rows} pixels: a strip, not a picture of an organ.",
        "Check that the right file was sent.",
        "strip",
    )


def few_slices(picture: Picture) -> Problem | None:
    """A volume of fewer than three slices."""
    if isinstance(picture, Image) or picture.array.shape[0] >= _FEW:
        return None
    return Problem(
        f"The series has {_counted(picture.array.shape[0], 'slice')}: too few for a reading in three dimensions.",
        "Send the whole series.",
        "few_slices",
    )


def thick_slices(picture: Picture) -> Problem | None:
    """Slices more than eight times as far apart as pixels."""
    if isinstance(picture, Image):
        return None
    between, *inside = picture.geometry.spacing
    if between <= _THICK * min(inside):
        return None
    return Problem(
        f"Slices lie {between:.1f} mm apart, pixels {min(inside):.2f} mm; measurements across slices are rough.",
        "Use the series with the thinnest slices.",
        "thick_slices",
    )


def spacing_missing(picture: Picture) -> Problem | None:
    """A flat picture whose file does not say how large a pixel is."""
    if isinstance(picture, Volume) or picture.spacing_mm is not None:
        return None
    return Problem(
        "The file does not say how large a pixel is; sizes are given in pixels.",
        "Send the DICOM original for sizes in millimetres.",
        "spacing_missing",
    )


def spacing_odd(picture: Picture) -> Problem | None:
    """Neighbours closer than a hundredth of a millimetre or further apart than 2.5 cm: no scanner makes these."""
    spacing = picture.geometry.spacing if isinstance(picture, Volume) else picture.spacing_mm
    if spacing is None or (min(spacing) >= 0.01 and max(spacing) <= 25):
        return None
    said = " x ".join(f"{mm:.3g}" for mm in spacing)
    return Problem(
        f"The file says that neighbours lie {said} mm apart, which no scanner makes; sizes may be wrong.",
        "Check the spacing in the header.",
        "spacing_odd",
    )


def _plane(picture: Picture) -> tuple[int, int]:
    """(rows, columns)"""
    rows, columns = picture.array.shape[:2] if isinstance(picture, Image) else picture.array.shape[1:]
    return int(rows), int(columns)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
