"""Pictures that are there twice, whole or changed, and patients who stand on both sides of a split."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from osler.core.arrays import Array
from osler.core.progress import Tell, silent
from osler.lab.catalog.care.concern import Concern
from osler.lab.catalog.care.likeness import Pair, compare, propose
from osler.lab.catalog.care.look import Look
from osler.lab.catalog.dataset import SPLITS, Case, Dataset
from osler.lab.catalog.folders import first_few

# How far above the likeness of pictures that are merely similar a copy must be, in steps from their median to
# their 90th percentile; 2.2 steps leave under 1 in 100 cases with a wrong partner in chest and knee radiographs.
_STEPS = 2.2
# Nothing below the first is a copy in any set, all above the second is one: where most pictures have copies, the
# set itself cannot say what merely similar looks like.
_LEAST, _MOST = 1.0, 1.7
# With fewer pictures the set cannot say either, and more is asked.
_FEW, _MOST_OF_FEW = 40, 2.0
_ROUNDS = 12
_SURE = 0.9
_MANY, _MANY_GROUPS = 0.1, 10  # share of the cases, and groups, from which a set is full of copies


@dataclass(frozen=True, slots=True)
class Copies:
    """Two cases that show the same picture.

    one, other  ids of the cases
    exact       are all pixels the same?
    score       how sure, 0 to 1
    change      how the second differs: "", "mirrored", "turned by 90 degrees"
    """

    one: str
    other: str
    exact: bool
    score: float
    change: str = ""


def find_copies(
    dataset: Dataset, looks: Sequence[Look], tell: Tell = silent, *, changed: bool = True
) -> tuple[Copies, ...]:
    """Pairs that join all copies into their groups; by pixels, and by looks for changed ones.

    looks    one a case, in the order of the cases
    changed  False: exact copies only, which takes no time
    """
    same: dict[str, list[int]] = defaultdict(list)
    for row, look in enumerate(looks):
        # Blank pictures are all alike, and told as blank.
        if not look.problem and look.darkest < look.brightest:
            same[look.digest].append(row)
    exact = [Copies(looks[rows[0]].case, looks[row].case, True, 1.0) for rows in same.values() for row in rows[1:]]
    if not changed:
        return tuple(exact)
    firsts = [rows[0] for rows in same.values()]
    shown = [row for row in firsts if looks[row].thumbnail.std() > 1e-3]
    patients = [dataset.cases[row].patient for row in shown]
    return (*exact, *_near([looks[row] for row in shown], patients, tell))


def find_duplicates(dataset: Dataset, copies: Sequence[Copies]) -> tuple[Concern, ...]:
    """A concern for each group of copies, one more where their labels differ, and one for a set full of them."""
    cases = {case.id: case for case in dataset.cases}
    by_case: dict[str, list[Copies]] = defaultdict(list)
    for pair in copies:
        by_case[pair.one].append(pair)
    groups = [
        ([cases[name] for name in group], [pair for name in group for pair in by_case[name]])
        for group in grouped(copies)
    ]
    found = [_concern(members, pairs) for members, pairs in groups]
    found += _full_of_copies(dataset, [members for members, _ in groups])
    found += [
        conflict for members, pairs in groups if (conflict := _conflict(dataset, members, pairs)) is not None
    ]
    return tuple(found)


def find_patient_leaks(dataset: Dataset) -> tuple[Concern, ...]:
    """A concern for each two given splits that share patients."""
    sides: dict[str, dict[str, list[Case]]] = {name: defaultdict(list) for name in SPLITS}
    for case in dataset.cases:
        if case.split:
            sides[case.split][case.patient].append(case)
    found = []
    for one, other in combinations(SPLITS, 2):
        shared = [patient for patient in sides[one] if patient in sides[other]]
        if not shared:
            continue
        here = [case for patient in shared for case in sides[one][patient]]
        there = [case for patient in shared for case in sides[other][patient]]
        in_all = sum(case.split == other for case in dataset.cases)
        first = [case.id for patient in shared for case in (sides[one][patient][0], sides[other][patient][0])]
        rest = [case.id for case in (*here, *there)]
        found.append(
            Concern(
                kind="patient-leak",
                severity="leak",
                what=f"{_many(len(shared), 'patient')} {'stands' if len(shared) == 1 else 'stand'} in both {one} "
                f"and {other}: {len(there)} of the {in_all} cases of {other} ({len(there) / in_all:.0%}) are of "
                f"patients seen in {one}.",
                remedy=f"Leave their cases out of {one} (--fix does), or divide again by patients.",
                cases=tuple(dict.fromkeys((*first, *rest))),
                proposed=tuple((case.id, "") for case in here),
            )
        )
    return tuple(found)


def grouped(copies: Sequence[Copies]) -> list[list[str]]:
    """The cases that copies join, directly or through others; each group in the order of the pairs."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        leader.setdefault(name, name)
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for pair in copies:
        leader[find(pair.other)] = find(pair.one)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in leader:
        groups[find(name)].append(name)
    return list(groups.values())


