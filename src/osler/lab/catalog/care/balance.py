"""How the classes are spread over splits and subgroups, and what is not known of whom."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from osler.core.arrays import Array, Labels
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.out_of_fold import area_under_curve
from osler.lab.catalog.dataset import SPLITS, Dataset
from osler.lab.catalog.labels import classes_of

_RARE = 20  # patients: with fewer, an interval of what a model can do with a class spans half of all values
_LOPSIDED = 10.0  # largest class over smallest
_DRAWS = 2_000
_SETTLED = 10
_BELIEVED = 0.001  # chance of so uneven a table; some dozens of tables are looked at
_STRONG = 0.3  # Cramér's V: weaker associations are everyday, and are the report's business
_APART = 0.1  # share of a class in one split less that in another
_GROUPS = 12  # a fact with more values than this is a number or a name
_BANDS = 4
_TELLS = 0.65
_LISTED = 8


def find_imbalance(dataset: Dataset) -> tuple[Concern, ...]:
    """Rare classes, splits whose classes are spread differently, and subgroups that go with a class.

    A subgroup fact (age in four bands, sex, site, ...) is named where a permutation test that keeps patients whole
    gives its table less than one chance in a thousand and Cramér's V is at least .3. () for tasks without
    classes.
    """
    if dataset.task not in ("binary", "multiclass", "ordinal", "multilabel"):
        return ()
    found = [*_rare(dataset)]
    member = _member(dataset)
    found += _splits(dataset, member)
    for name in sorted({name for case in dataset.cases for name in case.facts}):
        found += _subgroup(dataset, member, name)
    return tuple(sorted(found, key=lambda concern: (concern.severity != "warning", -concern.score)))


def find_missing(dataset: Dataset) -> tuple[Concern, ...]:
    """Cases without a label, facts with missing values, and whether their being missing tells the class."""
    total = len(dataset.cases)
    found = []
    bare = tuple(case.id for case in dataset.cases if case.label is None)
    if bare:
        found.append(
            Concern(
                kind="missing",
                severity="warning",
                what=f"{len(bare)} of {total} cases have no label.",
                remedy="Label them, or leave them out; they do not take part in training.",
                cases=bare,
                score=len(bare) / total,
            )
        )
    unseen = tuple(case.id for case in dataset.cases if len(case.pictures) < len(dataset.channels))
    if unseen:
        found.append(
            Concern(
                kind="missing",
                severity="error",
                what=f"{len(unseen)} of {total} cases lack a picture of the {len(dataset.channels)} channels.",
                remedy="Add the pictures, or leave the cases out.",
                cases=unseen,
                score=len(unseen) / total,
                proposed=tuple((case, "") for case in unseen),
            )
        )
    found += _gaps(dataset)
    return tuple(sorted(found, key=lambda concern: (concern.severity == "note", -concern.score)))


def _member(dataset: Dataset) -> Array:
    """(cases, classes) does the case have the class?"""
    member = np.zeros((len(dataset.cases), len(dataset.classes)), bool)
    for row, case in enumerate(dataset.cases):
        member[row, [n for n in classes_of(case) if 0 <= n < len(dataset.classes)]] = True
    return member


def _rare(dataset: Dataset) -> list[Concern]:
    patients: dict[int, set[str]] = {n: set() for n in range(len(dataset.classes))}
    cases = Counter[int]()
    for case in dataset.cases:
        for number in classes_of(case):
            if number in patients:
                patients[number].add(case.patient)
                cases[number] += 1
    if not cases:
        return []
    largest = max(cases.values())
    found = []
    for number, having in patients.items():
        times = largest / max(cases[number], 1)
        if len(having) >= _RARE and times < _LOPSIDED:
            continue
        few = len(having) < _RARE
        found.append(
            Concern(
                kind="balance",
                severity="warning" if few else "note",
                what=f"The class '{dataset.classes[number]}' has {cases[number]} cases of {len(having)} patients; "
                f"the largest class has {largest} cases.",
                remedy="Add patients of this class; until then no score of it is worth much."
                if few
                else "Look at scores of each class, not at accuracy: naming the largest class always looks good.",
                score=float(np.clip(1 - len(having) / _RARE if few else 1 - _LOPSIDED / times, 0, 1)),
            )
        )
    return found


def _splits(dataset: Dataset, member: Array) -> list[Concern]:
    names = [split for split in SPLITS if any(case.split == split for case in dataset.cases)]
    if len(names) < 2:
        return []
    group = np.array([names.index(case.split) if case.split in names else -1 for case in dataset.cases])
    used = group >= 0
    chance, _ = _association(group[used], member[used], _units(dataset, used))
    shares = np.array([member[group == n].mean(axis=0) for n in range(len(names))])  # (splits, classes)
    apart = np.ptp(shares, axis=0)
    worst = int(apart.argmax())
    if chance >= _BELIEVED or apart[worst] < _APART:
        return []
    listed = ", ".join(
        f"{share:.0%} of {name} (n = {int((group == n).sum())})"
        for n, (name, share) in enumerate(zip(names, shares[:, worst], strict=True))
    )
    return [
        Concern(
            kind="balance",
            severity="note",
            what=f"The splits hold the classes in different shares: '{dataset.classes[worst]}' is {listed}.",
            remedy="Accuracy, predictive values and calibration of one split do not hold in the other; "
            "sensitivity, specificity and AUC may.",
            score=float(apart[worst]),
        )
    ]


def _subgroup(dataset: Dataset, member: Array, name: str) -> list[Concern]:
    """Does a fact go with a class: are all the ill from one site?"""
    values = [case.facts.get(name) for case in dataset.cases]
    groups, words = _grouped(values)
    used = (groups >= 0) & member.any(axis=1) if dataset.task != "multilabel" else groups >= 0
    if len(words) < 2 or len(set(groups[used].tolist())) < 2:
        return []
    chance, strength = _association(groups[used], member[used], _units(dataset, used))
    if chance >= _BELIEVED or strength < _STRONG:
        return []
    shares = np.array([member[used & (groups == n)].mean(axis=0) for n in np.unique(groups[used])])
    worst = int(np.ptp(shares, axis=0).argmax())
    present = [words[n] for n in np.unique(groups[used])]
    counts = [int((used & (groups == n)).sum()) for n in np.unique(groups[used])]
    order = np.argsort(-shares[:, worst], kind="stable")
    ends = [int(order[0]), int(order[-1])]
    listed = " but ".join(f"{shares[n, worst]:.0%} where {name} is {present[n]} (n = {counts[n]})" for n in ends)
    return [
        Concern(
            kind="balance",
            severity="warning",
            what=f"The fact '{name}' goes with the class (Cramér's V {strength:.2f}, n = {int(used.sum())}): "
            f"'{dataset.classes[worst]}' is {listed}.",
            remedy=f"A model may learn '{name}' instead of the illness: add cases that break the pattern, or test "
            "within each group.",
            score=float(np.clip(strength, 0, 1)),
        )
    ]


def _grouped(values: Sequence[str | float | None]) -> tuple[Labels, list[str]]:
    """(cases,) a group for each value, -1 where it is not known or rare, and the groups in words."""
    known = [value for value in values if not _unknown(value)]
    numbers = [float(value) for value in known if isinstance(value, int | float)]
    if len(numbers) == len(known) and len(set(numbers)) > _GROUPS:
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _BANDS + 1)[1:-1]))
        bounds = [min(numbers), *edges.tolist(), max(numbers)]
        words = [f"{low:g} to {high:g}" for low, high in pairwise(bounds)]
        return (
            np.array(
                [-1 if _unknown(v) else int(np.searchsorted(edges, float(v or 0), side="left")) for v in values]
            ),
            words,
        )
    counted = Counter(str(value) for value in known)
    levels = [value for value, count in counted.most_common() if count > 1]
    if len(levels) > _GROUPS:
        return np.full(len(values), -1), []
    place = {value: n for n, value in enumerate(levels)}
    return np.array([-1 if _unknown(v) else place.get(str(v), -1) for v in values]), [f"'{v}'" for v in levels]


def _unknown(value: str | float | None) -> bool:
    return value is None or value == "" or (isinstance(value, float) and bool(np.isnan(value)))


def _units(dataset: Dataset, used: Array) -> Labels:
    """(cases used,) a number for each patient."""
    names = [case.patient for case, use in zip(dataset.cases, used, strict=True) if use]
    return np.unique(names, return_inverse=True)[1]


def _association(groups: Labels, member: Array, patients: Labels) -> tuple[float, float]:
    """(chance, Cramér's V) of a table of groups and classes; the chance by dealing the groups out among patients.

    Each patient is one unit, with the group of the first case and the mean of its classes: pictures of one patient
    are no independent evidence.
    """
    first = np.unique(patients, return_index=True)[1]
    count = np.bincount(patients).astype(float)
    weights = np.column_stack([np.bincount(patients, weights=column) / count for column in member.T.astype(float)])
    weights = np.column_stack([weights, 1 - weights]) if member.shape[1] == 1 else weights
    weights = weights[:, weights.sum(axis=0) > 0]
    dealt = np.unique(groups[first], return_inverse=True)[1]
    if weights.shape[1] < 2 or dealt.max() < 1:
        return 1.0, 0.0
    random = np.random.default_rng(0)
    here = _uneven(dealt, weights)
    reached, drawn = 0, 0
    # A few tables as uneven as this one settle it: it is nothing rare.
    while drawn < _DRAWS and reached < _SETTLED:
        reached += _uneven(random.permutation(dealt), weights) >= here - 1e-12
        drawn += 1
    smaller = min(int(dealt.max()), weights.shape[1] - 1)
    return (reached + 1) / (drawn + 1), float(np.sqrt(here / (weights.sum() * smaller)))


def _uneven(groups: Labels, weights: Array) -> float:
    """Pearson's chi-square of the table of groups and classes."""
    table = np.stack([np.bincount(groups, weights=column) for column in weights.T], axis=1)
    wished = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - wished) ** 2 / wished).sum())


