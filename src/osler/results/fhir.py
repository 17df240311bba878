"""A report as FHIR: what an EHR takes, one Bundle that holds all it refers to.

Sources: HL7 FHIR R4 (4.0.1) DiagnosticReport, Observation, ImagingStudy, Device, Provenance and Bundle;
DICOM PS3.16 CID 4 (anatomic regions), CID 240 (present, absent) and Annex D (DCM); UCUM for units.

Who the patient is: nothing in the file says, unless asked. `subject` is a reference without a target whose
data-absent-reason is "masked", so that no system takes the report for that of a nameless new patient: whoever
sends it on puts the patient in. Asked for with `identified`, it is a logical reference with the Patient ID of the
DICOM header, and the accession number names the order; never a name, a date of birth or a description.

What is said and what is not: everything is "preliminary" until a person signs. A study that was declined is a
DiagnosticReport of status "cancelled" ("the measurement was not started or not completed") that gives the reason,
with no finding. What was looked for and not found is an Observation whose value is "Absent".

What follows by a published rule is an Observation too: its value is the category, `method` names the guideline
with its version and source, `derivedFrom` the findings it rests on, and what the rule was told are its
components. Where the rule may not be used there is no value but a `dataAbsentReason`, and the note says why. How
soon a person should look is an Observation as well, in the words of FHIR's own request priorities, for R4 gives a
DiagnosticReport none.
"""

import base64
import html
import math
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.report import ModelUse, Problem, Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io.dicom.concepts import ABSENT, CENTRE, LESION, PRESENT, PRIORITY, PROBABILITY, ucum
from osler.io.dicom.parse import sequence, text
from osler.io.files import write_json
from osler.results.body_sites import BODY_SITES
from osler.results.dicom_object import MANUFACTURER, origins_of, source_header
from osler.results.page_lines import quantity_text
from osler.results.pdf import report_to_pdf
from osler.results.sentences import in_its_language, joined, listed, say

Resource = dict[str, Any]

_NAMESPACE = uuid.UUID("1f0c7f6e-7a52-5d0e-9a3b-52d4f1c0a9d3")
_LARGEST_PAGE = 500_000  # bytes of PDF that go into presentedForm

SYSTEMS = {  # DICOM's name of a coding scheme -> FHIR's; codes of other schemes are written as text alone
    "SCT": "http://snomed.info/sct",
    "SRT": "http://snomed.info/srt",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
    "RADLEX": "http://www.radlex.org",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "IBSI": "urn:oid:1.2.840.10008.2.16.13",
}
_URI, _DICOM_UID = "urn:ietf:rfc:3986", "urn:dicom:uid"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

IMAGING_REPORT = Code("18748-4", "LN", "Diagnostic imaging study")
SERIES_UID = Code("112002", "DCM", "Series Instance UID")
_REQUEST_PRIORITY = "http://hl7.org/fhir/request-priority"
URGENCY = {"now": "stat", "soon": "urgent", "routine": "routine"}  # of a report -> FHIR's word for it


def write_fhir(report: Report, study: Study, folder: Path, *, identified: bool = False) -> tuple[Path, ...]:
    """Write report.fhir.json into `folder`: a FHIR R4 transaction Bundle, made to be posted to a server as it is.

    It holds a DiagnosticReport, an Observation for each finding, each conclusion and the priority, the
    ImagingStudy (of DICOM studies), a Device for Osler and one for the model, and a Provenance. Each but the
    Provenance is created only where its identifier is not known yet: sending the file twice makes nothing double,
    and the ImagingStudy of the PACS is used where the server has it. Without `identified` nothing names the
    patient: subject is masked, and the sender puts it in.

    identified  name the patient by the DICOM header's Patient ID, and the order by its accession number

    Raises CannotHold when `identified` is asked for a study that is not DICOM, or that has no Patient ID;
    Unreadable when its file is gone, NoRoom when the disk is full.
    """
    path = folder / "report.fhir.json"
    write_json(path, bundle_of(report, study, identified=identified))
    return (path,)


