"""What follows from measurements by a published rule, and what it rests on."""

from dataclasses import dataclass

from osler.core.codes import Code

URGENCIES = ("now", "soon", "routine")  # from the most to the least urgent


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a rule was told.

    name   as the rule calls it: "solid part", "age"
    value  as a person writes it, with its unit and interval: "7.2 mm (6.6 to 7.9)", "yes"
    of     where it comes from: "finding 1: Longest diameter in a slice", "header", "the request"
    """

    name: str
    value: str
    of: str = ""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows from measurements by one published rule; or why the rule may not be used here.

    guideline  its name in the table of guidelines: "recist-1.1"
    version    of the rule as published, and of our table of it: "1.1 (2009), table 1"
    title      for people: "Response of solid tumours, RECIST 1.1"
    category   the answer, short: "PR", "4A", "Grade 2"; "" where it was refused
    statement  the sentence a person reads
    advice     what the guideline recommends, a sentence; "" where it recommends nothing
    rule       the row of the table that applied, in our own words
    grounds    what the rule was told
    nearby     other categories that cannot be excluded: a measurement lies closer to a limit than it is exact
    refused    why the rule does not hold for this patient or lacks what it needs; "" where it was used
    source     where the rule was published: authors, year, journal, pages, DOI
    code       of the category, where there is one
    findings   indices of the report's findings that it rests on
    """

    guideline: str
    version: str
    title: str
    category: str
    statement: str
    advice: str = ""
    rule: str = ""
    grounds: tuple[Ground, ...] = ()
    nearby: tuple[str, ...] = ()
    refused: str = ""
    source: str = ""
    code: Code | None = None
    findings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Priority:
    """How soon a person should look at the study: the order of a worklist, no diagnosis.

    urgency  one of URGENCIES
    because  the sentence that says why
    score    0 to 1, orders studies of one urgency; 1 comes first
    """

    urgency: str
    because: str
    score: float = 0.0
