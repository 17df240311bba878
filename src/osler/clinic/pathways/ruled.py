"""What follows by published rules, asked so that a rule that fails never costs the reading."""

from collections.abc import Callable
from dataclasses import replace

from osler.clinic.guidelines.table import GUIDELINES
from osler.clinic.pathways.pathway import Pathway
from osler.clinic.pathways.seen import Seen
from osler.core.conclusion import Conclusion, Priority
from osler.core.errors import OslerError
from osler.results.sentences import phrase, say

Rule = Callable[[], Conclusion]


def conclusions_of(pathway: Pathway, seen: Seen) -> tuple[Conclusion, ...]:
    """The conclusions of a use; where preparing them fails, one that says so."""
    try:
        return pathway.conclude(seen)
    except Exception as error:  # the findings stand by themselves: a defect in a rule must not lose them
        why, title = _why(error), phrase(pathway.title)
        statement = say("conclusion.refused", title=title, why=why)
        return (Conclusion(pathway.name, "", title, "", statement, refused=why),)


def priority_of(pathway: Pathway, seen: Seen) -> Priority | None:
    """How soon a person should look; None where the use does not say."""
    return pathway.priority(seen)


def asked(guideline: str, rule: Rule, *, findings: tuple[int, ...] = ()) -> Conclusion:
    """What one rule of the table says; a conclusion that says why it could not, where it raises.

    findings  indices of the findings that it rests on
    """
    try:
        return replace(rule(), findings=findings)
    except Exception as error:  # as above: one guideline's failure is told in its own place
        return replace(refused(guideline, _why(error)), findings=findings)


def refused(guideline: str, why: str) -> Conclusion:
    """A rule of the table that is not asked, and why."""
    known = GUIDELINES[guideline]
    title = say(known.title)
    statement = say("conclusion.refused", title=title, why=why)
    return Conclusion(guideline, known.version, title, "", statement, refused=why, source=known.source)


def _why(error: Exception) -> str:
    """An expected failure says why itself; any other is a defect, named by its kind alone."""
    return str(error) if isinstance(error, OslerError) else say("conclusion.defect", kind=type(error).__name__)