@in_its_language
def bundle_of(report: Report, study: Study, *, identified: bool = False) -> Resource:
    """The Bundle as values that JSON can hold. Raises as `write_fhir` does.

    Every fullUrl is made from the report's uid (a model's from its name, version and digest), so that the same
    report gives the same Bundle.
    """
    whose = _whose(study) if identified else _masked()
    maker = _maker(report)
    models = [_model(model, maker) for model in report.models]
    imaging = _imaging_studies(report, study, whose["subject"])
    # One model: it said it. Several: the report does not keep which said what, so the program answers for them.
    speaker = models[0] if len(models) == 1 else maker
    found = [
        _observation(report, study, index, whose["subject"], speaker, imaging)
        for index in range(len(report.findings))
    ]
    subject, studies = whose["subject"], tuple(imaging.values())
    said = [_concluded(report, index, subject, maker, found, studies) for index in range(len(report.conclusions))]
    if report.priority is not None:
        said.append(_urgency(report, report.priority, subject, maker, studies))
    main = _diagnostic_report(report, whose, [*found, *said], imaging)
    devices = [maker, *models]
    origin = _provenance(report, study, [main, *found, *said], devices, imaging)
    entries = [main, *found, *said, *imaging.values(), *devices, origin]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": _URI, "value": _url(report.uid, "Bundle")},
        "type": "transaction",
        "timestamp": _instant(report),
        "entry": [_entry(url, resource) for url, resource in entries],
    }


Entry = tuple[str, Resource]  # fullUrl and what is there


def _diagnostic_report(
    report: Report, whose: Resource, found: Sequence[Entry], imaging: Mapping[str, Entry]
) -> Entry:
    url = _url(report.uid, "DiagnosticReport")
    made: Resource = {
        "resourceType": "DiagnosticReport",
        "language": report.language,
        "text": _narrative(report),
        "identifier": _identifier(url),
        **({"basedOn": whose["basedOn"]} if "basedOn" in whose else {}),
        "status": "cancelled" if report.declined else "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}v2-0074", "code": "RAD", "display": "Radiology"}]}],
        "code": _concept(IMAGING_REPORT.meaning, IMAGING_REPORT),
        "subject": whose["subject"],
        "issued": _instant(report),
        "conclusion": _text("\n".join(_said_of_all(report))),
    }
    if found:
        made["result"] = [_reference(entry) for entry in found]
    if imaging:
        made["imagingStudy"] = [_reference(entry) for entry in imaging.values()]
    codes = [
        # A structure that was outlined is "present" too, but its code names anatomy: no conclusion.
        _concept(finding.name, finding.code)
        for finding in report.findings
        if finding.present and finding.probability is not None and finding.code and finding.code.scheme in SYSTEMS
    ]
    codes += [
        _concept(one.category, one.code)
        for one in report.conclusions
        if one.category and one.code is not None and one.code.scheme in SYSTEMS
    ]
    if codes:
        made["conclusionCode"] = codes
    # An EHR refuses large messages, so the page goes without pictures; reasons must not point at any then.
    reasons = tuple(replace(one, pictures=()) for one in report.reasons)
    page = report_to_pdf(replace(report, key_pictures=(), reasons=reasons))
    if len(page) <= _LARGEST_PAGE:
        data = base64.b64encode(page).decode("ascii")
        made["presentedForm"] = [{"contentType": "application/pdf", "data": data, "creation": _instant(report)}]
    return url, made