def with_copies_together(dataset: Dataset, copies: Sequence[Copies]) -> Dataset:
    """The data set with all patients who share a picture counted as one, so that no split can part copies.

    copies  of these cases; pairs with a case that has been left out meanwhile say nothing
    """
    patient = {case.id: case.patient for case in dataset.cases}
    sure = [
        Copies(patient[pair.one], patient[pair.other], pair.exact, pair.score)
        for pair in copies
        if pair.score >= _SURE and pair.one in patient and pair.other in patient
    ]
    joined = {name: group[0] for group in grouped(sure) for name in group}
    return replace(
        dataset,
        cases=tuple(replace(case, patient=joined.get(case.patient, case.patient)) for case in dataset.cases),
    )


def _near(looks: Sequence[Look], patients: Sequence[str], tell: Tell) -> list[Copies]:
    if len(looks) < 2:
        return []
    tell("comparing", 0, 0, f"{len(looks)} pictures, each with all others")
    thumbnails = np.stack([look.thumbnail for look in looks])
    compared = compare(
        thumbnails, propose(thumbnails), lambda done, total: tell("comparing", done, total, "pairs")
    )
    step, least = _threshold(compared.ordinary)
    # The two knees of a patient are alike when one is mirrored, and so are two pictures of one chest.
    alike = max(least, _MOST)
    needed = [alike if patients[pair.one] == patients[pair.other] else least for pair in compared.nearest]
    return [
        Copies(
            looks[pair.one].case,
            looks[pair.other].case,
            False,
            _sureness(pair.likeness, step, least),
            _change(pair),
        )
        for pair, enough in zip(compared.nearest, needed, strict=True)
        if pair.likeness >= enough
    ]


def _threshold(ordinary: Array) -> tuple[float, float]:
    """(step, likeness from which a pair is a copy) for the likeness of pictures that are merely similar.

    What lies above the threshold is taken away before it is measured again, until nothing changes: in a set full
    of copies they must not pass for ordinary.
    """
    least, step = _MOST, _MOST - _LEAST
    for _ in range(_ROUNDS):
        below = ordinary[ordinary < least]
        if len(below) < _FEW:
            return step, _MOST_OF_FEW
        middle, high = (float(np.percentile(below, q)) for q in (50, 90))
        step = max(high - middle, 1e-3)
        fewer = min(max(middle + _STEPS * step, _LEAST), _MOST)
        if abs(fewer - least) < 1e-3:
            break
        least = fewer
    return step, least


def _sureness(likeness: float, step: float, least: float) -> float:
    """How sure: half at the threshold, 0.9 a step above it, and 1 from where all are copies in any set."""
    if likeness >= _MOST:
        return 1.0
    return float(1 / (1 + np.exp(-2.2 * (likeness - least) / min(step, _MOST - least + 1e-9))))


def _change(pair: Pair) -> str:
    quarter = round(pair.degrees / 90) * 90 % 360
    turned = round(abs(pair.degrees)) if abs(pair.degrees - round(pair.degrees / 90) * 90) > 2 else quarter
    words = ["mirrored"] if pair.mirrored else []
    words += [f"turned by {turned} degrees"] if turned else []
    return " and ".join(words)


