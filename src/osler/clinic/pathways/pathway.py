"""One clinical use: what it is called, what it asks of a picture, and how it says what a model found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from osler.clinic.pathways.seen import Seen
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding
from osler.core.prediction import Prediction
from osler.core.report import Problem
from osler.core.study import Picture
from osler.models.card import ModelCard

FLAT_CHECKS = ("numbers", "tiny", "mask", "blank", "strip", "burnt_out", "clipped")
VOLUME_CHECKS = ("numbers", "tiny", "mask", "blank", "few_slices", "thick_slices", "spacing_odd")

Guard = Callable[[Picture], Problem | None]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a use asks of a study whose outlines are given. An empty tuple means: any.

    modalities  the study must hold a picture of each; a picture that does not say its own may be any
    body_parts  upper case, as on a card
    views       likewise
    words       in the names of outlines, lower case: they speak for this use
    """

    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pathway:
    """One clinical use.

    name      what `--pathway` calls it, and the `use` on the card of a model made for it
    title     for people: "Pneumonia on a chest radiograph"
    finding   what one answer of several classes is called: "Diabetic retinopathy grade"
    names     class of the model -> what the report calls it; others are called as the model calls them
    codes     class of the model, or `finding` -> coded concept; the card's codes fill the gaps
    checks    names of quality checks, in order
    guards    what only this use asks of a picture; a Problem means: not read
    cautions  what to mind, given the picture that was read
    also      findings beyond those that every task makes
    measure   the findings, measured further with the pictures and the earlier studies at hand; may add some
    conclude  what follows from them by published rules
    priority  how soon a person should look; None where this use does not say
    outlines  may outlines that somebody else drew be read instead of a model's?
    needs     what it asks of a study whose outlines are given; of other studies the model's card says it
    lesions   each piece of what was drawn is a lesion of its own, followed from study to study
    """

    name: str
    title: str
    finding: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Code] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    cautions: Callable[[Picture], tuple[Problem, ...]] = lambda picture: ()
    also: Callable[[Prediction], tuple[Finding, ...]] = lambda prediction: ()
    measure: Callable[[Seen], tuple[Finding, ...]] = lambda seen: seen.findings
    conclude: Callable[[Seen], tuple[Conclusion, ...]] = lambda seen: ()
    priority: Callable[[Seen], Priority | None] = lambda seen: None
    outlines: bool = False
    needs: Needs = Needs()
    lesions: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that may read a study, and what it would read there.

    cases     one tuple a case: indices of the study's pictures, in the order of the model's channels
    support   how much the header speaks for it: 2 the body part, 1 the modality, 0 nothing
    cautions  what the header does not say or says oddly
    """

    pathway: Pathway
    card: ModelCard
    folder: Path
    cases: tuple[tuple[int, ...], ...]
    support: int
    cautions: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model that may not read a study, and why: what was found, and what to do."""

    model: str
    why: str
    remedy: str
