"""Which slices make a volume: stacks, films, and what is neither, from headers alone.

Slices are sorted by where they lie along their normal, never by their numbers. See docs/why/geometry.md.
Source of the affine: DICOM PS3.3 C.7.6.2.1.1. PixelSpacing is (between rows, between columns).
"""

import hashlib
import itertools
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry
from osler.io.dicom.parse import number, text
from osler.io.dicom.pixels import decode
from osler.io.dicom.plane import SORTS, Plane, Sort, moment, natural, told

_SAME_PLACE_MM = 0.01
_STRAY_MM = 0.1  # positions are often rounded to a tenth
_SAME_ANGLE = np.radians(0.1)
_TILTED = 0.5  # degrees; below, it is rounding
_FEWEST = 3  # slices from which a step can be told from a gap
_FEW_COPIES = 8  # more pictures in one place are a film, and nobody compares them
_SCOUTS = 3  # so few slices in several orientations are for planning a scan


_NO_VOLUME = 1e-9  # mm3 of one voxel


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices that make one volume, sorted along their normal.

    affine  (4, 4): voxel index (slice, row, column, 1) -> LPS mm; sheared where the gantry was tilted
    notes   what a reader should know of it, a sentence each
    """

    planes: tuple[Plane, ...]
    affine: Array
    notes: tuple[str, ...] = ()

    def geometry(self, rows: int, columns: int) -> Geometry:
        return Geometry((len(self.planes), rows, columns), self.affine)


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """What one series is made of.

    stacks    volumes, in the order of what tells them apart
    films     slices that all lie in the same place, in order of time
    scouts    few slices in several orientations: pictures for planning, each for itself
    failures  what makes no volume, and why
    """

    stacks: tuple[Stack, ...] = ()
    films: tuple[tuple[Plane, ...], ...] = ()
    scouts: tuple[Plane, ...] = ()
    failures: tuple[BadGeometry, ...] = ()


def group(planes: Sequence[Plane], name: str) -> Grouped:
    """Sort the slices of one series into volumes and films.

    They are split by frame of reference, orientation, pixel size and what makes another kind of picture (echo,
    b-value, kernel ...); slices that lie in the same place by whatever tells them apart, last by time.
    """
    stacks: list[Stack] = []
    films: list[tuple[Plane, ...]] = []
    scouts: list[Plane] = []
    failures: list[BadGeometry] = []
    for frame in _parted(planes, lambda one: text(one.instance.header, "FrameOfReferenceUID")):
        turned = _alike(frame, _same_way)
        if len(turned) > 1 and len(frame) <= _SCOUTS:
            scouts += frame
            continue
        for refuse, clusters in ((_mixed_orientations, turned), (_mixed_sizes, _alike(frame, _same_size))):
            if len(clusters) > 1 and min(len(one) for one in clusters) < _FEWEST:
                failures.append(refuse(name, clusters))
                break
        else:
            for way in turned:
                for part in _alike(way, _same_size):
                    _stack_up(part, name, stacks, films, failures)
    return Grouped(tuple(stacks), tuple(films), tuple(scouts), tuple(failures))


def _stack_up(
    planes: list[Plane],
    name: str,
    stacks: list[Stack],
    films: list[tuple[Plane, ...]],
    failures: list[BadGeometry],
) -> None:
    """Add what these slices of one orientation and pixel size make."""
    for kind in _kinds(planes):
        try:
            for part, notes in _untangled(kind, name):
                if len(part) > 1 and len(_places(part)) == 1:
                    films.append(tuple(sorted(part, key=moment)))
                else:
                    stacks += [replace(one, notes=(*one.notes, *notes)) for one in _even_stacks(part, name)]
        except BadGeometry as error:
            failures.append(error)


def _parted(planes: Sequence[Plane], key: Callable[[Plane], Hashable]) -> list[list[Plane]]:
    groups: dict[Hashable, list[Plane]] = {}
    for one in planes:
        groups.setdefault(key(one), []).append(one)
    return list(groups.values())


def _alike(planes: Sequence[Plane], same: Callable[[Plane, Plane], bool]) -> list[list[Plane]]:
    """Clusters around the first of each."""
    clusters: list[list[Plane]] = []
    for one in planes:
        for cluster in clusters:
            if same(one, cluster[0]):
                cluster.append(one)
                break
        else:
            clusters.append([one])
    return clusters


def _same_way(one: Plane, other: Plane) -> bool:
    # Compared by value first: in nearly every series all are exactly equal.
    return (
        bool((one.along_row == other.along_row).all() and (one.along_column == other.along_column).all())
        or max(_angle(one.along_row, other.along_row), _angle(one.along_column, other.along_column)) <= _SAME_ANGLE
    )


def _same_size(one: Plane, other: Plane) -> bool:
    return all(abs(a - b) <= 1e-3 * b for a, b in zip(one.spacing, other.spacing, strict=True))


def _angle(one: Array, other: Array) -> float:
    return float(np.linalg.norm(np.cross(one, other))) if one @ other > 0 else np.pi


def _kinds(planes: list[Plane]) -> list[list[Plane]]:
    """Split by what makes another kind of picture, where each kind is a whole stack of its own: two kernels whose
    slices lie between each other, or follow each other, must not become one volume. Where a kind has but a few
    slices, it is a header's whim, and the stack is kept together."""
    parts = [planes]
    for sort in SORTS:
        if not sort.means:
            continue
        split = []
        for part in parts:
            kinds = _by(part, sort)
            whole = len(kinds) > 1 and all(len(one) >= _FEWEST and _is_even(one) for one in kinds)
            split += kinds if whole else [part]
        parts = split
    return parts


