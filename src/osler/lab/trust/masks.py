"""How far drawn masks can be believed, from validation patients alone.

    calibration  one temperature for all voxels, fitted in a band around the reference's borders, where doubt is at
                 home: far from them nearly every voxel is right and sure, and there are a thousand times as many
    masks        from which probability on voxels make an outer mask that misses, and an inner one that wrongly
                 holds, at most a promised share: conformal risk control, Angelopoulos et al. 2022 (2208.02814)
    volumes      plus and minus so many times the voxels in doubt, or such a share of the mask: split conformal
                 with locally weighted residuals, Lei et al. 2018, JASA 113:1094

The patient is the unit. The risk is a mean over a patient's cases, the volume's error the worst of them. What is
promised is an expectation, over patients and over the validation sets one might have had: it holds in the expected
patient, not in each.

Every patient's voxels are calibrated by what other patients said, as a new patient's will be. No volume is kept: a
case leaves its two curves of risk behind, at all the probabilities that float16 can tell apart above one half and
every sixteenth below (64 steps from each power of two to the next, down to 6e-8), which is what readings compare.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.core.errors import BadDataset, BadGeometry
from osler.core.progress import Tell, silent
from osler.inference.bounds import tempered_voxels, voxels_in_doubt
from osler.inference.conformal import TOLD
from osler.inference.predict import voxel_shares
from osler.inference.temper import temper
from osler.lab.catalog.cases import load_mask, load_pictures
from osler.lab.catalog.dataset import Case, Dataset
from osler.lab.evaluate.classification import ece
from osler.lab.evaluate.run import in_order_of
from osler.lab.trust.conformal import LEVELS, SMALL, likely_coverage, threshold, worst
from osler.models.model import Model
from osler.models.prepare import prepare
from osler.models.trust import Calibration, Conformal, MaskBounds

RISKS = (0.05, 0.1, 0.2)
BAND = 2  # voxels on either side of a border that the temperature is fitted on
SAMPLED = 60_000  # voxels that it is fitted on, of all cases together
LOOKED_AT = 100  # cases that it is fitted on
FOLDS = 5
FEWEST = 2 * FOLDS  # patients below which no temperature is fitted
_WIDEST = (0.05, 20.0)  # temperatures beyond say that something else is wrong
_HALF, _ONE = 0x3800, 0x3C00  # float16 of one half and of one, as whole numbers; these keep the order
_BITS = np.concatenate([np.arange(0, _HALF, 16), np.arange(_HALF, _ONE + 1)]).astype(np.uint16)
THRESHOLDS: Floats = _BITS.view(np.float16).astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Voxels near the borders of one case: (voxels, classes) uncalibrated, and the true classes (voxels,)."""

    shares: Array
    truth: Labels


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What is kept of a case, or of several; the last axis runs along `THRESHOLDS`.

    missed    (cases, labels, thresholds) float32: share of the label outside {p >= threshold}; NaN where absent
    mistaken  (cases, labels, thresholds) float32: share of {p >= threshold}, or of such a mask from a higher
              threshold where that is more, that is not the label; 0 for empty masks
    voxels    (cases, labels) in the drawn mask; `true` in the reference; `doubt`: `voxels_in_doubt`
    """

    missed: Array
    mistaken: Array
    voxels: Array
    true: Array
    doubt: Array


def fit_masks(
    model: Model, dataset: Dataset, *, tell: Tell = silent
) -> tuple[Calibration, Conformal | None, MaskBounds | None]:
    """What validation cases say of a segmentation model: its voxels' calibration, its volumes, its masks.

    Raises BadDataset without cases, BadGeometry for a reference on another grid, BadModel for answers that are no
    numbers.
    """
    dataset = in_order_of(model, dataset)
    if not dataset.cases:
        raise BadDataset("There are no cases to calibrate on.", remedy="Choose a split that has cases.")
    owner = np.unique([case.patient for case in dataset.cases], return_inverse=True)[1]
    dice = np.random.default_rng(0)
    looked = np.sort(dice.permutation(len(owner))[:LOOKED_AT])
    many = max(50, SAMPLED // (len(looked) * len(model.card.classes)))
    samples = []
    for done, (_, raw, truth) in enumerate(_asked(model, dataset, looked), start=1):
        samples.append(sample_borders(raw, truth, many=many, dice=dice))
        tell("calibrating voxels", done, len(looked), "")
    calibration, temperatures = fit_voxels(samples, owner[looked])
    final = calibration.numbers[0][0] if calibration.how == "temperature" else 1.0
    by_patient = dict(zip(owner[looked].tolist(), temperatures.tolist(), strict=True))
    curves = []
    for done, (place, raw, truth) in enumerate(_asked(model, dataset, np.arange(len(owner))), start=1):
        temperature = by_patient.get(int(owner[place]), final)
        curves.append(curves_of(raw, truth, temperature))
        tell("promising masks", done, len(owner), "")
    kept = gathered(curves)
    labels = model.card.classes
    return calibration, fit_volumes(kept, owner, labels), fit_bounds(kept, owner, labels)


def _asked(model: Model, dataset: Dataset, places: Array) -> Iterator[tuple[int, Array, Array]]:
    """(place, uncalibrated shares, true class numbers) of those cases."""
    for place in places.tolist():
        case: Case = dataset.cases[place]
        raw, _ = voxel_shares(model, prepare(load_pictures(case), model.recipe))
        truth = load_mask(case, dataset).array
        if truth.shape != raw.shape[1:]:
            raise BadGeometry(
                f"The mask {truth.shape} of {case.id} and its picture {raw.shape[1:]} have different sizes.",
                remedy="Export the mask on the grid of its picture.",
            )
        yield place, raw, truth


def sample_borders(shares: Array, truth: Labels, *, many: int, dice: np.random.Generator) -> Sample:
    """At most `many` voxels within BAND voxels of the border of each label that is there.

    shares  (classes, *spatial), background first; truth (*spatial) class numbers
    """
    from scipy import ndimage

    chosen: list[Array] = []
    for label in range(1, len(shares)):
        inside = truth == label
        if not inside.any():
            continue
        box = _around(inside)
        cut = inside[box]
        band = ndimage.binary_dilation(cut, iterations=BAND) & ~ndimage.binary_erosion(
            cut, iterations=BAND, border_value=1
        )
        places = np.argwhere(band) + [side.start for side in box]
        chosen.append(dice.permutation(places)[:many])
    places = np.concatenate(chosen) if chosen else np.empty((0, truth.ndim), int)
    index = tuple(places.T)
    return Sample(shares[(slice(None), *index)].T, truth[index].astype(int))


def fit_voxels(samples: Sequence[Sample], owner: Labels) -> tuple[Calibration, Floats]:
    """The temperature of voxels if it betters the log-loss of unseen patients, or "none"; and one a case.

    owner  (cases,) patient numbers
    The temperature of a case is what the other folds' patients said of it.
    """
    unchanged = np.ones(len(samples))
    known = np.array([len(sample.truth) > 0 for sample in samples])
    patients = np.unique(owner[known])
    cases = int(known.sum())
    if len(patients) < FEWEST:
        said = (
            f"{cases} cases of {len(patients)} patients with a label are too few to calibrate voxels;"
            f" {FEWEST} patients are needed."
        )
        return Calibration(cases=cases, patients=len(patients), note=said), unchanged
    each = np.repeat(owner, [len(sample.truth) for sample in samples])
    p = np.concatenate([sample.shares for sample in samples]).astype(np.float64)
    truth = np.concatenate([sample.truth for sample in samples])
    # A patient with several cases, or with more labels, counts no more than another.
    number = np.searchsorted(patients, each)
    weight = 1 / np.bincount(number)[number] / len(patients)
    fold = np.random.default_rng(0).permutation(len(patients)) % FOLDS
    temperatures = np.array([_best(p[o], truth[o], weight[o]) for o in (fold[number] != f for f in range(FOLDS))])
    unseen = np.empty_like(p)
    for one, temperature in enumerate(temperatures):
        unseen[fold[number] == one] = temper(p[fold[number] == one], temperature)
    losses = tuple(round(_loss(q, truth, weight), 5) for q in (p, unseen))
    errors = tuple(round(float(ece(q.max(1), q.argmax(1) == truth)), 5) for q in (p, unseen))
    where = f"of {len(truth)} voxels within {BAND} of a label's border"
    if not losses[1] < losses[0]:
        said = f"No temperature betters the log-loss {where} on patients it was not fitted on: {losses[0]}."
        return Calibration("none", (), cases, len(patients), (losses[0],) * 2, (errors[0],) * 2, said), unchanged
    final = round(_best(p, truth, weight), 5)
    said = f"Temperature {final:.2f}; log-loss {losses[0]:.3f} to {losses[1]:.3f} {where}, on unseen patients."
    calibration = Calibration("temperature", ((final,),), cases, len(patients), losses, errors, said)
    fold_of = dict(zip(patients.tolist(), fold.tolist(), strict=True))
    each_case = [temperatures[fold_of[o]] if o in fold_of else final for o in owner.tolist()]
    return calibration, np.array(each_case)


def curves_of(shares: Array, truth: Labels, temperature: float = 1.0) -> Curves:
    """The curves of one case, exactly as a reading with that temperature would compare its voxels.

    shares  (classes, *spatial) uncalibrated, background first; truth (*spatial) class numbers
    """
    drawn = shares.argmax(0)
    calibrated = tempered_voxels(shares, temperature) if temperature != 1 else shares
    said = calibrated[1:].astype(np.float16)
    rows = [_curve(p, truth == label) for label, p in enumerate(said, start=1)]
    each = range(1, len(shares))
    return Curves(
        np.stack([missed for missed, _ in rows])[None],
        np.stack([mistaken for _, mistaken in rows])[None],
        np.array([[float((drawn == label).sum()) for label in each]]),
        np.array([[float((truth == label).sum()) for label in each]]),
        np.array([[voxels_in_doubt(p) for p in said]]),
    )


def gathered(curves: Sequence[Curves]) -> Curves:
    """The curves of several cases as one."""
    return Curves(
        np.concatenate([one.missed for one in curves]),
        np.concatenate([one.mistaken for one in curves]),
        np.concatenate([one.voxels for one in curves]),
        np.concatenate([one.true for one in curves]),
        np.concatenate([one.doubt for one in curves]),
    )


def outer_threshold(losses: Array, risk: float) -> float | None:
    """The highest probability whose masks miss at most `risk` in the expected patient; None where n is too small.

    losses  (n patients, thresholds) rising along THRESHOLDS, between 0 and 1

    Conformal risk control: n / (n + 1) x mean + 1 / (n + 1) <= risk.
    """
    kept = np.flatnonzero(_upper(losses) <= risk)
    return float(THRESHOLDS[kept[-1]]) if len(kept) else None


def inner_threshold(losses: Array, risk: float) -> float | None:
    """The lowest probability whose masks hold at most `risk` that is not the label; None where there is none.

    losses  (n patients, thresholds) falling along THRESHOLDS: `Curves.mistaken`, the worst from there on
    """
    kept = np.flatnonzero(_upper(losses) <= risk)
    return float(THRESHOLDS[kept[0]]) if len(kept) else None


def fit_bounds(curves: Curves, owner: Labels, labels: Sequence[str]) -> MaskBounds:
    """The probabilities of outer and inner masks from the curves of validation cases.

    owner  (cases,) patient numbers
    Patients without a label say nothing of its outer mask; all that is drawn in them by an inner one is wrong.
    """
    patients = len(np.unique(owner))
    outer: list[list[float | None]] = [[] for _ in RISKS]
    inner: list[list[float | None]] = [[] for _ in RISKS]
    holding = []
    for label in range(len(labels)):
        there = curves.true[:, label] > 0
        missed = mean_by_patient(curves.missed[there, label], owner[there])
        mistaken = mean_by_patient(curves.mistaken[:, label], owner)
        holding.append(len(missed))
        for row, risk in enumerate(RISKS):
            outer[row].append(outer_threshold(missed, risk))
            inner[row].append(inner_threshold(mistaken, risk) if len(missed) else None)
    said = [f"{patients} patients: the promise holds in the expected patient, not in each."]
    for name, count in zip(labels, holding, strict=True):
        if not count:
            said.append(f"None of them has {name}: nothing is promised of it.")
        elif count < patients:
            said.append(f"{name} is in {count} of them.")
        impossible = [risk for risk in RISKS if 1 / (count + 1) > risk]
        if count and impossible:
            least = 1 / (count + 1)
            said.append(f"So few promise no outer mask of {name} under a share of {least:.2f}.")
    return MaskBounds(
        RISKS, tuple(map(tuple, outer)), tuple(map(tuple, inner)), patients, tuple(holding), " ".join(said)
    )


def fit_volumes(curves: Curves, owner: Labels, labels: Sequence[str]) -> Conformal:
    """How many times the voxels in doubt, or its own size, a volume may be away: a row a level, a column a label.

    owner  (cases,) patient numbers
    Taken is what goes along with the errors better (Spearman); the voxels in doubt wherever a mask was empty.
    """
    errors = np.abs(curves.true - curves.voxels)
    how = "doubt" if _along(errors, curves.doubt) > _along(errors, curves.voxels) else "share"
    if not (curves.voxels > 0).all() or not (curves.true > 0).all():
        how = "doubt"
    away = errors / (curves.doubt if how == "doubt" else curves.voxels)
    present = [bool((curves.true[:, label] > 0).any()) for label in range(len(labels))]
    rows = [
        tuple(
            threshold(worst(away[:, label], owner), level) if present[label] else None
            for label in range(len(labels))
        )
        for level in LEVELS
    ]
    cases, patients = len(owner), len(np.unique(owner))
    absent = [name for name, there in zip(labels, present, strict=True) if not there]
    said = [f"No validation case has {', '.join(absent)}: nothing is promised of its volume."] if absent else []
    if patients < SMALL:
        low, high = likely_coverage(patients, TOLD)
        said.append(
            f"{patients} patients: the promise of {TOLD:.0%} holds on average over calibration sets;"
            f" for this one the true coverage lies between {low:.2f} and {high:.2f} (95 % of such sets)."
            if np.isfinite(low)
            else f"{patients} patients are too few for a promise of {TOLD:.0%}: volumes have no interval."
        )
    return Conformal(how, LEVELS, tuple(rows), cases=cases, patients=patients, note=" ".join(said))


def mean_by_patient(losses: Array, owner: Labels) -> Floats:
    """(cases, thresholds) -> (patients, thresholds), the mean over each patient's cases."""
    present, inverse = np.unique(owner, return_inverse=True)
    total = np.zeros((len(present), losses.shape[1]))
    np.add.at(total, inverse, losses)
    mean: Floats = total / np.bincount(inverse, minlength=len(present))[:, None]
    return mean