def _observation(
    report: Report, study: Study, index: int, subject: Resource, speaker: Entry, imaging: Mapping[str, Entry]
) -> Entry:
    """One finding. Its value is the answer; probabilities, intervals and measurements are components."""
    finding = report.findings[index]
    url = _url(report.uid, f"Observation {index}")
    picture = study.pictures[finding.picture] if finding.picture < len(study.pictures) else None
    examined = imaging.get((picture.study_uid if picture is not None else "") or report.study_uid)
    sources = [*([_reference(examined)] if examined else []), *_instance_of(picture)]
    site = _body_site(picture.facts if picture is not None else report.facts, finding.site)
    components = [
        *_probabilities(finding),
        *_measured(finding.measurements),
        *_where(finding),
        *_series_of(picture),
    ]
    code = None if _names_its_answer(finding) else finding.code
    made: Resource = {
        "resourceType": "Observation",
        "identifier": _identifier(url),
        "status": "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}observation-category", "code": "imaging"}]}],
        "code": _concept(finding.name, code),
        "subject": subject,
        "issued": _instant(report),
        **_value(finding),
        "note": [{"text": _text(finding.statement)}],
        **({"bodySite": site} if site else {}),
        "device": _reference(speaker),
        **({"derivedFrom": sources} if sources else {}),
        **({"component": components} if components else {}),
    }
    return url, made


def _concluded(
    report: Report,
    index: int,
    subject: Resource,
    speaker: Entry,
    found: Sequence[Entry],
    studies: Sequence[Entry],
) -> Entry:
    """What follows from findings by a published rule, or why the rule may not be used."""
    one = report.conclusions[index]
    url = _url(report.uid, f"Conclusion {index}")
    rests = [found[n] for n in one.findings if 0 <= n < len(found)]
    grounds = [{"code": {"text": _text(g.name)}, "valueString": _text(g.value)} for g in one.grounds]
    if one.nearby:
        grounds.append({"code": {"text": say("page.nearby")}, "valueString": _text(listed(one.nearby))})
    if one.refused:
        reason = {"system": f"{_HL7}data-absent-reason", "code": "not-performed", "display": "Not Performed"}
        answer: Resource = {"dataAbsentReason": {"coding": [reason], "text": _text(one.refused)}}
    else:
        answer = {"valueCodeableConcept": _concept(one.category, one.code)}
    made: Resource = {
        "resourceType": "Observation",
        "language": report.language,
        "identifier": _identifier(url),
        "status": "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}observation-category", "code": "imaging"}]}],
        "code": _concept(one.title, None),
        "subject": subject,
        "issued": _instant(report),
        **answer,
        "note": [{"text": _text(note)} for note in _notes(one)],
        "method": {"text": _text(_method(one))},
        "device": _reference(speaker),
        **({"component": grounds} if grounds else {}),
    }
    sources = [_reference(entry) for entry in (*studies, *rests)]
    return url, {**made, **({"derivedFrom": sources} if sources else {})}


def _method(one: Conclusion) -> str:
    """The guideline by name and version, and where it was published."""
    named = f"{one.guideline}, {say('page.version')} {one.version}"
    return f"{named}. {one.source}" if one.source else named


def _notes(one: Conclusion) -> list[str]:
    """The sentence first, then what the guideline recommends, the row that applied, and where grounds are from."""
    if one.refused:
        return [one.refused]
    told = [f"{ground.name}: {ground.value} ({ground.of})" for ground in one.grounds if ground.of]
    labelled = (("page.advice", one.advice), ("page.rule", one.rule), ("page.grounds", "; ".join(told)))
    return [one.statement, *(f"{say(key)}: {words}" for key, words in labelled if words)]


def _urgency(
    report: Report, priority: Priority, subject: Resource, speaker: Entry, studies: Sequence[Entry]
) -> Entry:
    """How soon a person should look at the study."""
    url = _url(report.uid, "Priority")
    word = say(f"page.priority.{priority.urgency}")
    code = {"system": _REQUEST_PRIORITY, "code": URGENCY[priority.urgency]}
    score = {"code": {"text": say("page.priority.score")}, **_quantity(Quantity(priority.score, "1"), "value")}
    made: Resource = {
        "resourceType": "Observation",
        "language": report.language,
        "identifier": _identifier(url),
        "status": "preliminary",
        "category": [{"coding": [{"system": f"{_HL7}observation-category", "code": "imaging"}]}],
        "code": _concept(say("page.priority"), PRIORITY),
        "subject": subject,
        "issued": _instant(report),
        "valueCodeableConcept": {"coding": [code], "text": word},
        "note": [{"text": _text(priority.because)}, {"text": say("page.priority.mind")}],
        "device": _reference(speaker),
        "component": [score],
    }
    sources = [_reference(entry) for entry in studies]
    return url, {**made, **({"derivedFrom": sources} if sources else {})}


