"""The Bundle that an EHR takes: valid, whole, honest, and without a name."""

import base64
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as some

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.image import Image
from osler.core.quantity import Quantity
from osler.core.report import NOT_A_DEVICE, KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_radiograph
from osler.io.open import open_study
from osler.phantoms.studies import write_made_up_study
from osler.results.fhir import SYSTEMS, bundle_of, write_fhir

VOLUME = Code("118565006", "SCT", "Volume")
FILM = Study((Image(np.full((20, 30), 90, np.uint8)),), name="film")
REPORT = Report(
    study="film",
    study_uid="",
    facts=Facts("CR", "CHEST", laterality="L", description="mrs example"),
    pathway="p",
    declined=(),
    cautions=(Problem("The view is not said.", "Make sure.", "header"),),
    findings=(
        Finding("Pneumonia", "Pneumonia: 0.93.", Code("233604007", "SCT", "Pneumonia"), 0.9312, True),
        Finding("Effusion", "Effusion: 0.02.", None, 0.02, False),
        Finding("Grade", "Grade: 2.", grade="2", distribution=(("0", 0.25), ("2", 0.75))),
        Finding(
            "Kind", "Kind: viral.", Code("75570004", "SCT", "Viral pneumonia"), 0.6,
            distribution=(("bacterial", 0.4), ("viral", 0.6)),
        ),
        Finding("Age", "Age: 61.", measurements=(Measurement("Answer", Quantity(61.2, "a", 55.0, 66.0)),)),
        Finding(
            "Organ", "Organ: 3.1 ml.", Code("5366008", "SCT", "Hippocampus"), present=True, label=1,
            measurements=(
                Measurement("Volume", Quantity(3.1415, "ml", low=2.9, high=3.4), VOLUME),
                Measurement("Longest", Quantity(17.25, "pixels"), Code("L0JK", "IBSI", "Maximum 3D Diameter")),
            ),
        ),
    ),
    key_pictures=(),
    models=(ModelUse("model-a", "1.2.0", "abc123", "a film", ("children",), "CC BY 4.0", ("auc 0.95",)),),
    seconds=(),
    software="osler 0.1.0",
    created="2026-01-02T03:04:05+00:00",
    uid="2.25.12345",
)  # fmt: skip
DECLINED = replace(
    REPORT,
    findings=(),
    models=(),
    pathway="",
    declined=(Problem("No model reads a leg.", "Train one.", "choose"),),
)


