"""A report as JSON. The keys are documented here and kept: a change that breaks readers raises REPORT_VERSION."""

import math
from pathlib import Path
from typing import Any

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding, Measurement
from osler.core.report import ModelUse, Problem, Reason, Report
from osler.core.study import Study
from osler.io.files import write_json
from osler.results.pictures import picture_name, write_pictures
from osler.results.sentences import in_its_language, say

REPORT_VERSION = 1


@in_its_language
def report_to_json(report: Report) -> dict[str, Any]:
    """The report as values that JSON can hold.

    report_version  of this layout, 1
    notice          that this is no medical device
    language        of its sentences, "en" or "zh"; the keys are the same in each
    study           name, uid; header: what the header says (modality, body_part, view, laterality, sex, age_years,
                    manufacturer, device); never a name, number, date of birth or free description
    status          "read" or "declined"
    pathway         the clinical use, "" when declined
    declined        why no answer is given: [{"what", "remedy", "check"}], [] when read
    cautions        what to mind, likewise
    findings        [{"name", "statement", "code", "probability", "present", "grade", "measurements", "picture",
                    "distribution", "among", "coverage", "lesion", "site", "centre_mm"}];
                    measurements: [{"name", "value", "unit", "low", "high", "code"}];
                    distribution: [{"class", "probability"}]; picture: index of the study's picture;
                    among: classes that cannot be excluded with that coverage, [] and null without a promise;
                    code: {"value", "scheme", "meaning"} or null;
                    lesion: what it is called across studies, "L1", or ""; site: where in the body, or "";
                    centre_mm: [x, y, z] in DICOM's patient coordinates (LPS), or null
    conclusions     what follows from the findings by published rules: [{"guideline", "version", "title",
                    "category", "statement", "advice", "rule", "grounds", "nearby", "refused", "source", "code",
                    "findings"}]; grounds: what the rule was told, [{"name", "value", "of"}]; nearby: categories
                    that cannot be excluded; refused: why the rule was not used, then category is "", or "" where
                    it was; findings: indices of the findings that it rests on
    priority        {"urgency", "because", "score"} or null; urgency: "now", "soon" or "routine"; score: 0 to 1,
                    orders the studies of one urgency
    key_pictures    [{"title", "file"}], files beside report.json
    reasons         why the model said so: [{"way", "about", "statement", "files", "figures"}]; files: key pictures
                    that show the map; figures: {name: number} of its checks
    models          [{"name", "version", "digest", "sees", "not_for", "licence", "tested"}]
    seconds         {stage: seconds}
    software, created
    """
    facts = report.facts
    return {
        "report_version": REPORT_VERSION,
        "notice": say("page.notice"),
        "language": report.language,
        "study": {
            "name": report.study,
            "uid": report.study_uid,
            # The description is left out: people type names into it.
            "header": {
                "modality": facts.modality,
                "body_part": facts.body_part,
                "view": facts.view,
                "laterality": facts.laterality,
                "sex": facts.sex,
                "age_years": _number(facts.age_years),
                "manufacturer": facts.manufacturer,
                "device": facts.device,
            },
        },
        "status": "declined" if report.declined else "read",
        "pathway": report.pathway,
        "declined": [_problem(problem) for problem in report.declined],
        "cautions": [_problem(problem) for problem in report.cautions],
        "findings": [_finding(finding) for finding in report.findings],
        "conclusions": [_conclusion(conclusion) for conclusion in report.conclusions],
        "priority": _priority(report.priority),
        "key_pictures": [
            {"title": picture.title, "file": picture_name(index)}
            for index, picture in enumerate(report.key_pictures)
        ],
        "reasons": [_reason(reason) for reason in report.reasons],
        "models": [_model(model) for model in report.models],
        "seconds": {stage: _number(seconds) for stage, seconds in report.seconds},
        "software": report.software,
        "created": report.created,
    }


def write_report_json(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write report.json and its key pictures into `folder`. Raises NoRoom when the disk is full."""
    write_pictures(report, folder)
    path = folder / "report.json"
    write_json(path, report_to_json(report))
    return (path,)


def _problem(problem: Problem) -> dict[str, Any]:
    return {"what": problem.what, "remedy": problem.remedy, "check": problem.check}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "statement": finding.statement,
        "code": _code(finding.code),
        "probability": _number(finding.probability),
        "present": finding.present,
        "grade": finding.grade,
        "measurements": [_measurement(measurement) for measurement in finding.measurements],
        "picture": finding.picture,
        "distribution": [{"class": name, "probability": _number(p)} for name, p in finding.distribution],
        "among": list(finding.among),
        "coverage": _number(finding.coverage),
        "lesion": finding.lesion,
        "site": finding.site,
        "centre_mm": None if finding.centre_mm is None else [_number(mm) for mm in finding.centre_mm],
    }


def _conclusion(conclusion: Conclusion) -> dict[str, Any]:
    return {
        "guideline": conclusion.guideline,
        "version": conclusion.version,
        "title": conclusion.title,
        "category": conclusion.category,
        "statement": conclusion.statement,
        "advice": conclusion.advice,
        "rule": conclusion.rule,
        "grounds": [{"name": one.name, "value": one.value, "of": one.of} for one in conclusion.grounds],
        "nearby": list(conclusion.nearby),
        "refused": conclusion.refused,
        "source": conclusion.source,
        "code": _code(conclusion.code),
        "findings": list(conclusion.findings),
    }


def _priority(priority: Priority | None) -> dict[str, Any] | None:
    if priority is None:
        return None
    return {"urgency": priority.urgency, "because": priority.because, "score": _number(priority.score)}


def _measurement(measurement: Measurement) -> dict[str, Any]:
    quantity = measurement.quantity
    return {
        "name": measurement.name,
        "value": _number(quantity.value),
        "unit": quantity.unit,
        "low": _number(quantity.low),
        "high": _number(quantity.high),
        "code": _code(measurement.code),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "way": reason.way,
        "about": reason.about,
        "statement": reason.statement,
        "files": [picture_name(index) for index in reason.pictures],
        "figures": {name: _number(value) for name, value in reason.figures},
    }


def _model(model: ModelUse) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "sees": model.sees,
        "not_for": list(model.not_for),
        "licence": model.licence,
        "tested": list(model.tested),
    }


def _code(code: Code | None) -> dict[str, str] | None:
    return None if code is None else {"value": code.value, "scheme": code.scheme, "meaning": code.meaning}


def _number(value: float | None) -> float | None:
    """JSON knows no NaN and no infinity."""
    return None if value is None or not math.isfinite(value) else float(value)
