"""A severity statement: what the pictures show of how severe it is, how sure that is, and what it rests on.

It is no decision. A person decides, with a name (`decision.py`): GDPR Art. 22.
"""

from dataclasses import dataclass

from osler.clinic.assessment.request import AssessmentRequest
from osler.core.conclusion import Conclusion
from osler.core.finding import Finding
from osler.core.report import KeyPicture, ModelUse, Problem, Reason


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was graded: what a person agrees with, or changes.

    name          what was graded, "Kellgren-Lawrence grade"
    side          "L", "R" or "" where nothing says so
    said          the sentence a person reads
    grade         as the model or the guideline calls it: "2", "present", "Moderate"
    scale         the names of all grades from the least to the most severe; () where there is no order
    level         index of the grade in the scale; None without a scale
    lowest, highest  indices of the ends of the interval of grades; None where nothing is promised
    coverage      how often the truth lies within, .9; None where nothing is promised
    distribution  grade -> probability, in the order of the scale
    """

    name: str
    side: str
    said: str
    grade: str
    scale: tuple[str, ...] = ()
    level: int | None = None
    lowest: int | None = None
    highest: int | None = None
    coverage: float | None = None
    distribution: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing now, beside the same thing in an earlier study.

    name, side   as in the item or the measurement
    days         between the studies; None where the files do not say
    before, now  as a person reads them
    levels       grades that it rose (positive) or fell; None for measurements and where there is no order
    percent      by which a measurement changed; None for grades
    beyond       do the promised intervals leave no doubt that it changed? None where nothing is promised
    said         the sentence a person reads
    """

    name: str
    side: str
    days: int | None
    before: str
    now: str
    levels: int | None
    percent: float | None
    beyond: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the pictures that the model learnt from one picture is.

    p         share of the validation pictures that are at least as unlike; 1: as usual as can be
    patients  whose pictures it was compared with
    unlike    does the gate call it unlike?
    said      the sentence a person reads
    """

    picture: int
    p: float
    patients: int
    unlike: bool
    said: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is told of the person beside the pseudonym: what groups of people share, and no more."""

    sex: str = ""
    age_band: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SeverityStatement:
    """What one study of one person shows of the severity, for the person who decides.

    request      with the pseudonym, the purpose, the consent, and who will decide
    subject      sex and a band of ages from the header
    items        what was graded
    findings     all that was found, with measurements; names, and no study's name
    conclusions  what follows by published rules, row and source; those that may not be used say why
    changes      against earlier studies, the latest first
    earlier      how many earlier studies were given
    passed       checks of quality that the pictures passed, a phrase each
    cautions     what to mind
    likeness     one a picture that was read; () where the model has no gate
    pictures     evidence: what was read, and maps of what speaks for the answer that passed their checks
    reasons      what can be said of the maps
    models       what was used, with its limits and tests
    evidence     sha256 of the pixels of each picture that was read: which picture this was, without its name
    pathway      the clinical use
    modality     of the pictures
    software, created, uid  of the statement
    """

    request: AssessmentRequest
    subject: Subject
    items: tuple[Item, ...]
    findings: tuple[Finding, ...]
    conclusions: tuple[Conclusion, ...]
    changes: tuple[Change, ...]
    earlier: int
    passed: tuple[str, ...]
    cautions: tuple[Problem, ...]
    likeness: tuple[Likeness, ...]
    pictures: tuple[KeyPicture, ...]
    reasons: tuple[Reason, ...]
    models: tuple[ModelUse, ...]
    evidence: tuple[str, ...]
    pathway: str
    modality: str
    software: str
    created: str
    uid: str