def _value(finding: Finding) -> Resource:
    """The answer: there or not, the grade, the most probable class, or the one number that was measured."""
    if finding.present is not None:
        answer, letter = (PRESENT, "POS") if finding.present else (ABSENT, "NEG")
        meant = {"coding": [{"system": f"{_HL7}v3-ObservationInterpretation", "code": letter}]}
        return {"valueCodeableConcept": _concept(answer.meaning, answer), "interpretation": [meant]}
    if finding.grade:
        return {"valueCodeableConcept": _concept(finding.grade, None)}
    if _names_its_answer(finding):
        best, _ = max(finding.distribution, key=lambda row: row[1])
        return {"valueCodeableConcept": _concept(best, finding.code)}
    if len(finding.measurements) == 1:
        return _quantity(finding.measurements[0].quantity, "value")
    return {}


def _names_its_answer(finding: Finding) -> bool:
    """One answer of several classes: the finding's code is then that of the answer, its name is the question's."""
    return finding.present is None and not finding.grade and bool(finding.distribution)


def _probabilities(finding: Finding) -> list[Resource]:
    made = []
    if finding.probability is not None:
        code = _concept(PROBABILITY.meaning, PROBABILITY)
        made.append({"code": code, **_quantity(Quantity(finding.probability, "1"), "value")})
    for name, share in finding.distribution:
        code = _concept(f"{PROBABILITY.meaning}: {name}", PROBABILITY)
        made.append({"code": code, **_quantity(Quantity(share, "1"), "value")})
    if finding.among and finding.coverage is not None:
        code = {"text": _text(say("among.code", level=f"{finding.coverage:.0%}"))}
        made.append({"code": code, "valueString": _text(", ".join(finding.among))})
    return made


def _measured(measurements: Iterable[Measurement]) -> list[Resource]:
    """Each measurement, and after it its interval where one is known."""
    made = []
    for one in measurements:
        made.append({"code": _concept(one.name, one.code), **_quantity(one.quantity, "value")})
        low, high = one.quantity.low, one.quantity.high
        if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
            ends = {"low": _plain(low, one.quantity.unit), "high": _plain(high, one.quantity.unit)}
            # Without the measurement's code: who searches by it should find the value alone.
            made.append({"code": {"text": _text(f"{one.name}, interval")}, "valueRange": ends})
    return made


def _where(finding: Finding) -> list[Resource]:
    """Which lesion it is across studies, and where its centre lies, in DICOM's patient coordinates."""
    made: list[Resource] = []
    if finding.lesion:
        made.append({"code": _concept(LESION.meaning, LESION), "valueString": _text(finding.lesion)})
    for axis, mm in zip("xyz", finding.centre_mm or (), strict=False):
        code = _concept(f"{CENTRE.meaning}: {axis}", CENTRE)
        made.append({"code": code, **_quantity(Quantity(mm, "mm"), "value")})
    return made


def _series_of(picture: Picture | None) -> list[Resource]:
    if not isinstance(picture, Volume) or not picture.series_uid:
        return []
    return [{"code": _concept(SERIES_UID.meaning, SERIES_UID), "valueString": _text(picture.series_uid)}]


def _instance_of(picture: Picture | None) -> list[Resource]:
    """The one DICOM image that a finding lies on: FHIR R4 speaks of single images as Media, named by their UID."""
    if picture is None or isinstance(picture, Volume):
        return []
    return [
        {"type": "Media", "identifier": _by_uid(origin.instance_uid)}
        for origin in origins_of(picture)
        if _is_uid(origin.instance_uid)
    ]