def _by(planes: list[Plane], sort: Sort) -> list[list[Plane]]:
    """Parted by `sort`, in its order."""
    values = {id(one): told(one, sort) for one in planes}
    if len(set(values.values())) == 1:
        return [planes]
    ordered = sorted(planes, key=lambda one: natural(values[id(one)]))
    return _parted(ordered, lambda one: values[id(one)])


def _along(planes: Sequence[Plane]) -> Array:
    """(N,) mm along the normal of the first."""
    return np.array([one.position for one in planes]) @ planes[0].normal


def _places(planes: Sequence[Plane]) -> list[float]:
    """Where slices lie along the normal, each place once, sorted."""
    along = np.sort(_along(planes))
    return [float(one) for one in along[np.diff(along, prepend=-np.inf) >= _SAME_PLACE_MM]]


def _is_even(planes: list[Plane]) -> bool:
    places = np.array(_places(planes))
    steps = np.diff(places)
    return len(steps) < 2 or bool(np.abs(steps - np.median(steps)).max() <= _tolerance(float(np.median(steps))))


def _tolerance(step: float) -> float:
    return max(_STRAY_MM, 0.02 * step)


def _untangled(planes: list[Plane], name: str) -> list[tuple[list[Plane], tuple[str, ...]]]:
    """Stacks in which no place occurs twice (or a film: all in one place), each with its notes."""
    places = _places(planes)
    if len(places) == len(planes):
        return [(planes, ())]
    if len(places) == 1 and _is_film(planes):
        return [(planes, ())]
    for sort in SORTS:
        parts = _by(planes, sort)
        if len(parts) > 1 and all(_covers(part, places) for part in parts):
            return [found for part in parts for found in _untangled(part, name)]
    for sort in SORTS:
        parts = _by(planes, sort)
        clean = all(len(part) >= _FEWEST and len(_places(part)) == len(part) and _is_even(part) for part in parts)
        if len(parts) > 1 and clean:
            return [(part, ()) for part in parts]
    kept = _without_copies(planes)
    if len(kept) < len(planes):
        count = len(planes) - len(kept)
        note = f"{count} {'slice is a copy' if count == 1 else 'slices are copies'} of others and left out."
        return [(part, (note, *notes)) for part, notes in _untangled(kept, name)]
    times = len(planes) // len(places)
    stacked = _by_place(planes, places)
    if all(len(one) == times for one in stacked):
        ordered = [sorted(one, key=moment) for one in stacked]
        note = f"Its slices were repeated {times} times and are told apart only by their order in time."
        return [([one[n] for one in ordered], (note,)) for n in range(times)]
    several = [place for place, one in zip(places, stacked, strict=True) if len(one) > 1]
    raise BadGeometry(
        f"{name} has {len(planes) - len(places)} slices too many: different ones lie at {_listed(several)}, and "
        "nothing in their headers tells which belong together.",
        remedy="Remove the duplicates, or give each phase as a series of its own.",
    )


