"""Over a book of cases: is the same severity graded the same, do persons agree with the model, and for whom not?

Consistency  the same picture must get the same grade; the same joint in two studies may differ, and how often is
             told: test-retest, quadratic weighted kappa.
Agreement    the person's grade against the model's; how often it was overruled, and which way; how often the
             person's grade lay in the interval that the model promised.
Subgroups    overruling and its direction in each group of persons against all others, within persons of the same
             grade; all tests of the audit are corrected together (Holm).

No number stands without its n, and a group of fewer than FEWEST persons has none.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from osler.clinic.assessment.agreement import Estimate, estimate, permutation_p
from osler.clinic.assessment.case_book import Case, CaseBook, overruled
from osler.clinic.assessment.decision import WITHHELD, Decision
from osler.clinic.assessment.statement import Item
from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.results.sentences import say
from osler.statistics.grades import qwk
from osler.statistics.intervals import interval, resample
from osler.statistics.several_tests import holm
from osler.statistics.weighted import mean

FEWEST = 10  # persons below which there is no number
NEVER_OVERRULED = 20  # decisions after which agreement without exception is told
MOST_GROUPS = 12
TESTED = ("overruled", "shift")


@dataclass(frozen=True, slots=True)
class Retest:
    """The same joint, or whatever was graded, in two studies of one person, one stated after the other.

    pairs    of studies that follow each other
    same, within_one  share of pairs with the same grade, and with grades at most one apart
    shift    mean of the second grade less the first
    kappa    quadratic weighted
    again    pairs in which the same model read the very same pixels twice, and how many had the same grade
    """

    pairs: int
    same: Estimate
    within_one: Estimate
    shift: Estimate
    kappa: Estimate
    again: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Persons against the model, on the items that a person decided.

    decided, withheld  items with a grade by a person; items of which the person said that none can be given
    overruled  share of the decided with another grade than the model's; up and down count which way
    up, down   number of decided items that were graded higher, and lower, than by the model
    shift      mean of the person's grade less the model's
    kappa      quadratic weighted
    inside     share of decided items with an interval of grades in which the person's grade lies
    promised   the share that the intervals promised, None where there are none
    """

    decided: int
    withheld: int
    overruled: Estimate
    up: int
    down: int
    shift: Estimate
    kappa: Estimate
    inside: Estimate
    promised: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """One number of a group less that of all others; p of this test alone, and after Holm's correction."""

    name: str
    value: float
    low: float
    high: float
    p: float
    corrected: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group of persons.

    grade  mean grade by the model, over all items; tells groups that are more severe
    note   why a number is missing, "" for nothing
    """

    name: str
    persons: int
    items: int
    decided: int
    grade: Estimate | None
    overruled: Estimate | None
    shift: Estimate | None
    kappa: Estimate | None
    gaps: tuple[Gap, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Subgroups:
    """One fact of the persons, group by group. unknown: items whose statement does not say."""

    column: str
    unknown: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class ScaleAudit:
    """All items of one name and scale."""

    name: str
    scale: tuple[str, ...]
    persons: int
    items: int
    counts: tuple[int, ...]
    retest: Retest
    agreement: Agreement
    subgroups: tuple[Subgroups, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit of a book of cases.

    statements, persons, copies  in the book; copies were counted once
    models     digests of the models that were used: several make grades hard to compare
    undecided  items that no person decided
    unordered  items without an order of grades, which are counted here and nowhere else
    tests      how many p were corrected together
    notes      what a reader must mind, a sentence each
    """

    statements: int
    persons: int
    copies: int
    models: tuple[str, ...]
    undecided: int
    unordered: int
    scales: tuple[ScaleAudit, ...]
    tests: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One item of one case."""

    case: Case
    item: Item
    decision: Decision | None

    @property
    def level(self) -> int:
        return self.item.level or 0

    @property
    def decided(self) -> bool:
        return self.decision is not None and self.decision.decision != WITHHELD and self.decision.level is not None


def audit(book: CaseBook, *, by: Sequence[str] = ()) -> Audit:
    """The audit of a book.

    by  facts to compare groups by: "sex", "age", or what requests name under "groups"

    Raises UnknownChoice for a fact that no statement has, AskedWrongly for one with too many values.
    """
    _check_columns(book, by)
    rows = [_Row(case, item, case.decided(index)) for case in book.cases for index, item in enumerate(case.items)]
    ordered = [row for row in rows if row.item.level is not None]
    kinds = dict.fromkeys((row.item.name, row.item.scale) for row in ordered)
    scales = [_of_scale([row for row in ordered if (row.item.name, row.item.scale) == kind], by) for kind in kinds]
    scales, tests = _corrected(scales)
    models = tuple(sorted({model for case in book.cases for model in case.models}))
    undecided = sum(row.decision is None for row in rows)
    made = Audit(
        statements=len(book.cases),
        persons=len({case.pseudonym for case in book.cases}),
        copies=book.copies,
        models=models,
        undecided=undecided,
        unordered=len(rows) - len(ordered),
        scales=tuple(scales),
        tests=tests,
        notes=(),
    )
    return replace(made, notes=tuple(_notes(made)))


def _check_columns(book: CaseBook, by: Sequence[str]) -> None:
    known = {name for case in book.cases for name in case.groups}
    for name in by:
        if name not in known:
            if not known:
                raise AskedWrongly(
                    f"No statement says '{name}', or anything else to compare by.",
                    remedy='Name it in the requests under "groups", or leave --by away.',
                )
            raise UnknownChoice.among("fact of the statements", name, known)
        values = {case.groups[name] for case in book.cases if name in case.groups}
        if len(values) > MOST_GROUPS:
            raise AskedWrongly(
                f"'{name}' has {len(values)} values: too many groups to compare.",
                remedy=f"Compare by a fact with at most {MOST_GROUPS} values.",
            )


def _of_scale(rows: Sequence[_Row], by: Sequence[str]) -> ScaleAudit:
    scale = rows[0].item.scale
    counts = Counter(row.level for row in rows)
    return ScaleAudit(
        rows[0].item.name,
        scale,
        len({row.case.pseudonym for row in rows}),
        len(rows),
        tuple(counts[level] for level in range(len(scale))),
        _retest(rows),
        _agreement(rows),
        tuple(_subgroups(rows, column) for column in by),
    )


def _retest(rows: Sequence[_Row]) -> Retest:
    """Pairs of one person, side and thing; rows come oldest first."""
    held: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        held.setdefault((row.case.pseudonym, row.item.side), []).append(row)
    pairs: list[tuple[_Row, _Row]] = []
    again = same_again = 0
    for every in held.values():
        twice = Counter(row.case.uid for row in every)
        alone = [row for row in every if twice[row.case.uid] == 1]  # two of one side: cannot be told apart
        for first, second in pairwise(alone):
            if first.case.evidence != second.case.evidence:
                pairs.append((first, second))
            elif first.case.models == second.case.models:
                again += 1
                same_again += first.level == second.level
    before = np.array([first.level for first, _ in pairs], int)
    after = np.array([second.level for _, second in pairs], int)
    persons = [first.case.pseudonym for first, _ in pairs]
    return Retest(
        len(pairs),
        _share(before == after, persons),
        _share(np.abs(before - after) <= 1, persons),
        _mean(after - before, persons),
        _kappa(before, after, len(rows[0].item.scale), persons),
        (again, same_again),
    )


def _agreement(rows: Sequence[_Row]) -> Agreement:
    decided = [row for row in rows if row.decided]
    persons = [row.case.pseudonym for row in decided]
    model, person = _both(decided)
    bound = [row for row in decided if row.item.lowest is not None and row.item.highest is not None]
    inside = [
        (row.item.lowest or 0) <= (row.decision.level or 0) <= (row.item.highest or 0)
        for row in bound
        if row.decision is not None
    ]
    promises = {row.item.coverage for row in bound}
    return Agreement(
        len(decided),
        sum(row.decision is not None and row.decision.decision == WITHHELD for row in rows),
        _share(_overruled(decided), persons),
        int((person > model).sum()),
        int((person < model).sum()),
        _mean(person - model, persons),
        _kappa(model, person, len(rows[0].item.scale), persons),
        _share(np.array(inside, bool), [row.case.pseudonym for row in bound]),
        min((one for one in promises if one is not None), default=None),
    )


def _subgroups(rows: Sequence[_Row], column: str) -> Subgroups:
    known = [row for row in rows if column in row.case.groups]
    names = sorted({row.case.groups[column] for row in known})
    groups = [_group([row for row in known if row.case.groups[column] == name], known, name) for name in names]
    if len(groups) == 2 and all(group.gaps for group in groups):
        # Two groups are each other's rest: one test, not two.
        mirrored = [replace(gap, value=-gap.value, low=-gap.high, high=-gap.low) for gap in groups[0].gaps]
        groups[1] = replace(groups[1], gaps=tuple(mirrored))
    return Subgroups(column, len(rows) - len(known), tuple(groups))


def _group(mine: Sequence[_Row], known: Sequence[_Row], name: str) -> Group:
    persons = {row.case.pseudonym for row in mine}
    decided = [row for row in mine if row.decided]
    deciders = [row.case.pseudonym for row in decided]
    if len(persons) < FEWEST:
        note = say("audit.small", persons=len(persons))
        return Group(name, len(persons), len(mine), len(decided), None, None, None, None, (), note)
    grade = _mean(np.array([row.level for row in mine]), [row.case.pseudonym for row in mine])
    if len(set(deciders)) < FEWEST:
        note = say("audit.small.decided", persons=len(set(deciders)))
        return Group(name, len(persons), len(mine), len(decided), grade, None, None, None, (), note)
    model, person = _both(decided)
    return Group(
        name,
        len(persons),
        len(mine),
        len(decided),
        grade,
        _share(_overruled(decided), deciders),
        _mean(person - model, deciders),
        _kappa(model, person, len(mine[0].item.scale), deciders),
        *_gaps(mine, known),
    )


def _gaps(mine: Sequence[_Row], known: Sequence[_Row]) -> tuple[tuple[Gap, ...], str]:
    """The group against all others; persons who lie in several groups are left out of both."""
    own = {row.case.pseudonym for row in mine}
    column_rest = [row for row in known if not any(row is one for one in mine)]
    both = own & {row.case.pseudonym for row in column_rest}
    rows = [row for row in known if row.decided and row.case.pseudonym not in both]
    inside = np.array([row.case.pseudonym in own for row in rows], bool)
    persons = [row.case.pseudonym for row in rows]
    note = say("audit.several_groups", persons=len(both)) if both else ""
    counts = [
        len({p for p, i in zip(persons, inside, strict=True) if i is np.bool_(side)}) for side in (True, False)
    ]
    if min(counts) < FEWEST:
        return (), note or say("audit.not_compared", fewest=FEWEST)
    model, person = _both(rows)
    gaps = []
    for name, values in zip(TESTED, (_overruled(rows), person - model), strict=True):
        numbers = np.asarray(values, float)

        def measure(weights: Floats, numbers: Array = numbers) -> Floats:
            return mean(numbers, weights)

        ours, rest = numbers[inside], numbers[~inside]
        value = float(ours.mean() - rest.mean())

        def gap(weights: Floats, inside: Array = inside) -> dict[str, Floats]:
            return {"": measure(weights * inside) - measure(weights * ~inside)}

        found = interval(value, resample(gap, persons)[""])
        p = permutation_p(measure, persons, inside, model)
        gaps.append(Gap(name, value, found.low, found.high, p, float("nan")))
    return tuple(gaps), note


def _corrected(scales: Sequence[ScaleAudit]) -> tuple[list[ScaleAudit], int]:
    """Every p of the audit, corrected together; two mirrored groups are one test."""
    places = [
        (s, c, g, n)
        for s, scale in enumerate(scales)
        for c, column in enumerate(scale.subgroups)
        for g, group in enumerate(column.groups)
        for n in range(len(group.gaps))
        if not (g == 1 and len(column.groups) == 2)
    ]
    raised = holm([scales[s].subgroups[c].groups[g].gaps[n].p for s, c, g, n in places])
    of = dict(zip(places, raised, strict=True))

    def gap(s: int, c: int, g: int, n: int, one: Gap) -> Gap:
        return replace(one, corrected=of.get((s, c, g, n), of.get((s, c, 0, n), float("nan"))))

    made = []
    for s, scale in enumerate(scales):
        columns = []
        for c, column in enumerate(scale.subgroups):
            groups = [
                replace(group, gaps=tuple(gap(s, c, g, n, one) for n, one in enumerate(group.gaps)))
                for g, group in enumerate(column.groups)
            ]
            columns.append(replace(column, groups=tuple(groups)))
        made.append(replace(scale, subgroups=tuple(columns)))
    return made, len(places)


def _notes(made: Audit) -> list[str]:
    notes = []
    if len(made.models) > 1:
        notes.append(say("audit.note.models", models=len(made.models)))
    if made.undecided:
        notes.append(say("audit.note.undecided", items=made.undecided))
    if made.unordered:
        notes.append(say("audit.note.unordered", items=made.unordered))
    for scale in made.scales:
        agreed = scale.agreement
        if agreed.decided >= NEVER_OVERRULED and not agreed.up and not agreed.down:
            notes.append(say("audit.note.never", name=scale.name, decided=agreed.decided))
        again, same = scale.retest.again
        if same < again:
            notes.append(say("audit.note.again", name=scale.name, other=again - same, again=again))
        if scale.retest.pairs:
            notes.append(say("audit.note.between", name=scale.name))
    return notes


def _both(rows: Sequence[_Row]) -> tuple[Array, Array]:
    """(the model's grades, the person's), of rows that were decided."""
    model = np.array([row.level for row in rows], int)
    person = np.array([row.decision.level if row.decision is not None else 0 for row in rows], int)
    return model, person


def _overruled(rows: Sequence[_Row]) -> Array:
    return np.array([row.decision is not None and overruled(row.decision) for row in rows], bool)


def _share(values: Array, persons: Sequence[str]) -> Estimate:
    return estimate(lambda weights: mean(values, weights), persons, share=True)


def _mean(values: Array, persons: Sequence[str]) -> Estimate:
    return estimate(lambda weights: mean(values, weights), persons)


def _kappa(first: Array, second: Array, grades: int, persons: Sequence[str]) -> Estimate:
    return estimate(lambda weights: qwk(first, second, grades, weights), persons)
