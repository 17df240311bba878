"""What has become of a patient's lesions since an earlier study, and by how much a measure has changed.

Sources: Schwartz 1961, Cancer 14: 1272-1294 (doubling time); Raunig et al. 2015, Stat Methods Med Res 24: 27-67,
and Lodge 2017, J Nucl Med 58: 523-532 (repeatability of a measure, and of SUV, on the scale of logarithms).
"""

import math
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.results.sentences import say

_LEAST_OVERLAP = 0.1  # of the smaller lesion: neighbours that only touch after a slip of a voxel are not one
_REACH_MM = 20.0  # between centres, once registered, beyond which two lesions are never taken for one


@dataclass(frozen=True, slots=True)
class Match:
    """Lesions that are one across time.

    now, earlier  labels in each mask, ascending; () where there is none
    became        "same", "split" (one earlier, several now), "merged" (several earlier, one now), "regrouped"
                  (several both times), "new" or "gone"
    by            "overlap" or "distance"; "" for new and gone ones
    overlap       shared volume over that of the smaller side, 0 to 1
    distance_mm   between the centres of mass, earlier lesions moved onto the study of now; None for new and gone
    """

    now: tuple[int, ...]
    earlier: tuple[int, ...]
    became: str
    by: str = ""
    overlap: float = 0.0
    distance_mm: float | None = None


def match_lesions(
    now: Mask, earlier: Mask, *, onto: Array | None = None, reach_mm: float = _REACH_MM
) -> tuple[Match, ...]:
    """Which lesion of now is which earlier one; every label of both masks is in exactly one match.

    now, earlier  a label for each lesion, each mask on its own grid
    onto          (4, 4) from places in `now` to places in `earlier`, LPS mm, as `register_rigid(now, earlier)`
                  gives; None where both studies share one frame of reference
    reach_mm      farthest that the centres of lesions without overlap may lie apart

    Lesions belong together that share at least a tenth of the smaller one's volume; the rest are paired one to
    one by the distance of their centres, so that all distances together are least. Matches are in the order of
    the labels of now; lesions that are gone come last.

    Raises BadGeometry for flat masks and for a matrix that turns nothing into a place.
    """
    moved = np.eye(4) if onto is None else np.asarray(onto, float)
    if now.geometry is None or earlier.geometry is None or moved.shape != (4, 4) or not np.isfinite(moved).all():
        raise BadGeometry(
            "Lesions can only be followed between two volumes and a 4 by 4 matrix from one to the other.",
            remedy="Give masks of volumes, and register the two studies first.",
        )
    first, then = _Lesions.of(now), _Lesions.of(earlier)
    centres = first.centres @ moved[:3, :3].T + moved[:3, 3]
    shared = _shared_ml(now, earlier, moved, first, then)
    smaller = np.minimum(first.ml[:, None], then.ml[None])
    groups = _groups(shared >= _LEAST_OVERLAP * smaller)
    found, apart = [], np.linalg.norm(centres[:, None] - then.centres[None], axis=2)
    for mine, theirs in groups:
        between = _middle(centres, first.ml, mine) - _middle(then.centres, then.ml, theirs)
        share = shared[np.ix_(mine, theirs)].sum() / min(first.ml[mine].sum(), then.ml[theirs].sum())
        became = {(False, False): "same", (True, False): "split", (False, True): "merged"}.get(
            (len(mine) > 1, len(theirs) > 1), "regrouped"
        )
        found.append(
            Match(
                _labels(first, mine),
                _labels(then, theirs),
                became,
                "overlap",
                min(1.0, float(share)),
                float(np.linalg.norm(between)),
            )
        )
    met = ({n for mine, _ in groups for n in mine}, {n for _, theirs in groups for n in theirs})
    alone = [n for n in range(len(first.labels)) if n not in met[0]]
    lost = [n for n in range(len(then.labels)) if n not in met[1]]
    for one, other in _pairs(apart, alone, lost, reach_mm):
        alone.remove(one)
        lost.remove(other)
        distance = float(apart[one, other])
        found.append(
            Match(_labels(first, [one]), _labels(then, [other]), "same", "distance", distance_mm=distance)
        )
    found += [Match(_labels(first, [n]), (), "new") for n in alone]
    return (
        *sorted(found, key=lambda match: match.now),
        *(Match((), _labels(then, [n]), "gone") for n in lost),
    )