def _is_film(planes: list[Plane]) -> bool:
    """Are these pictures of one place, and not one picture copied?"""
    told_apart = any(len(_by(planes, sort)) == len(planes) for sort in SORTS)
    return told_apart or len(planes) > _FEW_COPIES or len(_without_copies(planes)) > 1


def _covers(part: list[Plane], places: list[float]) -> bool:
    own = _places(part)
    return len(own) == len(places) and bool(np.abs(np.subtract(own, places)).max() < 2 * _SAME_PLACE_MM)


def _by_place(planes: list[Plane], places: list[float]) -> list[list[Plane]]:
    nearest = np.abs(_along(planes)[:, None] - np.array(places)).argmin(axis=1)
    stacked: list[list[Plane]] = [[] for _ in places]
    for one, where in zip(planes, nearest, strict=True):
        stacked[where].append(one)
    return stacked


def _without_copies(planes: list[Plane]) -> list[Plane]:
    """Of slices in the same place with the same pixels and scale, only the first."""
    kept: list[Plane] = []
    for stacked in _by_place(planes, _places(planes)):
        known: set[Hashable] = set()
        for one in sorted(stacked, key=moment):
            seen = _fingerprint(one) if len(stacked) > 1 else None
            if seen is None or seen not in known:
                kept.append(one)
            known.add(seen)
    return kept


def _fingerprint(plane: Plane) -> Hashable:
    pixels = decode(plane.instance.header, plane.instance.path, [plane.frame or 0])
    return plane.scale, pixels.dtype.str, hashlib.sha256(pixels.tobytes()).hexdigest()


def _even_stacks(planes: list[Plane], name: str) -> list[Stack]:
    """One stack; several where the step changes on the way, as from 1 mm to 5 mm.

    Raises BadGeometry for missing slices, for too few, and for slices that do not lie in even steps.
    """
    planes = sorted(planes, key=lambda one: float(one.position @ planes[0].normal))
    runs = _runs(_along(planes))
    if len(runs) < 2:
        return [_stack(planes, name)]
    stacks = [_stack(planes[first:last], name) for first, last in runs]
    steps = ", ".join(f"{np.linalg.norm(one.affine[:3, 0]):.2f}" for one in stacks)
    note = f"The series changes its step on the way ({steps} mm) and was split there."
    return [replace(one, notes=(*one.notes, note)) for one in stacks]


def _runs(along: Array) -> list[tuple[int, int]]:
    """(first, past last) of stretches with one step each; [] unless each has three slices and holds all.

    A single wide step is no stretch but a gap, and stretches of one step around it are a stack with a hole.
    """
    steps = np.diff(along)
    runs: list[tuple[int, int]] = []
    at = 0
    while at < len(along):
        last = at + 1
        while last < len(along) and abs(steps[last - 1] - steps[at]) <= _tolerance(float(steps[at])):
            last += 1
        runs.append((at, last))
        at = last
    widths = [float(steps[first]) for first, last in runs if last - first >= _FEWEST]
    if len(runs) < 2 or len(widths) < len(runs):
        return []
    different = all(abs(a - b) > _tolerance(min(a, b)) for a, b in itertools.pairwise(widths))
    return runs if different else []


def _stack(planes: list[Plane], name: str) -> Stack:
    """The grid of a sorted stack. A tilted gantry gives a sheared one, which is exact and stays."""
    first = planes[0]
    normal = first.normal
    notes: list[str] = []
    if len(planes) == 1:
        step = normal * (first.gap or first.thickness or 1.0)
        if not first.gap and not first.thickness:
            notes.append("It is one slice of unknown thickness; 1 mm is assumed.")
    else:
        step = _step(planes, name)
    tilt = np.degrees(np.arccos(np.clip(float(step @ normal) / float(np.linalg.norm(step)), -1, 1)))
    if tilt > _TILTED:
        notes.append(
            f"The slices are sheared against each other by {tilt:.1f} degrees, as with a gantry tilt; "
            "the grid follows them exactly."
        )
    lost = _spoken_of(planes)
    if lost:
        notes.append(lost)
    affine = np.eye(4)
    affine[:3, 0] = step
    affine[:3, 1] = first.along_column * first.spacing[0]
    affine[:3, 2] = first.along_row * first.spacing[1]
    affine[:3, 3] = first.position
    if not abs(np.linalg.det(affine[:3, :3])) > _NO_VOLUME:
        raise BadGeometry(
            f"{name} spans no volume: its pixels or steps are next to nothing, or lie along each other.",
            remedy="Repair the orientation and spacing in the headers, or export it again.",
        )
    return Stack(tuple(planes), affine, tuple(notes))


