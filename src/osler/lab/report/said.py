"""What only a person knows: the names a facts file may hold, and how it is read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.io.files import read_json

# name in the facts file -> what to write there. Nothing of it is ever guessed.
SAYABLE: Mapping[str, str] = {
    "paper.title": "The title: that it is a study of AI, of which kind, on whom, and what is predicted.",
    "paper.abstract": "A structured summary of design, methods, results and conclusions.",
    "study.background": "The clinical problem, what is done today, which models there are already.",
    "study.inequalities": "Known differences in health or care between groups of the people concerned.",
    "study.objectives": "What was to be found out, and the hypotheses.",
    "study.design": "Prospective or retrospective, and how.",
    "study.goal": "Making a model, testing one, or both; feasibility, superiority, non-inferiority.",
    "study.sample_size": "How the number of patients was arrived at, for training and for testing.",
    "study.ethics": "The ethics committee, its number, or why none was needed.",
    "study.consent": "Consent of the participants, or the waiver of it.",
    "study.registration": "The register and the number, or that it was not registered.",
    "study.protocol": "Where the protocol can be read, or that there was none.",
    "study.funding": "Who paid, and what part they had in the study.",
    "study.conflicts": "Interests of the authors.",
    "study.involvement": "How patients and the public took part, or that they did not.",
    "use.role": "Where in the care of a patient the answer is used, and for what decision.",
    "use.users": "Who is meant to use it, with which training.",
    "use.interaction": "What users must do with the pictures or the model, and what they must know for it.",
    "data.sources": "Where the pictures come from, why from there; a reference where they are public.",
    "data.dates": "First and last day on which patients were taken in.",
    "data.centres": "Which and how many hospitals, in which country, of which kind.",
    "data.eligibility": "Who was included and who was not.",
    "data.excluded": "How many patients were left out, and why: the flow of participants.",
    "data.treatments": "Treatments before or between the pictures and the outcome, and how they were dealt with.",
    "data.acquisition": "Devices, protocols, contrast, views, doses.",
    "data.deidentification": "How identity was taken off.",
    "data.missing": "What was missing, and what was done about it.",
    "data.demographics": "Age, sex, ethnicity, severity of the patients in each part of the data.",
    "data.representative": "How like the people are on whom it will be used, and in what they differ.",
    "data.differences": "In what the test data differ from the training data: setting, inclusion, labels.",
    "reference.definition": "What counts as each class, grade or outline, and how it was found out, when.",
    "reference.rationale": "Why this reference standard and no other.",
    "reference.annotators": "Who labelled: how many, with what training and experience.",
    "reference.test_set": "How the test cases were labelled, where it was done otherwise than in training.",
    "reference.variability": "How far two readers, or one reader twice, agreed.",
    "reference.blinding": "What those who labelled did not know when they did.",
    "analysis.fairness": "What was done so that the model treats groups alike, and why.",
    "analysis.clusters": "How differences between hospitals, scanners or countries were handled and measured.",
    "analysis.rationale": "Why these measures and no others.",
    "analysis.explanation": "How the answers were explained, and how that was checked.",
    "data.disjoint": "At which level training and test cases are apart: patient, hospital.",
    "data.care": "How the quality of pictures and labels was checked before the training.",
    "evaluation.robustness": "A robustness or sensitivity analysis made elsewhere.",
    "evaluation.external": "A test on data from elsewhere that is not in this report.",
    "evaluation.subgroups": "Performance in groups of people, measured elsewhere.",
    "analysis.updating": "What was changed in the model after it was tested, and how it did then.",
    "analysis.hardware": "The machine that trained.",
    "discussion.failures": "What the wrong answers have in common.",
    "discussion.interpretation": "What the results mean, beside earlier studies, also for groups of people.",
    "discussion.limitations": "Limits of the study, and which way they bend the results.",
    "discussion.implications": "What it means for practice.",
    "discussion.next": "What should be studied next, and on whom else it may hold.",
    "ethics.sensitive": "Which sensitive facts of people went into the model or could come out of it.",
    "ethics.risks": "Who could be harmed, how, and what is done against it.",
    "ethics.recommendations": "What whoever takes it into use should do or not do.",
    "availability.model": "Where the model can be had, under which terms.",
    "availability.data": "Where the data can be had, under which terms.",
    "availability.code": "Where the code of the study can be had.",
    "model.contact": "Whom to ask about the model.",
    "model.citation": "How to cite it.",
}

_LONGEST = 6000  # letters of one answer: a report is no place for a whole article


def read_said(path: Path) -> dict[str, str]:
    """The facts in a JSON file: names as in SAYABLE, {"study.ethics": "..."} or {"study": {"ethics": "..."}}.

    A list becomes lines; what is empty counts as not said. Raises Unreadable for what is no JSON, UnknownChoice
    proposing the near name, AskedWrongly for a value that is no text.
    """
    value = read_json(path)
    if not isinstance(value, dict):
        raise AskedWrongly(
            f"{path.name} is no list of facts: it holds no JSON object.",
            remedy='Write {"study.ethics": "...", ...}; see docs/reference/checklists.md.',
        )
    said = {}
    for name, text in _flat(value):
        if name not in SAYABLE:
            raise UnknownChoice.among(f"fact in {path.name}", name, SAYABLE)
        lines = text if isinstance(text, list) else [text]
        if not all(isinstance(line, str) for line in lines):
            raise AskedWrongly(
                f"{path.name} says '{name}' with something that is no text.",
                remedy="Write a sentence in quotation marks, or a list of them.",
            )
        written = "\n".join(line.strip() for line in lines if line.strip())
        if len(written) > _LONGEST:
            raise AskedWrongly(
                f"{path.name} says {len(written)} letters about '{name}'; {_LONGEST} fit.",
                remedy="Say it shorter, and name the page where the rest can be read.",
            )
        if written:
            said[name] = written
    return said


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}", inner
