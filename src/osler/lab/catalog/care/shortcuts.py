"""Can the class be told without looking at the anatomy? Then a net may learn that instead.

Zech et al. 2018, "Variable generalization performance of a deep learning model to detect pneumonia in chest
radiographs", PLOS Medicine 15(11); Geirhos et al. 2020, "Shortcut learning in deep neural networks", Nature
Machine Intelligence 2. Each group of facts gets a small model of its own, tried on patients it has not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.core.progress import Tell, silent
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.care.out_of_fold import area_under_curve, deal, guess
from osler.lab.catalog.care.source_facts import (
    SourceFact,
    at_the_border,
    columns_of,
    heavy,
    inside,
    made,
    named,
    stored,
    tiny,
)
from osler.lab.catalog.dataset import Case, Dataset

_FEWEST_CASES = 30
_FEWEST_PATIENTS = 5
_LANDMARKS = 300

# A picture of 8 x 8 pixels that tells this much is no longer an easy task but a suspicious one.
_PERFECT = 0.99

# Standard errors that an AUC must lie above .5: some twenty facts, classes and splits are tried in one set.
_SURE = 3.7
# A border that tells this much is a shortcut, whatever the rest of the picture tells.
_ALONE = 0.98
_HELPS = 0.6  # a fact alone below this is not named
_NAMED = 3

_EXPORT = "Ask how the files were made, and export all of them in one way, from the originals."
_DEVICES = "Take each class from the same devices and settings, or test where they do not go with the class."
_BORDERS = (
    "Look at the borders of some pictures of each class; crop or cover marks, text and frames in all of them."
)
_SIZES = (
    "A compressed file is larger where more is to be seen, so this may be the anatomy; compare the ways of export."
)
_NAMES = (
    "No net sees a file name, so this harms nothing by itself; but the classes may come from different sources: "
    "ask what else differs between them."
)
_BEGINNING = "This is where any model begins: what it adds is its score above this."
_NOT_ALIKE = "Scores on one say little of the other; say in the report where each comes from."


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Facts of one kind, and from where on they are worth a word.

    name      what they are called, with its verb
    facts     the facts; () where `columns` holds all
    columns   (cases, columns) what the small model learns from
    level     AUC from which on this is said
    severity  of the concern
    remedy    what to do
    rival     (cases, columns) of the anatomy: where it tells more, the picture as a whole differs and not only
              these facts; None where there is nothing to compare with
    """

    name: str
    facts: tuple[SourceFact, ...]
    columns: Floats
    level: float
    severity: str
    remedy: str
    rival: Floats | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """How far something tells a class: the area under the curve, with its interval."""

    area: float
    error: float
    number: int  # which class it tells best

    @property
    def sure(self) -> bool:
        return self.area - _SURE * self.error > 0.5

    def __str__(self) -> str:
        low, high = self.area - 1.96 * self.error, min(self.area + 1.96 * self.error, 1.0)
        return f"AUC {self.area:.2f} ({low:.2f} to {high:.2f})"


def find_shortcuts(dataset: Dataset, looks: Sequence[Look], *, tell: Tell = silent) -> tuple[Concern, ...]:
    """Facts beside the anatomy that tell the class, and facts that tell the splits apart, the worst first.

    looks  one a case, in the order of the cases

    A concern is raised where a small model that sees one group of facts tells some class from the others, on
    patients it has not seen, better than chance beyond doubt and better than a level that depends on the group:
    .70 for how files are stored and pictures were made; .90 for borders and corners, where they tell more than the
    inside does. The pattern of file names and the size of files are notes; so is a picture of 8 x 8 pixels, which
    tells how easy the task is, unless it tells (nearly) everything. () where there are too few cases.
    """
    rows = [row for row, look in enumerate(looks) if not look.problem]
    cases, seen = [dataset.cases[row] for row in rows], [looks[row] for row in rows]
    found: list[Concern] = []
    questions = _questions(dataset, cases)
    for asked, (question, kept, labels, names) in enumerate(questions):
        tell("shortcuts", asked, len(questions), question)
        chosen, looked = [cases[row] for row in kept], [seen[row] for row in kept]
        groups = _groups(dataset, chosen, looked, splits=question != "class")
        found += _ask(question, groups, chosen, labels, names)
    tell("shortcuts", len(questions), len(questions), "")
    return tuple(sorted(found, key=lambda concern: (concern.severity != "warning", -concern.score)))


