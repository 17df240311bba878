"""On whom is the model worse? Each group of patients against all others, with intervals, p and a correction.

The interval of a gap comes from resampling patients. Its p comes from handing the groups' names round among the
patients at random, within those of the same truth (a stratified permutation test, Good 2005, chapter 3): it asks
whether the model errs more in this group than on other patients who have the same, so that a sicker group does not
look like a worse treated one. Where pictures of one patient lie in several groups (views, say) names cannot be
handed round, and p comes from the same resamples as the interval. All p of an audit are corrected together by
Holm's method (1979, Scandinavian Journal of Statistics 6:65), which holds however the tests hang together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.lab.evaluate.answers import CLASSIFICATION, Answers
from osler.lab.evaluate.bands import Column, Fact, columns_of
from osler.lab.evaluate.headline import HEADLINE, headline, judged_classes
from osler.lab.evaluate.measures import OperatingPoint
from osler.statistics.intervals import Interval, interval, patient_weights
from osler.statistics.several_tests import holm

FEWEST = 10  # patients of a group below which there is no number
MOST_COLUMNS = 12  # looked at unasked; more tests find less
TESTED: Mapping[str, tuple[str, ...]] = {
    "binary": ("auc", "sensitivity", "specificity"),
    "multilabel": ("auc", "sensitivity", "specificity"),
    "multiclass": ("auc", "accuracy"),
    "ordinal": ("qwk", "mae"),
    "regression": ("mae", "said_minus_so"),
    "segmentation": ("dice", "nsd"),
}
_WORK = 1_000_000  # weights drawn for one group
_RESAMPLES, _PERMUTATIONS = (200, 1000), (499, 1999)


@dataclass(frozen=True, slots=True)
class Gap:
    """One metric of a group, less that of all other cases.

    low, high  95 % interval by patient; NaN where there is none
    p          two-sided, of this test alone; NaN where there is none
    corrected  p after Holm's correction over all tests of the audit
    """

    value: float
    low: float
    high: float
    p: float
    corrected: float

    def to_json(self) -> dict[str, float | None]:
        """The fields by name, null for NaN."""
        return {
            name: None if np.isnan(getattr(self, name)) else float(getattr(self, name))
            for name in ("value", "low", "high", "p", "corrected")
        }


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The cases of one group, and how the model did on them.

    class_cases  cases of each class; {} for numbers
    metrics      name -> interval; {} where the group is too small
    gaps         name -> gap to all other cases, for the metrics that are tested; {} where there are none
    note         why a number is missing, "" for nothing
    """

    name: str
    patients: int
    cases: int
    class_cases: Mapping[str, int]
    metrics: Mapping[str, Interval]
    gaps: Mapping[str, Gap]
    note: str = ""

    def to_json(self) -> dict[str, object]:
        """The fields by name, n first."""
        return {
            "group": self.name,
            "n": {"patients": self.patients, "cases": self.cases},
            "class_cases": dict(self.class_cases),
            "metrics": {name: one.to_json() for name, one in self.metrics.items()},
            "gaps": {name: one.to_json() for name, one in self.gaps.items()},
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SubgroupAudit:
    """One column of facts, group by group.

    how        how values became groups
    unknown    cases without a value, left out
    groups     in their order
    test       "permutation" of patients or "bootstrap", "" where nothing was tested
    tests      how many tests, over all columns, the correction is for
    resamples, permutations, seed  of the intervals and of p
    """

    column: str
    how: str
    unknown: int
    groups: tuple[Group, ...]
    test: str
    tests: int
    resamples: int
    permutations: int
    seed: int

    def to_json(self) -> dict[str, object]:
        """The fields by name."""
        return {
            "column": self.column,
            "how": self.how,
            "unknown": self.unknown,
            "groups": [group.to_json() for group in self.groups],
            "test": self.test,
            "correction": f"Holm, {self.tests} tests",
            "resamples": self.resamples,
            "permutations": self.permutations,
            "seed": self.seed,
        }


def usable_columns(facts: Sequence[Mapping[str, Fact]]) -> tuple[str, ...]:
    """The facts that make groups, sex, age and site first, then in the order of the data set."""
    found = [name for name, one in columns_of(facts).items() if isinstance(one, Column)]
    first = ("sex", "age", "site", "manufacturer", "device", "view")
    return tuple(sorted(found, key=lambda name: first.index(name) if name in first else len(first)))


def subgroups(
    answers: Answers,
    facts: Sequence[Mapping[str, Fact]],
    *,
    columns: Sequence[str] | None = None,
    operating_point: OperatingPoint = None,
    seed: int = 0,
) -> tuple[SubgroupAudit, ...]:
    """The model's main metrics in every group of patients, and each group's gap to all others.

    facts    one a case, in the order of the answers
    columns  which facts; None: the first MOST_COLUMNS of `usable_columns`

    Groups of fewer than FEWEST patients are listed with their n and no number; what a group of one class cannot
    have (AUC) is NaN. Raises AskedWrongly for a column that no case has, or that makes no groups.
    """
    known = columns_of(facts)
    chosen = usable_columns(facts)[:MOST_COLUMNS] if columns is None else tuple(columns)
    asked = [_asked(known, name) for name in chosen]
    audits = [_audit(answers, column, operating_point, seed) for column in asked]
    return _corrected(audits)


def chosen_answers(answers: Answers, inside: Array) -> Answers:
    """The answers on some of the cases: `inside` (cases,) booleans, at least one of them true."""
    places = np.flatnonzero(inside)

    def some(rows: Array | None) -> Array | None:
        return None if rows is None else np.asarray(rows)[places]

    return replace(
        answers,
        ids=tuple(answers.ids[place] for place in places),
        patients=tuple(answers.patients[place] for place in places),
        probabilities=some(answers.probabilities),
        values=some(answers.values),
        truth=some(answers.truth),
        masks=tuple(answers.masks[place] for place in places) if answers.masks else (),
    )


def one_class_note(answers: Answers) -> str:
    """What cannot be said of these cases because all, or none, of them have a class; "" for nothing."""
    if answers.task not in CLASSIFICATION or len(judged_classes(answers)) == len(answers.classes):
        return ""
    having = answers.indicators.sum(axis=0)
    if answers.task == "binary":
        has = answers.classes[int(having[1] > 0)]
        left = "sensitivity" if having[1] else "specificity"
        return f"all cases are '{has}': there is a {left}, and no AUC"
    gone = [name for name, count in zip(answers.classes, having, strict=True) if count in (0, len(answers.ids))]
    return f"no means over {', '.join(gone)}: none or all of the cases have it"


def _asked(known: Mapping[str, Column | str], name: str) -> Column:
    lower = {one.lower(): one for one in known}
    found = known.get(name) or known.get(lower.get(name.lower(), ""))
    if isinstance(found, Column):
        return found
    usable = [one for one, groups in known.items() if isinstance(groups, Column)]
    raise AskedWrongly(
        f"The cases have no fact '{name}'." if found is None else f"'{name}' makes no groups: {found}.",
        remedy=f"Choose among: {', '.join(usable)}." if usable else "Add a column to the data's table.",
    )


def _audit(answers: Answers, column: Column, point: OperatingPoint, seed: int) -> SubgroupAudit:
    of = np.array(column.of)
    known = of != ""
    unknown = int((~known).sum())
    answers, of = chosen_answers(answers, known), of[known]
    patients = np.array(answers.patients)
    permuted = all(len(set(of[patients == one])) == 1 for one in np.unique(patients))
    resamples = int(np.clip(_WORK // len(of), *_RESAMPLES))
    permutations = int(np.clip(_WORK // len(of), *_PERMUTATIONS)) if permuted else 0
    drawn = list(patient_weights(answers.patients, resamples=resamples, seed=seed))
    shuffled = _shuffled(answers, of, permutations, seed) if permuted else None
    groups = []
    for name in column.groups:
        inside = of == name
        groups.append(_group(answers, inside, name, point, drawn, None if shuffled is None else shuffled == name))
    if sum(bool(group.gaps) for group in groups) == 2 == len(column.groups):
        # Two groups are each other's rest: one test, not two.
        first, second = groups
        groups[1] = replace(second, gaps={name: _mirrored(gap) for name, gap in first.gaps.items()})
    tested = any(group.gaps for group in groups)
    test = ("permutation" if permuted else "bootstrap") if tested else ""
    return SubgroupAudit(
        column.name, column.how, unknown, tuple(groups), test, 0, resamples, permutations if tested else 0, seed
    )


def _group(
    answers: Answers,
    inside: Array,
    name: str,
    point: OperatingPoint,
    drawn: Sequence[Floats],
    shuffled: Array | None,
) -> Group:
    ours = chosen_answers(answers, inside)
    patients, counts = len(set(ours.patients)), _class_cases(ours)
    if patients < FEWEST:
        one = "one patient" if patients == 1 else f"{patients} patients"
        return Group(name, patients, len(ours.ids), counts, {}, {}, f"{one} only: too few for a number")
    measure = headline(ours, operating_point=point)
    values = measure(np.ones((1, len(ours.ids))))
    parts = [measure(weights[:, inside]) for weights in drawn]
    metrics = {
        name: interval(float(value[0]), np.concatenate([part[name] for part in parts]))
        for name, value in values.items()
    }
    metrics = {name: one for name, one in metrics.items() if not np.isnan(one.value)}
    gaps = {}
    rest = answers.patients if inside.all() else chosen_answers(answers, ~inside).patients
    if not inside.all() and len(set(rest)) >= FEWEST:
        gaps = _gaps(answers, inside, point, drawn, shuffled)
    return Group(name, patients, len(ours.ids), counts, metrics, gaps, one_class_note(ours))


def _gaps(
    answers: Answers, inside: Array, point: OperatingPoint, drawn: Sequence[Floats], shuffled: Array | None
) -> dict[str, Gap]:
    """Group minus rest; means are over the classes that both can be judged by."""
    both = set(judged_classes(chosen_answers(answers, inside)))
    both &= set(judged_classes(chosen_answers(answers, ~inside)))
    tested = TESTED[answers.task]
    measure = headline(answers, operating_point=point, classes=sorted(both), only=tested)

    def apart(weights: Floats, mine: Array) -> dict[str, Floats]:
        ours, theirs = measure(weights * mine), measure(weights * ~mine)
        return {name: ours[name] - theirs[name] for name in tested}

    found = {name: float(value[0]) for name, value in apart(np.ones((1, len(inside))), inside).items()}
    parts = [apart(weights, inside) for weights in drawn]
    by_chance = apart(np.ones(len(inside)), shuffled) if shuffled is not None else None
    gaps = {}
    for name, value in found.items():
        if np.isnan(value):
            continue
        spread = np.concatenate([part[name] for part in parts])
        reach = interval(value, spread)
        p = _tail(spread) if by_chance is None else _beyond(value, by_chance[name])
        gaps[name] = Gap(value, reach.low, reach.high, p, np.nan)
    return gaps


def _beyond(value: float, by_chance: Floats) -> float:
    """How often chance alone parts group and rest as far; never 0 (Phipson and Smyth 2010)."""
    defined = by_chance[np.isfinite(by_chance)]
    if not len(defined):
        return float("nan")
    middle = float(defined.mean())
    far = np.abs(defined - middle) >= abs(value - middle) - 1e-12
    return float((far.sum() + 1) / (len(defined) + 1))


def _tail(drawn: Floats) -> float:
    defined = drawn[np.isfinite(drawn)]
    if not len(defined):
        return float("nan")
    tail = (min(int((defined <= 0).sum()), int((defined >= 0).sum())) + 1) / (len(defined) + 1)
    return float(min(1.0, 2 * tail))


def _shuffled(answers: Answers, of: Array, permutations: int, seed: int) -> Array:
    """Group names handed round among patients of the same truth: (permutations, cases)."""
    random = np.random.default_rng(seed)
    patients, first, place = np.unique(np.array(answers.patients), return_index=True, return_inverse=True)
    named = np.repeat(of[first][None], permutations, axis=0)  # (permutations, patients)
    truth = np.zeros(len(patients))
    if answers.task in CLASSIFICATION:
        worst = answers.labels.sum(axis=1) if answers.task == "multilabel" else answers.labels
        np.maximum.at(truth, place, worst)
    for one in np.unique(truth):
        same = np.flatnonzero(truth == one)
        named[:, same] = random.permuted(named[:, same], axis=1)
    return named[:, place]


def _mirrored(gap: Gap) -> Gap:
    return replace(gap, value=-gap.value, low=-gap.high, high=-gap.low)


def _corrected(audits: Sequence[SubgroupAudit]) -> tuple[SubgroupAudit, ...]:
    """Holm's correction over all columns; the mirror of a test is the same test."""
    keys, given = [], []
    for place, audit in enumerate(audits):
        twins = len(audit.groups) == 2 and all(group.gaps for group in audit.groups)
        for group in audit.groups[: 1 if twins else None]:
            for name, gap in group.gaps.items():
                keys.append((place, "" if twins else group.name, name))
                given.append(gap.p)
    raised = dict(zip(keys, holm(given), strict=True))
    tests = sum(not np.isnan(p) for p in given)
    done = []
    for place, audit in enumerate(audits):
        groups = []
        for group in audit.groups:
            gaps = {}
            for name, gap in group.gaps.items():
                key = (place, group.name, name) if (place, group.name, name) in raised else (place, "", name)
                gaps[name] = replace(gap, corrected=raised[key])
            groups.append(replace(group, gaps=gaps))
        done.append(replace(audit, groups=tuple(groups), tests=tests))
    return tuple(done)


def _class_cases(answers: Answers) -> dict[str, int]:
    if answers.task not in CLASSIFICATION:
        return {}
    return dict(zip(answers.classes, answers.indicators.sum(axis=0).astype(int).tolist(), strict=True))


def main_metric(task: str) -> str:
    """The metric by which sets of cases of this task are drawn side by side."""
    return HEADLINE[task][0]