def _imaging_studies(report: Report, study: Study, subject: Resource) -> dict[str, Entry]:
    """What was read, by DICOM UIDs: Study Instance UID -> ImagingStudy; {} for other files.

    A folder may hold several studies of one patient, which are read as one.
    """
    studies: dict[str, dict[str, list[Picture]]] = {report.study_uid: {}}
    for picture in study.pictures:
        series = studies.setdefault(picture.study_uid or report.study_uid, {})
        if _is_uid(picture.series_uid):
            series.setdefault(picture.series_uid, []).append(picture)
    return {
        uid: (_url(report.uid, "ImagingStudy", uid), _imaging_study(uid, series, subject))
        for uid, series in studies.items()
        if _is_uid(uid)
    }


def _imaging_study(uid: str, series: Mapping[str, Sequence[Picture]], subject: Resource) -> Resource:
    made: Resource = {
        "resourceType": "ImagingStudy",
        "identifier": [_by_uid(uid)],
        "status": "available",
        "subject": subject,
    }
    listed = [_series(number, pictures) for number, pictures in series.items()]
    if listed:
        made["modality"] = list({one["modality"]["code"]: one["modality"] for one in listed}.values())
        made["numberOfSeries"] = len(listed)
        made["numberOfInstances"] = sum(one["numberOfInstances"] for one in listed)
        made["series"] = listed
    return made


def _series(uid: str, pictures: Sequence[Picture]) -> Resource:
    classes = {
        origin.instance_uid: origin.class_uid
        for picture in pictures
        for origin in origins_of(picture)
        if _is_uid(origin.instance_uid) and _is_uid(origin.class_uid)
    }
    facts = pictures[0].facts
    modality = " ".join(facts.modality.split()) or "OT"
    made: Resource = {
        "uid": uid,
        "modality": {"system": SYSTEMS["DCM"], "code": _text(modality)},
        "numberOfInstances": len(classes),
    }
    if facts.body_part.upper() in BODY_SITES:
        made["bodySite"] = _coding(BODY_SITES[facts.body_part.upper()])
    if classes:
        made["instance"] = [
            {"uid": instance, "sopClass": {"system": _URI, "code": f"urn:oid:{kind}"}}
            for instance, kind in classes.items()
        ]
    return made


def _maker(report: Report) -> Entry:
    """Osler itself, of this version."""
    url = _url("device", report.software)
    return url, {
        "resourceType": "Device",
        "identifier": _identifier(url),
        "status": "active",
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": MANUFACTURER, "type": "manufacturer-name"}],
        "type": {"text": "Software"},
        "version": [{"type": {"text": "software"}, "value": _text(report.software)}],
        "note": [{"text": say("page.notice")}],
    }


def _model(model: ModelUse, maker: Entry) -> Entry:
    """The model: its version, the digest of its content, and what its card says of limits."""
    url = _url("device", model.name, model.version, model.digest)
    notes = [
        say("page.notice"),
        f"{say('page.sees')}: {model.sees}",
        *(f"{say('page.not_for')}: {limit}" for limit in model.not_for),
        *(f"{say('page.tested')}: {result}" for result in model.tested),
        f"{say('page.licence')}: {model.licence}",
    ]
    versions = [("version", model.version), ("digest", model.digest)]
    return url, {
        "resourceType": "Device",
        "identifier": _identifier(url),
        "status": "active",
        "deviceName": [{"name": _text(model.name), "type": "model-name"}],
        "type": {"text": "Model"},
        "version": [{"type": {"text": kind}, "value": _text(value)} for kind, value in versions if value],
        "note": [{"text": _text(note)} for note in notes],
        "parent": _reference(maker),
    }