def _questions(dataset: Dataset, cases: Sequence[Case]) -> list[tuple[str, Array, Array, tuple[str, ...]]]:
    """(what is to be told, which cases, the answer for each of them, names of the answers)."""
    found: list[tuple[str, Array, Array, tuple[str, ...]]] = []
    for question, answers, names in (*_classes(dataset, cases), *_splits(cases)):
        kept = np.flatnonzero(answers >= 0)
        for number in range(len(names)):
            if len({cases[row].patient for row in kept[answers[kept] == number]}) < _FEWEST_PATIENTS:
                kept = kept[answers[kept] != number]
        present = np.unique(answers[kept])
        if len(kept) >= _FEWEST_CASES and len(present) >= 2:
            labels = np.searchsorted(present, answers[kept])
            found.append((question, kept, labels, tuple(names[number] for number in present)))
    return found


def _classes(dataset: Dataset, cases: Sequence[Case]) -> list[tuple[str, Array, tuple[str, ...]]]:
    labels = [case.label for case in cases]
    if dataset.task in ("binary", "multiclass", "ordinal"):
        return [
            (
                "class",
                np.array([label if isinstance(label, int) else -1 for label in labels], int),
                dataset.classes,
            )
        ]
    if dataset.task == "multilabel":
        return [
            (
                "class",
                np.array([label[n] if isinstance(label, tuple) else -1 for label in labels], int),
                (f"no {name}", name),
            )
            for n, name in enumerate(dataset.classes)
        ]
    if dataset.task == "regression":
        values = np.array([float(label) if isinstance(label, int | float) else np.nan for label in labels])
        if np.isfinite(values).any():
            high = values > np.nanmedian(values)
            name = dataset.target or "the target"
            return [("class", np.where(np.isnan(values), -1, high), (f"low {name}", f"high {name}"))]
    return []


def _splits(cases: Sequence[Case]) -> list[tuple[str, Array, tuple[str, ...]]]:
    found: list[tuple[str, Array, tuple[str, ...]]] = []
    for other in ("val", "test"):
        sides = ("train", other)
        answers = np.array([sides.index(case.split) if case.split in sides else -1 for case in cases], int)
        found.append((f"train or {other}", answers, sides))
    return found


def _groups(dataset: Dataset, cases: Sequence[Case], looks: Sequence[Look], *, splits: bool) -> list[_Group]:
    found = [
        _Group("How the files are stored tells", *_columns(stored(looks)), 0.7, "warning", _EXPORT),
        _Group("How the pictures were made tells", *_columns(made(looks)), 0.7, "warning", _DEVICES),
        _Group(
            "The borders and corners tell",
            *_columns(at_the_border(looks)),
            0.9,
            "warning",
            _BORDERS,
            inside(looks),
        ),
        _Group("The size of the files tells", *_columns(heavy(looks)), 0.9, "note", _SIZES),
    ]
    if not splits:
        found += [
            _Group("The pattern of the file names tells", *_columns(named(dataset, cases)), 0.7, "note", _NAMES),
            _Group("A picture of 8 × 8 pixels tells", (), tiny(looks), 0.6, "note", _BEGINNING),
        ]
    return [group for group in found if group.columns.shape[1]]


def _columns(facts: Sequence[SourceFact]) -> tuple[tuple[SourceFact, ...], Floats]:
    return tuple(facts), columns_of(facts) if facts else np.zeros((0, 0))


def _ask(
    question: str, groups: Sequence[_Group], cases: Sequence[Case], labels: Labels, names: tuple[str, ...]
) -> list[Concern]:
    patients = [case.patient for case in cases]
    folds = deal(patients, labels, seed=0)
    crowded = float(np.sqrt(len(cases) / len(set(patients))))
    answers = np.eye(len(names))[labels]
    found = []
    for group in groups:
        whole = _told(guess(group.columns, answers, folds, landmarks=_LANDMARKS), labels, crowded)
        alone = [
            (fact, _told(_by_level(fact, labels, folds, len(names)), labels, crowded)) for fact in group.facts
        ]
        alone.sort(key=lambda pair: -pair[1].area)
        best = max([whole, *(told for _, told in alone)], key=lambda told: told.area)
        if not best.sure or best.area < group.level:
            continue
        if group.rival is not None and best.area < _ALONE:
            rival = _told(guess(group.rival, answers, folds, landmarks=_LANDMARKS), labels, crowded)
            if rival.area > best.area:
                continue
        carriers = [fact for fact, told in alone if told.sure and told.area >= _HELPS][:_NAMED]
        found.append(_concern(question, group, best, carriers, cases, labels, names))
    return found