def _full_of_copies(dataset: Dataset, groups: Sequence[Sequence[Case]]) -> list[Concern]:
    """One concern where copies under several patients are a good part of the whole set."""
    strewn = [members for members in groups if len({case.patient for case in members}) > 1]
    within = sum(map(len, strewn))
    if within < _MANY * len(dataset.cases) or len(strewn) < _MANY_GROUPS:
        return []
    return [
        Concern(
            kind="near-duplicate",
            severity="error",
            what=f"{within} of the {len(dataset.cases)} cases ({within / len(dataset.cases):.0%}) are copies of "
            f"each other under different patients, {len(strewn)} groups in all: the set was multiplied, and no "
            "split by its patients is fair.",
            remedy="Ask where the set comes from, and take the pictures that it was made of. Until then take one "
            "of each group (--fix does); osler train keeps copies on one side.",
            score=1.0,
        )
    ]


def _concern(members: Sequence[Case], pairs: Sequence[Copies]) -> Concern:
    exact = all(pair.exact for pair in pairs)
    score = min(pair.score for pair in pairs)
    splits = [name for name in SPLITS if any(case.split == name for case in members)]
    patients = len({case.patient for case in members})
    if len(splits) > 1 and score >= _SURE:
        severity = "leak"
    elif patients == 1:
        severity = "note"
    else:
        severity = "warning"
    changes = sorted({pair.change for pair in pairs if pair.change})
    alike = "the same picture, pixel by pixel" if exact else "one picture and changed copies of it"
    if not exact and score < _SURE:
        alike = "very much alike, perhaps copies"
    where = f" They stand in {' and '.join(splits)}." if len(splits) > 1 else ""
    how = f" ({first_few(changes)})" if changes else ""
    whose = f" They are filed under {patients} patients." if patients > 1 else ""
    if score < _SURE:
        remedy = "Look at them, and keep one if they are copies; --fix leaves them as they are."
    elif len(splits) > 1:
        remedy = "Keep one of them; --fix keeps the one in test, else in val."
    else:
        remedy = "Keep one of them (--fix does); until then they count more than once."
    return Concern(
        kind="duplicate" if exact else "near-duplicate",
        severity=severity,
        what=f"{_many(len(members), 'case')} show {alike}{how}.{where}{whose}"
        if exact or score >= _SURE
        else f"{_many(len(members), 'case')} are {alike}{how}.{where}{whose}",
        remedy=remedy,
        cases=tuple(case.id for case in sorted(members, key=_order)),
        score=score,
        proposed=_leave_out(members) if score >= _SURE else (),
    )


def _leave_out(members: Sequence[Case]) -> tuple[tuple[str, str], ...]:
    """All but one, and none of test: a test set is changed by people only."""
    ordered = sorted(members, key=_order)
    return tuple((case.id, "") for case in ordered[1:] if case.split != "test")


def _order(case: Case) -> tuple[int, str]:
    return (("test", "val", "train", "").index(case.split), case.id)


def _conflict(dataset: Dataset, members: Sequence[Case], pairs: Sequence[Copies]) -> Concern | None:
    if dataset.task in ("segmentation", "detection"):
        return None
    labels = {case.id: case.label for case in members if case.label is not None}
    exact = all(pair.exact for pair in pairs)
    score = min(pair.score for pair in pairs)
    if len(set(labels.values())) < 2 or score < _SURE:
        return None
    told = [f"{case.id} is {label_name(dataset, case)}" for case in members]
    return Concern(
        kind="label-conflict",
        severity="error",
        what=f"{_many(len(members), 'case')} show {'the same picture' if exact else 'copies of one picture'} "
        f"with different labels: {first_few(told, at_most=4)}.",
        remedy="Look which label is right; until then none of them should train.",
        cases=tuple(case.id for case in sorted(members, key=_order)),
        score=score,
        proposed=tuple((case.id, "") for case in members if case.split != "test"),
    )


def label_name(dataset: Dataset, case: Case) -> str:
    """What a person calls the label of a case: its classes, its number; "" for masks, boxes and none."""
    label = case.label
    if dataset.task == "regression":
        return f"{label:g}" if isinstance(label, int | float) else ""
    if isinstance(label, int):
        return dataset.classes[label]
    if isinstance(label, tuple) and all(isinstance(flag, int) for flag in label):
        present = [name for name, flag in zip(dataset.classes, label, strict=True) if flag]
        return ", ".join(present) or "none"
    return ""


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