def percent_change(now: Quantity, earlier: Quantity, *, repeatability: float | None = None) -> Quantity | None:
    """100 x (now - earlier) / earlier, in "%"; None where there was nothing earlier.

    repeatability  the measure's repeatability coefficient in percent of its value: 95 of 100 pairs of
                   measurements of an unchanged patient differ by less (2.77 x the coefficient of variation
                   within a patient)

    With a repeatability the interval is the true change's, 95 %: errors are in proportion to the value, so it is
    symmetric in the logarithm and never reaches below -100 %. Otherwise, where both quantities carry an
    interval, it reaches from the least to the greatest change that they allow together, which is wider. Otherwise
    there is none.

    Raises AskedWrongly where units differ, a value is negative or no number, or the repeatability is not above 0.
    """
    _check_pair(now, earlier)
    if repeatability is not None and not 0 < repeatability < math.inf:
        raise AskedWrongly(
            f"A repeatability of {repeatability:g} % is none.", remedy="Give it in percent, above 0."
        )
    if earlier.value == 0:
        return None
    change = 100 * (now.value - earlier.value) / earlier.value
    ratio = now.value / earlier.value
    if repeatability is not None and ratio > 0:
        spread = math.exp(repeatability / 100)
        return Quantity(change, "%", 100 * (ratio / spread - 1), 100 * (ratio * spread - 1))
    if now.low is None or now.high is None or earlier.low is None or earlier.high is None or earlier.low <= 0:
        return Quantity(change, "%")
    least, most = now.low / earlier.high, now.high / earlier.low
    return Quantity(change, "%", 100 * (least - 1), 100 * (most - 1))


def doubling_time_days(v0: float, v1: float, days: float) -> float:
    """Days in which a volume that went from v0 to v1 in `days` doubles (Schwartz); below 0 where it shrank, and
    then halves in as many; infinite where it stayed.

    Raises AskedWrongly where a volume or the time is not above 0.

    >>> round(doubling_time_days(100, 200, 90)), round(doubling_time_days(200, 100, 90))
    (90, -90)
    """
    if not (0 < v0 < math.inf and 0 < v1 < math.inf and 0 < days < math.inf):
        raise AskedWrongly(
            "A doubling time needs two volumes and a time between them above 0.",
            remedy="Give both volumes and the days between the studies, the earlier study first.",
        )
    growth = math.log(v1 / v0)
    return math.inf if growth == 0 else days * math.log(2) / growth


def change_of(
    now: Measurement, earlier: Measurement, days: int | None = None, *, repeatability: float | None = None
) -> Measurement | None:
    """The percent change of a measure with the days between; None where there was nothing earlier.

    Raises AskedWrongly as `percent_change` does, and where `days` is below 0: the earlier study is then later.
    """
    _check_days(days)
    change = percent_change(now.quantity, earlier.quantity, repeatability=repeatability)
    if change is None:
        return None
    named = say("measure.change", name=now.name)
    if days is not None:
        named = say("measure.change_days", name=now.name, days=days)
    return Measurement(named, change)


def doubling_of(now: Quantity, earlier: Quantity, days: int) -> Measurement | None:
    """How soon a volume doubles, or halves where it shrank, in days.

    The interval is that of the growth that both volumes' intervals allow together; it has no upper end where they
    allow that nothing changed. None where a volume is 0 or they are the same, or no day lies between.

    Raises AskedWrongly as `change_of` does.
    """
    _check_pair(now, earlier)
    _check_days(days)
    if days == 0 or now.value <= 0 or earlier.value <= 0 or now.value == earlier.value:
        return None
    grew = now.value > earlier.value
    larger, smaller = (now, earlier) if grew else (earlier, now)
    value = doubling_time_days(smaller.value, larger.value, days)
    low = high = None
    if larger.low is not None and larger.high is not None and smaller.low and smaller.high is not None:
        low = doubling_time_days(smaller.low, larger.high, days)
        high = doubling_time_days(smaller.high, larger.low, days) if larger.low > smaller.high else None
    name = say("measure.doubling_time") if grew else say("measure.halving_time")
    return Measurement(name, Quantity(value, "d", low, high))


