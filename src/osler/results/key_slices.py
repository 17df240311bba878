"""Which slices stand behind a reading: those that its key pictures show."""

from dataclasses import dataclass

from osler.core.arrays import Array
from osler.core.mask import Mask
from osler.core.origin import Origin
from osler.core.report import Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.overlay import best_slice
from osler.results.dicom_object import origins_of

MOST_SLICES = 4


@dataclass(frozen=True, slots=True, eq=False)
class KeySlice:
    """One slice, or one flat picture, that a reading rests on.

    picture  index of the study's picture
    index    of the slice in it, 0 for a flat picture
    origin   the DICOM object that it is
    labels   (rows, columns) of what was drawn on it, None where nothing was
    names    what each label is called
    """

    picture: int
    index: int
    origin: Origin
    labels: Array | None
    names: dict[int, str]


def key_slices(report: Report, study: Study) -> tuple[KeySlice, ...]:
    """The slices with most of what was outlined, and with most of each label; else slices spread over a volume.

    () for a declined report, and where the pictures did not come from DICOM.
    """
    drawn = {drawing.picture: drawing.mask for drawing in report.drawings}
    found: list[KeySlice] = []
    for index in pictures_read(report):
        origins = origins_of(study.pictures[index]) if index < len(study.pictures) else ()
        if not origins:
            continue
        mask = drawn.get(index)
        flat = not isinstance(study.pictures[index], Volume)
        for n in _places(mask, len(origins)):
            here = None if mask is None else (mask.array if flat else mask.array[n])
            shown = here if here is not None and here.any() else None
            found.append(KeySlice(index, n, origins[n], shown, {} if mask is None else mask.labels))
    return tuple(found)


def pictures_read(report: Report) -> tuple[int, ...]:
    """The pictures that a finding or a drawing speaks of, in order."""
    named = [finding.picture for finding in report.findings] + [drawing.picture for drawing in report.drawings]
    return tuple(sorted(set(named)))


def _places(mask: Mask | None, slices: int) -> list[int]:
    if slices == 1:
        return [0]
    if mask is None or not mask.array.any():
        return sorted({slices // 4, slices // 2, (3 * slices) // 4})
    largest = [best_slice(Mask(mask.of(label), {1: ""})) for label in mask.labels if mask.of(label).any()]
    return list(dict.fromkeys([best_slice(mask), *largest]))[:MOST_SLICES]