def _told(scores: Floats, labels: Labels, crowded: float) -> _Told:
    """The class that the scores tell best.

    crowded  root of the pictures a patient: errors are those of patients, not of pictures
    """
    found = []
    for number in range(scores.shape[1]):
        area, error = area_under_curve(scores[:, number], labels == number)
        found.append(_Told(area, error * crowded, number))
    return max(found, key=lambda told: told.area - told.error)


def _by_level(fact: SourceFact, labels: Labels, folds: Labels, classes: int) -> Floats:
    """(cases, classes) how often each class has the case's level in the other folds."""
    levels = fact.levels()
    answers = np.eye(classes)[labels]
    found = np.empty_like(answers)
    for fold in np.unique(folds):
        out = folds == fold
        usual = answers[~out].mean(axis=0)
        counts = np.zeros((levels.max() + 1, classes))
        np.add.at(counts, levels[~out], answers[~out])
        shares = (counts + usual) / (counts.sum(axis=1, keepdims=True) + 1)
        found[out] = shares[levels[out]]
    return found


def _concern(
    question: str,
    group: _Group,
    told: _Told,
    carriers: Sequence[SourceFact],
    cases: Sequence[Case],
    labels: Labels,
    names: tuple[str, ...],
) -> Concern:
    mine = labels == told.number
    name = names[told.number]
    near_perfect = not group.facts and told.area - 1.96 * told.error >= _PERFECT
    if question == "class":
        what = f"{group.name} '{name}' from the others: {told}, n = {len(cases)}."
    else:
        what = f"{group.name} {question}: {told}, n = {len(cases)}."
    said = " ".join(_difference(fact, mine, name) for fact in carriers)
    return Concern(
        kind="shortcut",
        severity="warning" if near_perfect else group.severity if question == "class" else "note",
        what=f"{what} {said}".strip(),
        remedy=group.remedy if question == "class" else _NOT_ALIKE,
        cases=_examples(carriers[0], cases, mine) if carriers else (),
        score=float(np.clip(2 * told.area - 1, 0, 1)),
    )


def _difference(fact: SourceFact, mine: Array, name: str) -> str:
    """How one fact differs between a class and the others, in words."""
    sides = [
        [value for value, own in zip(fact.values, mine, strict=True) if own == side] for side in (True, False)
    ]
    known = [[value for value in side if value is not None] for side in sides]
    numbers = all(isinstance(value, float) for side in known for value in side) and all(known)
    if numbers and len({value for side in known for value in side}) > 2:
        one, other = (np.quantile(np.array(side, float), (0.25, 0.5, 0.75)) for side in known)
        return (
            f"The {fact.name} of '{name}' is {one[1]:.3g} (half lie in {one[0]:.3g} to {one[2]:.3g}), "
            f"of the others {other[1]:.3g} ({other[0]:.3g} to {other[2]:.3g})."
        )
    shares = {
        value: tuple(sum(v == value for v in side) / max(len(side), 1) for side in sides)
        for value in set(fact.values)
    }
    value, (one_share, other_share) = max(
        shares.items(), key=lambda item: (abs(item[1][0] - item[1][1]), str(item[0]))
    )
    shown = "not known" if value is None else f"{value:g}" if isinstance(value, float) else f"'{value}'"
    return f"The {fact.name} is {shown} in {one_share:.0%} of '{name}' and in {other_share:.0%} of the others."


def _examples(fact: SourceFact, cases: Sequence[Case], mine: Array) -> tuple[str, ...]:
    """A case of the class and one of the others, each with the level that its side has most often."""
    levels = fact.levels()
    found = []
    for side in (mine, ~mine):
        # By how much more often than on the other side, so that the two differ where the sides do.
        most = np.bincount(levels[side], minlength=levels.max() + 1) / side.sum()
        most -= np.bincount(levels[~side], minlength=levels.max() + 1) / (~side).sum()
        found.append(cases[int(np.flatnonzero(side & (levels == most.argmax()))[0])].id)
    return tuple(found)