def _along(errors: Array, scale: Array) -> float:
    """Mean over the labels of the rank correlation of errors with what may foretell them; 0 for constants."""
    from scipy.stats import rankdata

    found = []
    for label in range(errors.shape[1]):
        ranks = np.stack([rankdata(numbers[:, label]) for numbers in (errors, scale)])
        constant = bool((np.ptp(ranks, axis=1) == 0).any())
        found.append(0.0 if constant else float(np.atleast_2d(np.corrcoef(ranks))[0, 1]))
    return float(np.mean(found))


def _upper(losses: Array) -> Floats:
    """n / (n + 1) x mean + 1 / (n + 1) at each threshold; infinity without patients."""
    n = len(losses)
    if not n:
        return np.full(len(THRESHOLDS), np.inf)
    upper: Floats = losses.mean(axis=0) * n / (n + 1) + 1 / (n + 1)
    return upper - 1e-12  # nineteen patients may promise .05


def _curve(p: Array, inside: Array) -> tuple[Array, Array]:
    """(missed, mistaken) at each threshold, of probabilities in float16 and where the label truly is."""
    bits = np.ascontiguousarray(p).view(np.uint16)
    right, all_of = np.zeros(_ONE + 1, np.int64), np.zeros(_ONE + 1, np.int64)
    for seen, there in zip(bits, inside, strict=True):  # slice by slice: counting makes long integers of them
        all_of += np.bincount(seen.ravel(), minlength=_ONE + 1)
        right += np.bincount(seen[there], minlength=_ONE + 1)
    kept, drawn = (counts[::-1].cumsum()[::-1][_BITS] for counts in (right, all_of))
    missed = 1 - kept / kept[0] if kept[0] else np.full(len(_BITS), np.nan)
    wrong = (drawn - kept) / np.maximum(drawn, 1)
    mistaken = np.maximum.accumulate(wrong[::-1])[::-1]
    return missed.astype(np.float32), mistaken.astype(np.float32)


def _around(inside: Array) -> tuple[slice, ...]:
    """The box of what is inside and BAND voxels more, where the picture has them."""
    box = []
    for axis, size in enumerate(inside.shape):
        there = np.flatnonzero(inside.any(axis=tuple(other for other in range(inside.ndim) if other != axis)))
        box.append(slice(max(0, int(there[0]) - BAND), min(size, int(there[-1]) + BAND + 1)))
    return tuple(box)


def _best(p: Floats, truth: Labels, weight: Floats) -> float:
    """The temperature with the least weighted log-loss; the loss has one valley in 1/T."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: _loss(temper(p, float(np.exp(log))), truth, weight),
        bounds=tuple(np.log(_WIDEST)),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(found.x))


def _loss(p: Floats, truth: Labels, weight: Floats) -> float:
    own = np.clip(p[np.arange(len(p)), truth], 1e-7, 1)
    return float((-np.log(own) * weight).sum() / weight.sum())