def of_kind(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def every(value: Any, key: str) -> Iterator[Any]:
    """Whatever stands under `key`, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from every(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, key)


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(write_made_up_study(tmp_path_factory.mktemp("f") / "ct", seed=3))


def only(study: Study) -> Volume:
    (volume,) = study.pictures
    assert isinstance(volume, Volume)
    return volume


def of_study(study: Study, report: Report = REPORT) -> Report:
    return replace(report, study=study.name, study_uid=study.uid, facts=study.facts)


@pytest.mark.parametrize("report", [REPORT, DECLINED], ids=["read", "declined"])
def test_it_is_valid_and_every_reference_is_answered_inside(report: Report, ct: Study) -> None:
    for bundle in (bundle_of(report, FILM), bundle_of(of_study(ct, report), ct)):
        Bundle.model_validate_json(json.dumps(bundle))
        inside = {entry["fullUrl"] for entry in bundle["entry"]}
        assert len(inside) == len(bundle["entry"])
        references = list(every(bundle, "reference"))
        assert references and set(references) <= inside


def test_every_code_has_a_system_that_fhir_knows() -> None:
    bundle = bundle_of(REPORT, FILM)
    codings = [one for several in every(bundle, "coding") for one in several]
    assert codings and all(one["system"].startswith(("http://", "urn:")) and one["code"] for one in codings)
    known = {one["system"] for one in codings}
    assert {SYSTEMS[name] for name in ("SCT", "LN", "DCM", "IBSI")} <= known
    quantities = [*every(bundle, "valueQuantity"), *(r[e] for r in every(bundle, "valueRange") for e in r)]
    assert {one["system"] for one in quantities} == {"http://unitsofmeasure.org"}
    assert {one["code"] for one in quantities} == {"1", "mL", "{pixels}", "a"}


def test_the_answers_can_be_told_apart() -> None:
    there, absent, grade, kind, age, organ = of_kind(bundle_of(REPORT, FILM), "Observation")
    assert there["code"]["coding"][0]["code"] == "233604007" and there["code"]["text"] == "Pneumonia"
    assert there["valueCodeableConcept"]["text"] == "Present"
    assert absent["valueCodeableConcept"]["coding"][0]["code"] == "272519000"
    assert [o["interpretation"][0]["coding"][0]["code"] for o in (there, absent, organ)] == ["POS", "NEG", "POS"]
    assert grade["valueCodeableConcept"]["text"] == "2" and "interpretation" not in grade
    # The code of one answer of several is the answer's: it must not stand for the question.
    assert kind["valueCodeableConcept"]["coding"][0]["code"] == "75570004" and "coding" not in kind["code"]
    assert kind["valueCodeableConcept"]["text"] == "viral"
    assert age["valueQuantity"] == {"value": 61.2, "unit": "a", "system": SYSTEMS["UCUM"], "code": "a"}


def test_every_number_is_a_component_of_its_finding() -> None:
    there, _, grade, *_, organ = of_kind(bundle_of(REPORT, FILM), "Observation")
    (chance,) = there["component"]
    assert chance["valueQuantity"]["value"] == 0.9312 and chance["code"]["coding"][0]["code"] == "122157"
    assert {c["code"]["text"]: c["valueQuantity"]["value"] for c in grade["component"]} == {
        "Probability: 0": 0.25,
        "Probability: 2": 0.75,
    }
    volume, interval, longest = organ["component"]
    assert volume["valueQuantity"]["value"] == 3.1415 and volume["code"]["coding"][0]["code"] == "118565006"
    assert [interval["valueRange"][end]["value"] for end in ("low", "high")] == [2.9, 3.4]
    assert "coding" not in interval["code"]
    assert longest["valueQuantity"]["value"] == 17.25


def test_nothing_is_final_and_only_what_was_classified_concludes() -> None:
    bundle = bundle_of(REPORT, FILM)
    (main,) = of_kind(bundle, "DiagnosticReport")
    assert {o["status"] for o in (main, *of_kind(bundle, "Observation"))} == {"preliminary"}
    assert [c["coding"][0]["code"] for c in main["conclusionCode"]] == ["233604007"]
    assert NOT_A_DEVICE in main["conclusion"] and NOT_A_DEVICE in main["text"]["div"]
    assert "The view is not said." in main["conclusion"]
    assert len(main["result"]) == len(REPORT.findings)


def test_a_declined_study_is_cancelled_with_its_reason_and_no_finding(ct: Study) -> None:
    bundle = bundle_of(of_study(ct, DECLINED), ct)
    (main,) = of_kind(bundle, "DiagnosticReport")
    assert main["status"] == "cancelled" and not of_kind(bundle, "Observation") and "result" not in main
    assert "No model reads a leg. Train one." in main["conclusion"] and "conclusionCode" not in main
    assert of_kind(bundle, "Provenance") and of_kind(bundle, "ImagingStudy")


def test_what_follows_is_coded_concluded_and_refused_with_its_reason() -> None:
    pneumonia = Conclusion(
        "g", "1", "Rule", "Severe", "It is severe.", "Treat it.", code=Code("24484000", "SCT", "S")
    )
    refused = Conclusion("h", "2", "Other rule", "", "", refused="The age is not known.")
    bundle = bundle_of(
        replace(REPORT, conclusions=(pneumonia, refused), priority=Priority("now", "Soon.", 0.5)), FILM
    )
    Bundle.model_validate(bundle)
    (main,) = of_kind(bundle, "DiagnosticReport")
    assert [c["coding"][0]["code"] for c in main["conclusionCode"]] == ["233604007", "24484000"]
    said = ("Rule: Severe. It is severe. Recommended: Treat it.", "Other rule: Not used. The age is not known.")
    assert all(one in main["conclusion"] and one in main["text"]["div"] for one in (*said, "Priority: Now. Soon."))
    severe, other, priority = of_kind(bundle, "Observation")[-3:]
    assert severe["valueCodeableConcept"]["coding"][0]["code"] == "24484000"
    assert "valueCodeableConcept" not in other and other["note"] == [{"text": "The age is not known."}]
    assert priority["valueCodeableConcept"]["coding"][0]["code"] == "stat"
    osler = next(e["fullUrl"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Device")
    assert {one["device"]["reference"] for one in (severe, other, priority)} == {osler}  # no model said these
    assert {one["status"] for one in (severe, other, priority)} == {"preliminary"}


def test_the_model_and_the_program_answer_for_it() -> None:
    bundle = bundle_of(REPORT, FILM)
    osler, model = of_kind(bundle, "Device")
    assert [v["value"] for v in model["version"]] == ["1.2.0", "abc123"]
    notes = " ".join(note["text"] for note in model["note"])
    assert all(word in notes for word in ("children", "CC BY 4.0", "auc 0.95", NOT_A_DEVICE))
    urls = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    assert all(urls[o["device"]["reference"]] is model for o in of_kind(bundle, "Observation"))
    assert urls[model["parent"]["reference"]] is osler
    (provenance,) = of_kind(bundle, "Provenance")
    assert [urls[agent["who"]["reference"]] for agent in provenance["agent"]] == [osler, model]
    assert len(provenance["target"]) == 1 + len(REPORT.findings)


def test_of_two_models_none_is_named_for_a_finding() -> None:
    two = replace(REPORT, models=(REPORT.models[0], replace(REPORT.models[0], name="model-b")))
    bundle = bundle_of(two, FILM)
    Bundle.model_validate(bundle)
    osler = next(e["fullUrl"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Device")
    assert {o["device"]["reference"] for o in of_kind(bundle, "Observation")} == {osler}


def test_the_study_is_named_by_its_dicom_uids(ct: Study) -> None:
    bundle = bundle_of(of_study(ct), ct)
    (imaging,) = of_kind(bundle, "ImagingStudy")
    assert imaging["identifier"] == [{"system": "urn:dicom:uid", "value": f"urn:oid:{ct.uid}"}]
    (series,) = imaging["series"]
    assert series["uid"] == ct.pictures[0].series_uid and series["modality"]["code"] == "CT"
    assert series["bodySite"]["code"] == "818981001"
    assert [one["uid"] for one in series["instance"]] == list(ct.pictures[0].instance_uids)
    assert series["numberOfInstances"] == imaging["numberOfInstances"] == 40
    assert {o["derivedFrom"][0]["type"] for o in of_kind(bundle, "Observation")} == {"ImagingStudy"}
    (provenance,) = of_kind(bundle, "Provenance")
    said = [entity["what"]["identifier"]["value"] for entity in provenance["entity"]]
    assert said == [f"urn:oid:{ct.uid}", f"urn:oid:{series['uid']}"]


def test_studies_that_lie_in_one_folder_are_kept_apart(ct: Study) -> None:
    one = only(ct)
    other = replace(one, study_uid="1.2.3", series_uid="1.2.3.4", origins=())
    both = replace(ct, pictures=(one, other))
    bundle = bundle_of(of_study(both, replace(REPORT, findings=(replace(REPORT.findings[0], picture=1),))), both)
    Bundle.model_validate(bundle)
    first, second = of_kind(bundle, "ImagingStudy")
    assert [series["uid"] for series in first["series"]] == [one.series_uid]
    assert [series["uid"] for series in second["series"]] == ["1.2.3.4"]
    urls = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    (found,) = of_kind(bundle, "Observation")
    assert urls[found["derivedFrom"][0]["reference"]] is second
    assert len(of_kind(bundle, "DiagnosticReport")[0]["imagingStudy"]) == 2


def test_a_finding_on_one_film_names_that_film(tmp_path: Path) -> None:
    for number, name in enumerate(("a.dcm", "b.dcm")):
        image = Image(np.full((20, 30), 90 + number, np.uint8), (0.5, 0.5), Facts("DX", "CHEST"))
        write_radiograph(image, tmp_path / "films" / name, seed=7)
        import pydicom

        dataset = pydicom.dcmread(tmp_path / "films" / name)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}"
        dataset.save_as(tmp_path / "films" / name)
    study = open_study(tmp_path / "films")
    report = of_study(study, replace(REPORT, findings=(replace(REPORT.findings[0], picture=1),)))
    bundle = bundle_of(report, study)
    Bundle.model_validate(bundle)
    (found,) = of_kind(bundle, "Observation")
    assert found["derivedFrom"][1] == {
        "type": "Media",
        "identifier": {"system": "urn:dicom:uid", "value": "urn:oid:2.25.2"},
    }


def test_nobody_is_named_unless_asked(ct: Study, tmp_path: Path) -> None:
    write_fhir(of_study(ct), ct, tmp_path)
    text = (tmp_path / "report.fhir.json").read_text(encoding="utf-8")
    for word in ("MADE-UP", "Made-up^Patient", "mrs example"):
        assert word not in text
    subjects = list(every(json.loads(text), "subject"))
    assert subjects and all(set(one) == {"type", "extension"} for one in subjects)
    assert {one["extension"][0]["valueCode"] for one in subjects} == {"masked"}


def test_asked_for_the_number_of_the_patient_and_of_the_order_are_there_but_no_name(tmp_path: Path) -> None:
    import pydicom

    folder = write_made_up_study(tmp_path / "ct", seed=3)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.AccessionNumber, dataset.IssuerOfPatientID = "A77", "HOSPITAL"
        dataset.save_as(path)
    study = open_study(folder)
    bundle = bundle_of(of_study(study), study, identified=True)
    Bundle.model_validate(bundle)
    subject = of_kind(bundle, "DiagnosticReport")[0]["subject"]
    assert subject["identifier"]["value"] == "MADE-UP-3" and "display" not in subject
    assert subject["identifier"]["assigner"] == {"display": "HOSPITAL"}
    assert of_kind(bundle, "DiagnosticReport")[0]["basedOn"][0]["identifier"]["value"] == "A77"
    assert "Made-up^Patient" not in json.dumps(bundle)


def test_a_film_without_a_header_cannot_name_its_patient() -> None:
    with pytest.raises(CannotHold, match="is not DICOM"):
        bundle_of(REPORT, FILM, identified=True)


def test_sent_twice_nothing_is_double_and_another_reading_is_another_report() -> None:
    first, again = bundle_of(REPORT, FILM), bundle_of(REPORT, FILM)
    assert first == again
    conditions = [e["request"].get("ifNoneExist") for e in first["entry"]]
    kinds = [e["resource"]["resourceType"] for e in first["entry"]]
    assert [kind for kind, one in zip(kinds, conditions, strict=True) if one is None] == ["Provenance"]
    # A server replaces each fullUrl by its own id, in conditions too.
    assert not any(e["fullUrl"] in str(one) for e in first["entry"] for one in conditions)
    other = bundle_of(replace(REPORT, uid="2.25.777"), FILM)
    shared = {e["fullUrl"] for e in first["entry"]} & {e["fullUrl"] for e in other["entry"]}
    assert shared == {e["fullUrl"] for e in first["entry"] if e["resource"]["resourceType"] == "Device"}


def test_numbers_that_are_none_say_so() -> None:
    finding = Finding("F", "F.", probability=math.nan, distribution=(("a", math.inf),))
    bundle = bundle_of(replace(REPORT, findings=(finding,)), FILM)
    Bundle.model_validate_json(json.dumps(bundle, allow_nan=False))
    said = [c["dataAbsentReason"]["coding"][0]["code"] for c in of_kind(bundle, "Observation")[0]["component"]]
    assert said == ["not-a-number", "positive-infinity"]


def test_the_page_is_inside_without_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 600, 3)).astype(np.uint8)
    shown = replace(REPORT, key_pictures=(KeyPicture("noise", noise),))
    (form,) = of_kind(bundle_of(shown, FILM), "DiagnosticReport")[0]["presentedForm"]
    page = base64.b64decode(form["data"])
    assert form["contentType"] == "application/pdf" and page.startswith(b"%PDF")
    assert not re.search(rb"/Subtype\s*/Image", page)
    monkeypatch.setattr("osler.results.fhir._LARGEST_PAGE", len(page) - 1)
    assert "presentedForm" not in of_kind(bundle_of(shown, FILM), "DiagnosticReport")[0]


@settings(max_examples=25)
@given(some.text(), some.text(), some.text(max_size=20), some.floats(), some.text(max_size=6))
def test_any_text_and_any_number_make_a_valid_bundle(
    name: str, statement: str, header: str, value: float, unit: str
) -> None:
    measured = (Measurement(name, Quantity(value, unit)),)
    finding = Finding(name, statement, probability=value, grade=header, measurements=measured)
    facts = Facts(modality=header, body_part=header)
    report = replace(REPORT, study=name, study_uid=header, facts=facts, findings=(finding,))
    told = Conclusion(
        name, header, name, header, statement, name, name, (Ground(name, header, statement),), (name,), "", name,
        Code(header, "SCT", name) if header.isalnum() and header.isascii() else None, (0, 7),
    )  # fmt: skip
    report = replace(report, conclusions=(told,), priority=Priority("now", statement, value))
    study = Study((Image(np.zeros((4, 4), np.uint8), facts=facts, series_uid=header),), facts, header, name)
    Bundle.model_validate_json(json.dumps(bundle_of(report, study), allow_nan=False))