def _step(planes: list[Plane], name: str) -> Array:
    """(3,) mm from each slice to the next. Raises BadGeometry where that is not one and the same."""
    positions = np.array([one.position for one in planes])
    along = positions @ planes[0].normal
    steps = np.diff(along)
    usual = float(np.median(steps))
    if len(planes) == 2:
        _check_pair(planes, usual, name)
    gaps = [n for n, one in enumerate(steps) if one > 1.5 * usual]
    if gaps:
        missing = [
            float(along[n]) + usual * k
            for n in gaps
            for k in range(1, min(10_000, max(2, round(float(steps[n]) / usual))))
        ]
        raise BadGeometry(
            f"{name} has a gap: about {len(missing)} of {len(planes) + len(missing)} slices are missing, at "
            f"{_listed(missing)}; the slices lie {usual:.2f} mm from each other.",
            remedy="Send the series again; measurements across the gap would be wrong.",
        )
    step: Array = (positions[-1] - positions[0]) / (len(planes) - 1)
    off = np.abs(positions - (positions[0] + np.arange(len(planes))[:, None] * step)).max(axis=1)
    if off.max() > _tolerance(usual):
        raise BadGeometry(
            f"{name} does not lie in even steps: a slice is {off.max():.1f} mm from where it should be, at "
            f"{_listed([float(along[int(off.argmax())])])}.",
            remedy="Reconstruct the series with even steps.",
        )
    return step


def _check_pair(planes: list[Plane], step: float, name: str) -> None:
    """Of two slices nobody sees whether one is missing between them, unless the header gives their distance."""
    told_mm = max(max(one.gap, one.thickness) for one in planes)
    if step > 1.5 * told_mm:
        why = "their distance" if not told_mm else f"their thickness of {told_mm:g} mm"
        raise BadGeometry(
            f"{name} has only 2 slices, {step:.2f} mm apart: too few to see whether slices are missing between "
            f"them, and {why} does not say so.",
            remedy="Give the whole series, or open one slice by itself.",
        )


def _spoken_of(planes: list[Plane]) -> str:
    """A note where the header says how many slices there should be, and it is another number."""
    header = planes[0].instance.header
    should = number(header, "NumberOfSlices") if text(header, "Modality") == "PT" else None
    if should and planes[0].frame is None and should > len(planes) > 1:
        return f"The header speaks of {should:.0f} slices, {len(planes)} are here."
    return ""


def _mixed_orientations(name: str, clusters: list[list[Plane]]) -> BadGeometry:
    return BadGeometry(
        f"{name} mixes orientations: its slices look in {len(clusters)} directions ({_counts(clusters)} slices), "
        f"and not each has the {_FEWEST} slices that make a volume.",
        remedy="Give each orientation as a series of its own.",
    )


def _mixed_sizes(name: str, clusters: list[list[Plane]]) -> BadGeometry:
    return BadGeometry(
        f"{name} mixes pixel sizes: {len(clusters)} of them ({_counts(clusters)} slices), and not each has the "
        f"{_FEWEST} slices that make a volume.",
        remedy="Give the slices of each pixel size as a series of its own.",
    )


def _counts(clusters: list[list[Plane]]) -> str:
    return ", ".join(str(len(one)) for one in clusters[:6]) + (", ..." if len(clusters) > 6 else "")


def _listed(along: Sequence[float]) -> str:
    named = ", ".join(f"{x:.1f}" for x in along[:8])
    return f"{named}{', ...' if len(along) > 8 else ''} mm along the stack"