@dataclass(frozen=True, slots=True, eq=False)
class _Lesions:
    """labels (n,), ml (n,) and centres (n, 3) LPS mm of a mask's lesions."""

    labels: Array
    ml: Array
    centres: Array

    @classmethod
    def of(cls, mask: Mask) -> "_Lesions":
        if mask.geometry is None:
            raise BadGeometry("A flat mask has no place in the body.", remedy="Give the mask of a volume.")
        places = np.argwhere(mask.array)
        labels, whose = np.unique(mask.array[tuple(places.T)], return_inverse=True)
        count = np.bincount(whose, minlength=len(labels)).astype(float)
        sums = [np.bincount(whose, places[:, axis], minlength=len(labels)) for axis in range(3)]
        middle = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
        return cls(labels, count * mask.geometry.voxel_ml, mask.geometry.to_world(middle))


def _shared_ml(now: Mask, earlier: Mask, moved: Array, first: _Lesions, then: _Lesions) -> Array:
    """(now, earlier) ml that each pair shares: the finer grid's voxels looked up on the other one.

    Both ways, and the larger counts: a lesion smaller than the other grid's voxel may be missed one way.
    """
    there = _looked_up(now, earlier, moved, first.labels, then.labels)
    back = _looked_up(earlier, now, np.linalg.inv(moved), then.labels, first.labels)
    both: Array = np.maximum(there, back.T)
    return both


def _looked_up(one: Mask, other: Mask, moved: Array, labels: Array, others: Array) -> Array:
    """(labels, others) ml of the voxels of `one` that fall on each lesion of `other`."""
    out = np.zeros((len(labels), len(others)))
    if one.geometry is None or other.geometry is None or not out.size:
        return out
    places = np.argwhere(one.array)
    world = one.geometry.to_world(places) @ moved[:3, :3].T + moved[:3, 3]
    index = np.floor(other.geometry.to_index(world) + 0.5).astype(int)
    held = ((index >= 0) & (index < other.array.shape)).all(axis=1)
    mine = np.searchsorted(labels, one.array[tuple(places[held].T)])
    met = other.array[tuple(index[held].T)]
    hit = met != 0
    np.add.at(out, (mine[hit], np.searchsorted(others, met[hit])), one.geometry.voxel_ml)
    return out


def _groups(linked: Array) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together through `linked`; those without a link are left out."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = linked.shape
    whole = np.zeros((rows + columns, rows + columns), bool)
    whole[:rows, rows:] = linked
    count, part = connected_components(csr_array(whole), directed=False)
    members = [np.flatnonzero(part == n) for n in range(count)]
    return [
        ([int(n) for n in one if n < rows], [int(n) - rows for n in one if n >= rows])
        for one in members
        if len(one) > 1
    ]


def _pairs(apart: Array, alone: list[int], lost: list[int], reach_mm: float) -> list[tuple[int, int]]:
    """One to one, as many as lie within reach, with the least distance in all."""
    from scipy.optimize import linear_sum_assignment

    if not alone or not lost:
        return []
    cost = apart[np.ix_(alone, lost)]
    # Beyond reach a pair costs more than all pairs within it, so that none within reach is given up for it.
    far = reach_mm * (len(alone) + len(lost) + 1)
    mine, theirs = linear_sum_assignment(np.where(cost <= reach_mm, cost, far))
    return [(alone[m], lost[t]) for m, t in zip(mine, theirs, strict=True) if cost[m, t] <= reach_mm]


def _middle(centres: Array, ml: Array, which: list[int]) -> Array:
    weighed: Array = np.average(centres[which], axis=0, weights=ml[which])
    return weighed


def _labels(lesions: _Lesions, which: list[int]) -> tuple[int, ...]:
    return tuple(int(lesions.labels[n]) for n in which)


def _check_pair(now: Quantity, earlier: Quantity) -> None:
    if now.unit != earlier.unit:
        raise AskedWrongly(
            f"A change from {earlier.unit} to {now.unit} is none.", remedy="Measure both studies in one unit."
        )
    if not (0 <= now.value < math.inf and 0 <= earlier.value < math.inf):
        raise AskedWrongly(
            "A change in percent is of values that are numbers and at least 0.",
            remedy="Tell the difference in the measure's own unit instead.",
        )


def _check_days(days: int | None) -> None:
    if days is not None and days < 0:
        raise AskedWrongly(
            f"The earlier study was taken {-days} days after the one that is read now.",
            remedy="Give the studies in the order in which they were taken.",
        )