def _provenance(
    report: Report,
    study: Study,
    targets: Sequence[Entry],
    devices: Sequence[Entry],
    imaging: Mapping[str, Entry],
) -> Entry:
    """Made by these programs out of these images; no person has signed."""
    roles = [("assembler", devices[0]), *(("performer", device) for device in devices[1:])]
    uids = dict.fromkeys(picture.series_uid for picture in study.pictures if _is_uid(picture.series_uid))
    studies = [{**_reference(entry), "identifier": _by_uid(uid)} for uid, entry in imaging.items()]
    inputs = studies or [{"display": _text(report.study)}]
    inputs += [{"type": "ImagingStudy", "identifier": _by_uid(uid)} for uid in uids]
    return _url(report.uid, "Provenance"), {
        "resourceType": "Provenance",
        "target": [_reference(entry) for entry in targets],
        "recorded": _instant(report),
        "activity": {"coding": [{"system": f"{_HL7}v3-DataOperation", "code": "CREATE", "display": "create"}]},
        "agent": [
            {
                "type": {"coding": [{"system": f"{_HL7}provenance-participant-type", "code": role}]},
                "who": _reference(device),
            }
            for role, device in roles
        ],
        "entity": [{"role": "source", "what": what} for what in inputs],
    }


def _masked() -> Resource:
    reason = {"url": _ABSENT_REASON, "valueCode": "masked"}
    return {"subject": {"type": "Patient", "extension": [reason]}}


def _whose(study: Study) -> Resource:
    """The patient and the order, by the numbers of the DICOM header: {"subject"} and perhaps {"basedOn"}."""
    dicom = [index for index, picture in enumerate(study.pictures) if origins_of(picture)]
    if not dicom:
        raise CannotHold(
            f"{study.name} is not DICOM: no patient's number is known.", remedy="Write FHIR without the identity."
        )
    header = source_header(study, dicom[0])
    number = text(header, "PatientID")
    if not number:
        raise CannotHold(
            f"{study.name} has no Patient ID: the FHIR result cannot name the patient.",
            remedy="Write FHIR without the identity.",
        )
    identifier: Resource = {
        "type": {"coding": [{"system": f"{_HL7}v2-0203", "code": "MR"}]},
        "value": _text(number),
    }
    for item in sequence(header, "IssuerOfPatientIDQualifiersSequence"):
        if text(item, "UniversalEntityIDType") == "ISO" and _is_uid(text(item, "UniversalEntityID")):
            identifier["system"] = f"urn:oid:{text(item, 'UniversalEntityID')}"
    if text(header, "IssuerOfPatientID"):
        identifier["assigner"] = {"display": _text(text(header, "IssuerOfPatientID"))}
    whose: Resource = {"subject": {"type": "Patient", "identifier": identifier}}
    order = text(header, "AccessionNumber")
    if order:
        kind = {"coding": [{"system": f"{_HL7}v2-0203", "code": "ACSN"}]}
        whose["basedOn"] = [{"type": "ServiceRequest", "identifier": {"type": kind, "value": _text(order)}}]
    return whose


def _said_of_all(report: Report) -> list[str]:
    """What a ward reads: the answer or why there is none, what follows, what to mind, and the notice."""
    if report.declined:
        lines = [say("page.declined.lead"), *_problems(report.declined)]
    else:
        lines = [finding.statement for finding in report.findings]
    for one in report.conclusions:
        if one.refused:
            lines.append(f"{one.title}: {say('page.refused')}. {one.refused}")
            continue
        advice = f"{say('page.advice')}: {one.advice}" if one.advice else ""
        lines.append(f"{one.title}: {joined(f'{one.category}.', one.statement, advice)}")
    if report.priority is not None:
        word = say(f"page.priority.{report.priority.urgency}")
        lines.append(f"{say('page.priority')}: {word}. {report.priority.because}")
    return [*lines, *_problems(report.cautions), say("page.notice")]


def _problems(problems: Iterable[Problem]) -> list[str]:
    return [joined(problem.what, problem.remedy) for problem in problems]