def _gaps(dataset: Dataset) -> list[Concern]:
    """A warning for each fact whose being missing tells a class, and one note on all others."""
    found, plain = [], {}
    for name in sorted({name for case in dataset.cases for name in case.facts}):
        gone = np.array([_unknown(case.facts.get(name)) for case in dataset.cases])
        if not gone.any():
            continue
        told = _told_by_gaps(dataset, gone)
        if told is None:
            plain[name] = int(gone.sum())
            continue
        area, error, label = told
        found.append(
            Concern(
                kind="missing",
                severity="warning",
                what=f"'{name}' is missing in {int(gone.sum())} of {len(gone)} cases ({gone.mean():.0%}). Its "
                f"being missing tells '{label}': AUC {area:.2f} ({area - 1.96 * error:.2f} to "
                f"{min(area + 1.96 * error, 1):.2f}).",
                remedy="Ask why it is missing; do not give this fact to a model, nor fill it in.",
                score=2 * area - 1,
            )
        )
    if plain:
        order = sorted(plain, key=lambda name: (-plain[name], name))
        listed = ", ".join(f"'{name}' in {plain[name]}" for name in order[:_LISTED])
        more = f" and {len(order) - _LISTED} more facts in fewer" if len(order) > _LISTED else ""
        found.append(
            Concern(
                kind="missing",
                severity="note",
                what=f"Facts are missing: {listed}{more} of {len(dataset.cases)} cases.",
                remedy="Results by these facts leave those cases out.",
                score=plain[order[0]] / len(dataset.cases),
            )
        )
    return found


def _told_by_gaps(dataset: Dataset, gone: Array) -> tuple[float, float, str] | None:
    """(AUC, its error, class) of the class that missing values tell best, or None where they tell none."""
    member = _member(dataset) if dataset.task in ("binary", "multiclass", "ordinal", "multilabel") else None
    if member is None:
        return None
    crowded = float(np.sqrt(len(dataset.cases) / max(dataset.patients, 1)))
    best: tuple[float, float, str] | None = None
    for number, label in enumerate(dataset.classes):
        area, error = area_under_curve(gone.astype(float), member[:, number])
        if np.isfinite(area) and area >= _TELLS and area - 3.3 * error * crowded > 0.5:
            best = (area, error * crowded, label) if best is None or area > best[0] else best
    return best
