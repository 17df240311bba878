"""Masks unlike those of the other cases: moved, exchanged, empty, of somebody else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import AskedWrongly, BadInput
from osler.core.progress import Tell, silent
from osler.io.open import open_picture
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.care.mask_traits import KINDS, Trait, measure
from osler.lab.catalog.cases import load_mask
from osler.lab.catalog.dataset import Case, Dataset, Source

_READERS = 4
_FEWEST = 12  # cases: with fewer, nobody knows what is usual
_USUAL = 0.9  # a structure that this share of the cases has is missed where it lacks

# Robust deviations from the median. Iglewicz and Hoaglin (1993) name 3.5 for one normal trait; here are dozens.
_FAR = 5.0
_FAR_TOGETHER = 4.0
_TOGETHER_NEEDS = 4  # cases a trait, before the traits may be judged together
_SPREAD = 0.6745  # of a normal distribution: median absolute deviation over standard deviation
_TENTH = 1.2816  # of a normal distribution: the ninth tenth in standard deviations
_NAMED = 2

_REMEDY = "Lay the mask over its picture; redraw it, or leave the case out."


def find_odd_masks(dataset: Dataset, looks: Sequence[Look], *, tell: Tell = silent) -> tuple[Concern, ...]:
    """Masks that differ from those of the other cases, the oddest first; a note where too few can be compared.

    looks  one a case, in the order of the cases

    Each structure is measured: size, pieces, place and lengths in the picture, contrast against its
    surroundings, steepness of the picture under its border, there and a few voxels away, how much the picture's
    border cuts; and each pair by how they lie to each other. A value counts as odd five robust deviations from
    the median, with a spread of its own for each side; where there are four cases a trait, also all traits
    together (Mahalanobis distance with the shrunken covariance of Ledoit and Wolf 2004). Empty masks, and
    structures lacking that nearly all others have, are told as such. Masks that cannot be read, or do not fit
    their picture, are left to other checks.
    """
    if dataset.task != "segmentation":
        return ()
    cases = [
        case
        for case, look in zip(dataset.cases, looks, strict=True)
        if not look.problem and isinstance(case.label, Source)
    ]
    measured: list[tuple[Case, dict[Trait, float]]] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for done, traits in enumerate(pool.map(lambda case: _measured(case, dataset), cases), start=1):
            if traits is not None:
                measured.append((cases[done - 1], traits))
            tell("masks", done, len(cases), "")
    if len(measured) < _FEWEST:
        return (_not_compared(len(measured)),) if cases else ()
    lacking = _lacking(dataset, measured)
    found = [*lacking, *_unlike(measured, skip={concern.cases[0] for concern in lacking})]
    return tuple(sorted(found, key=lambda concern: -concern.score))


def _measured(case: Case, dataset: Dataset) -> dict[Trait, float] | None:
    try:
        mask = load_mask(case, dataset)
        picture = open_picture(case.pictures[0].path, case.pictures[0].item).array
    except (BadInput, AskedWrongly):
        return None
    grey = picture.mean(axis=2) if picture.ndim == mask.array.ndim + 1 else picture
    return measure(mask, grey) if grey.shape == mask.array.shape else None


def _lacking(dataset: Dataset, measured: Sequence[tuple[Case, Mapping[Trait, float]]]) -> list[Concern]:
    """Empty masks, and masks without a structure, where nearly all others have it."""
    having = Counter(trait.label for _, traits in measured for trait in traits if trait.kind == "size")
    found = []
    for case, traits in measured:
        gone = [
            name
            for name in dataset.classes[1:]
            if Trait("size", name) not in traits and having[name] >= _USUAL * len(measured)
        ]
        if gone:
            listed = " and ".join(f"'{name}'" for name in gone)
            pronoun = "it" if len(gone) == 1 else "them"
            empty = len(gone) == len(dataset.classes) - 1
            what = (
                f"The mask of {case.id} is empty: no {listed}"
                if empty
                else f"The mask of {case.id} has no {listed}"
            )
            found.append(
                Concern(
                    kind="odd-mask",
                    severity="warning",
                    what=f"{what}; {having[gone[0]]} of {len(measured)} masks have {pronoun}.",
                    remedy="Fine if there is nothing to see; otherwise draw it, or leave the case out.",
                    cases=(case.id,),
                    score=1 - (len(measured) - having[gone[0]]) / len(measured),
                )
            )
    return found


def _unlike(measured: Sequence[tuple[Case, Mapping[Trait, float]]], *, skip: set[str]) -> list[Concern]:
    order = sorted(
        {trait for _, traits in measured for trait in traits}, key=lambda trait: (trait.kind, trait.label)
    )
    values = np.array([[traits.get(trait, np.nan) for trait in order] for _, traits in measured])
    away = np.column_stack(
        [_deviations(column, trait.kind) for column, trait in zip(values.T, order, strict=True)]
    )
    together = _together(away)
    found = []
    for row, (case, _) in enumerate(measured):
        furthest = np.argsort(-np.abs(away[row]), kind="stable")
        odd = [int(n) for n in furthest if abs(away[row, n]) >= _FAR]
        if case.id in skip or (not odd and together[row] < _FAR_TOGETHER):
            continue
        seen = {order[n]: float(away[row, n]) for n in (odd or furthest[:_NAMED])}
        exchanged = _exchanged(values[row], values, order)
        why = exchanged or _words(seen, alone=bool(odd))
        far = max(abs(away[row, furthest[0]]) / _FAR, together[row] / _FAR_TOGETHER)
        found.append(
            Concern(
                kind="odd-mask",
                severity="warning",
                what=f"The mask of {case.id} is unlike those of the {len(measured) - 1} others: {why}.",
                remedy=_REMEDY,
                cases=(case.id,),
                score=float(1 - 1 / (2 * far)),
            )
        )
    return found


def _deviations(column: Floats, kind: str) -> Floats:
    """Robust deviations from the median, 0 for what is not known; each side by its own spread."""
    known = np.isfinite(column)
    found = np.zeros(len(column))
    if known.sum() < _FEWEST:
        return found
    off = column[known] - np.median(column[known])
    least = max(float(np.median(np.abs(off))) / _SPREAD, KINDS[kind].least)
    # Long tails are usual: what a tenth of the cases reach is not odd.
    up, down = (max(least, float(np.quantile(side, 0.9)) / _TENTH) for side in (off, -off))
    found[known] = np.where(off > 0, off / up, off / down)
    if not KINDS[kind].low:
        found = found.clip(min=0)
    return found.clip(max=0) if not KINDS[kind].high else found


def _together(away: Floats) -> Floats:
    """(cases,) robust deviations of the distance over all traits; zeros where the cases are too few for that."""
    from sklearn.covariance import LedoitWolf

    drawn = away.clip(-_FAR, _FAR)
    drawn = drawn[:, drawn.std(axis=0) > 1e-6]
    if drawn.shape[1] < 2 or len(drawn) < _TOGETHER_NEEDS * drawn.shape[1]:
        return np.zeros(len(away))
    length = (drawn**2).sum(axis=1)
    usual = drawn[length <= np.quantile(length, 0.9)]  # the odd ones must not stretch the measure
    distance = np.log(LedoitWolf().fit(usual).mahalanobis(drawn).clip(1e-9)) / 2
    off = distance - np.median(distance)
    spread = max(float(np.median(np.abs(off))) / _SPREAD, float(np.quantile(off, 0.9)) / _TENTH, 1e-9)
    return np.asarray(off / spread)


def _exchanged(row: Floats, values: Floats, order: Sequence[Trait]) -> str:
    """Two structures that lie to each other as they should after trading names."""
    for pair in dict.fromkeys(trait.label for trait in order if trait.kind.startswith("order")):
        places = [n for n, trait in enumerate(order) if trait.label == pair and trait.kind.startswith("order")]
        usual = np.nanmedian(values[:, places], axis=0)
        here = row[places]
        # Opposite, and far nearer to the usual once turned round.
        if np.isfinite(here).all() and np.linalg.norm(here + usual) < 0.5 * np.linalg.norm(here - usual):
            one, other = pair.split(" and ", 1)
            return f"'{one}' and '{other}' lie as if their names were exchanged"
    return ""


def _words(seen: Mapping[Trait, float], *, alone: bool) -> str:
    said: dict[str, float] = {}
    for trait, far in seen.items():
        kind = KINDS[trait.kind]
        name = " and ".join(f"'{part}'" for part in trait.label.split(" and ")) if trait.label else "the whole"
        words = f"{name} {kind.high if far > 0 else kind.low}"
        said[words] = max(said.get(words, 0.0), abs(far))
    listed = ", and ".join(f"{words} ({far:.1f} robust deviations)" for words, far in list(said.items())[:_NAMED])
    return listed if alone else f"no trait by itself, but all together; most of all {listed}"


def _not_compared(count: int) -> Concern:
    return Concern(
        kind="odd-mask",
        severity="note",
        what=f"Masks were not compared with each other: only {count} could be measured.",
        remedy=f"At least {_FEWEST} are needed.",
        score=0.0,
    )
