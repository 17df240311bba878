"""Which of a reading's findings and conclusions grade severity."""

import numpy as np

from osler.clinic.assessment.statement import Item
from osler.core.conclusion import Conclusion
from osler.core.errors import Declined
from osler.core.finding import Finding
from osler.core.report import Report
from osler.core.study import Study
from osler.results.sentences import say
from osler.statistics.grades import median_grade


def items_of(report: Report, study: Study) -> tuple[Item, ...]:
    """Every ordinal grade and every finding that is there or not; where there is none, what published rules grade.

    Raises Declined where nothing grades severity.
    """
    found = [_graded(one, _side(one, study)) for one in report.findings if one.grade and one.distribution]
    found += [
        _there_or_not(one, _side(one, study))
        for one in report.findings
        if one.present is not None and one.probability is not None
    ]
    if not found:
        found = [_ruled(one) for one in report.conclusions if one.category and not one.refused]
    if not found:
        raise Declined(
            "Nothing in this reading grades severity: it holds no grade, and no published rule gave a category.",
            remedy="Ask for a pathway that grades; see docs/reference/pathways.md.",
        )
    return tuple(found)


def _graded(finding: Finding, side: str) -> Item:
    names = tuple(name for name, _ in finding.distribution)
    shares = np.array([share for _, share in finding.distribution])
    inside = [names.index(name) for name in finding.among]
    return Item(
        finding.name,
        side,
        finding.statement,
        finding.grade,
        names,
        int(median_grade(shares)),  # the grade that a reading tells is the median
        min(inside) if inside else None,
        max(inside) if inside else None,
        finding.coverage,
        finding.distribution,
    )


def _there_or_not(finding: Finding, side: str) -> Item:
    scale = (say("called.absent"), say("called.present"))
    there = int(bool(finding.present))
    share = float(finding.probability or 0.0)
    ends: tuple[int | None, int | None] = (None, None)
    if finding.among and finding.coverage is not None:
        ends = (0, 1) if len(finding.among) > 1 else (there, there)
    return Item(
        finding.name,
        side,
        finding.statement,
        scale[there],
        scale,
        there,
        *ends,
        finding.coverage if ends[0] is not None else None,
        ((scale[0], 1 - share), (scale[1], share)),
    )


def _ruled(conclusion: Conclusion) -> Item:
    return Item(conclusion.title, "", conclusion.statement, conclusion.category)


def _side(finding: Finding, study: Study) -> str:
    side = study.pictures[finding.picture].facts.laterality if finding.picture < len(study.pictures) else ""
    return side if side in ("L", "R") else ""