def _narrative(report: Report) -> Resource:
    """The report for people, as FHIR wants it: XHTML without styles or scripts."""
    lines = [say("page.title", study=report.study), say("page.notice"), *_said_of_all(report)[:-1]]
    lines += [f"{one.name}: {quantity_text(one.quantity)}" for f in report.findings for one in f.measurements]
    lines += [f"{say('page.model')}: {model.name} {model.version} {model.digest}" for model in report.models]
    lines += [f"{say('page.not_for')}: {limit}" for model in report.models for limit in model.not_for]
    lines += [f"{say('page.pathway')}: {report.pathway}"] if report.pathway else []
    lines += [f"{say('page.pictures')}: {picture.title}" for picture in report.key_pictures]
    body = "".join(f"<p>{html.escape(_text(line))}</p>" for line in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}


def _body_site(facts: Facts, site: str) -> Resource | None:
    """The finding's own place, else the part of the body that was pictured.

    In R4 the side has no code of its own here, so it is in the text.
    """
    if site.strip():
        return _concept(site, BODY_SITES.get(site.upper()))
    if not facts.body_part.strip():
        return None
    side = say(f"side.{facts.laterality}") if facts.laterality in ("L", "R") else ""
    return _concept(f"{facts.body_part}{side}", BODY_SITES.get(facts.body_part.upper()))


def _concept(words: str, code: Code | None) -> Resource:
    made: Resource = {"text": _text(words)}
    if code is not None and code.scheme in SYSTEMS:
        made["coding"] = [_coding(code)]
    return made


def _coding(code: Code) -> Resource:
    return {"system": SYSTEMS[code.scheme], "code": code.value, "display": _text(code.meaning)}


def _quantity(quantity: Quantity, key: str) -> Resource:
    """{"valueQuantity": ...}, or why there is none: JSON knows no NaN and no infinity."""
    if math.isfinite(quantity.value):
        return {f"{key}Quantity": _plain(quantity.value, quantity.unit)}
    ends = "positive-infinity" if quantity.value > 0 else "negative-infinity"
    reason = "not-a-number" if math.isnan(quantity.value) else ends
    return {"dataAbsentReason": {"coding": [{"system": f"{_HL7}data-absent-reason", "code": reason}]}}


def _plain(value: float, unit: str) -> Resource:
    """
    >>> _plain(3.1, "ml")
    {'value': 3.1, 'unit': 'ml', 'system': 'http://unitsofmeasure.org', 'code': 'mL'}
    """
    code = ucum(" ".join(_text(unit).split()) if unit.strip() else "1").value
    return {"value": float(value), "unit": _text(unit or "1"), "system": SYSTEMS["UCUM"], "code": code}


def _entry(url: str, resource: Resource) -> Resource:
    request = {"method": "POST", "url": resource["resourceType"]}
    known = resource.get("identifier")
    if known:
        request["ifNoneExist"] = f"identifier={known[0]['system']}|{known[0]['value']}"
    return {"fullUrl": url, "resource": resource, "request": request}


def _url(*words: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, ' '.join(words))}"


def _identifier(url: str) -> list[Resource]:
    """What a resource is known by. Not its fullUrl: a server that takes a transaction puts its own ids wherever it
    finds one of those, in the condition too."""
    return [{"system": _URI, "value": _url("identifier", url)}]


def _reference(entry: Entry) -> Resource:
    return {"reference": entry[0], "type": entry[1]["resourceType"]}


def _by_uid(uid: str) -> Resource:
    return {"system": _DICOM_UID, "value": f"urn:oid:{uid}"}


def _is_uid(uid: str) -> bool:
    return re.fullmatch(r"[0-9]+(\.[0-9]+)+", uid) is not None and len(uid) <= 64


def _instant(report: Report) -> str:
    """When the report was made, with its time zone, as FHIR's instant must have one."""
    made = datetime.fromisoformat(report.created) if report.created else datetime.now(UTC)
    return (made if made.tzinfo else made.astimezone()).isoformat(timespec="seconds")


def _text(words: str) -> str:
    """A string that FHIR takes: not empty, no control characters, whole Unicode.

    >>> _text("a\\x00b"), _text(" ")
    ('a b', '-')
    """
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", " ", words).encode("utf-8", "replace").decode()
    return clean if clean.strip() else "-"
