"""JSON, SR, FHIR and CSV tell the same facts: every measurement, every conclusion and the priority are read back.

Each reader here knows its format's standard alone, not how our writer goes about it. A new format with facts for
machines is a row in READERS.
"""

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from fhir.resources.R4B.bundle import Bundle
from pydicom import Dataset

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.finding import Finding, Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.report import Drawing, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.concepts import ucum
from osler.io.dicom.write import write_series
from osler.io.open import open_study
from osler.phantoms.volumes import made_up_patient
from osler.results.sentences import LANGUAGES
from osler.results.table import WRITERS

LIVER = (12.5, -31.25, 88.0)
BURDEN = (
    Measurement("Longest diameter", Quantity(23.4, "mm", 21.8, 25.0), Code("103339001", "SCT", "Long axis")),
    Measurement("SUVpeak", Quantity(5.912345678901234, "SUV"), Code("126031", "DCM", "Peak Value Within ROI")),
    Measurement("SULpeak", Quantity(4.25, "SUL")),
    Measurement("SUVmean as DICOM spells it", Quantity(3.5, "g/ml{SUVbw}", 3.25, 3.75)),
    Measurement("Total lesion glycolysis", Quantity(21.2, "ml.g/ml", 18.7, 23.7), Code("126033", "DCM", "TLG")),
    Measurement("Metabolic volume", Quantity(4.4, "ml", 3.87, 4.93)),
    Measurement("Change of the longest diameter", Quantity(-31.2, "%", -37.2, -25.2)),
    Measurement("Volume halving time", Quantity(80.0, "d")),
    Measurement("Indexed volume", Quantity(61.5, "ml/m2")),
    Measurement("Calcium", Quantity(112.0, "AU")),
    Measurement("Entropy", Quantity(0.1 + 0.2, "1")),
)
CONCLUSIONS = (
    Conclusion(
        "recist-1.1", "1.1 (2009), table 1", "Response of solid tumours, RECIST 1.1", "PR",
        "Partial response: -34 %.", "Confirm it.", "Sum of diameters at least 30 % below the baseline.",
        (Ground("sum now", "76.7 mm (71.2 to 82.2)", "findings 1 and 2"), Ground("new lesions", "no")),
        ("SD", "PD"), "", "Eisenhauer EA, et al. Eur J Cancer 2009;45:228-247.",
        Code("399204005", "SCT", "Partial response"), (0, 1),
    ),
    Conclusion(
        "fleischner-2017", "2017",
        "A title that is longer than the sixty-four letters that a code's meaning holds",
        "CT 3 months, PET/CT or tissue", "A solid nodule above 8 mm.", findings=(1,),
    ),
    Conclusion(
        "lung-rads-2022", "v2022", "Lung-RADS v2022", "", "", source="Christensen J, et al. 2024.",
        refused="The CT was not made for screening. Lung-RADS holds for screening only.",
    ),
)  # fmt: skip
PRIORITY = Priority("soon", "A lesion grew by a third.", 0.625)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study") / "ct"
    volume, _ = made_up_patient(4, shape=(10, 30, 32), spacing=(5.0, 3.0, 3.0))
    write_series(volume, folder, seed=4)
    return open_study(folder)


@pytest.fixture(scope="module")
def report(study: Study) -> Report:
    (volume,) = study.pictures
    assert isinstance(volume, Volume)
    labels = np.zeros(volume.array.shape, np.uint8)
    labels[3:5, 10:14, 9:15], labels[6, 20:24, 20:24] = 1, 2
    mask = Mask(labels, {1: "Lesion L1", 2: "Lesion L2"}, geometry=volume.geometry)
    first = Finding(
        "Lesion L1", "Lesion L1: 23.4 mm.", Code("4147007", "SCT", "Mass"), present=True, label=1, lesion="L1",
        site="liver", centre_mm=LIVER, measurements=BURDEN, coverage=0.95,
    )  # fmt: skip
    second = replace(first, name="Lesion L2", lesion="L2", site="left thigh", label=2, centre_mm=None)
    second = replace(second, measurements=(replace(BURDEN[0], quantity=Quantity(1e-7, "mm", 0.0, 2e-7)),))
    grade = Finding("Grade", "Grade: 2.", grade="2", distribution=(("1", 0.25), ("2", 0.75)))
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=study.facts,
        pathway="tumour-burden",
        declined=(),
        cautions=(),
        findings=(first, second, grade),
        key_pictures=(),
        models=(ModelUse("model-a", "1.2.0", "abc123", "a CT", ("children",), "CC BY 4.0"),),
        seconds=(),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid="2.25.1618033988749",
        drawings=(Drawing(0, mask),),
        conclusions=CONCLUSIONS,
        priority=PRIORITY,
    )


Facts = dict[str, Any]


def told_by(report: Report) -> Facts:
    """What any format must give back: numbers with UCUM units, and words."""
    return {
        "measurements": [
            [(one.name, *_plain(one.quantity)) for one in finding.measurements] for finding in report.findings
        ],
        "lesions": [finding.lesion for finding in report.findings],
        "conclusions": [
            {
                "title": one.title,
                "category": one.category,
                "statement": one.refused or one.statement,
                "refused": bool(one.refused),
                "rule": (one.guideline, one.version, one.source),
                "advice": one.advice,
                "grounds": [(ground.name, ground.value) for ground in one.grounds],
                "nearby": list(one.nearby),
                "findings": list(one.findings),
            }
            for one in report.conclusions
        ],
        "priority": None
        if report.priority is None
        else (report.priority.urgency, report.priority.because, report.priority.score),
    }


def _plain(quantity: Quantity) -> tuple[float, str, float | None, float | None]:
    return quantity.value, ucum(quantity.unit).value, quantity.low, quantity.high


def told_in_json(path: Path) -> Facts:
    made = json.loads(path.read_text(encoding="utf-8"))
    said = made["priority"]
    return {
        "measurements": [
            [(m["name"], m["value"], ucum(m["unit"]).value, m["low"], m["high"]) for m in f["measurements"]]
            for f in made["findings"]
        ],
        "lesions": [f["lesion"] for f in made["findings"]],
        "conclusions": [
            {
                "title": c["title"],
                "category": c["category"],
                "statement": c["refused"] or c["statement"],
                "refused": bool(c["refused"]),
                "rule": (c["guideline"], c["version"], c["source"]),
                "advice": c["advice"],
                "grounds": [(g["name"], g["value"]) for g in c["grounds"]],
                "nearby": c["nearby"],
                "findings": c["findings"],
            }
            for c in made["conclusions"]
        ],
        "priority": said and (said["urgency"], said["because"], said["score"]),
    }


def told_in_csv(path: Path) -> Facts:
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    findings = [row for row in rows if row["kind"] == "finding"]

    def end(cell: str) -> float | None:
        return float(cell) if cell else None

    measured = [
        [
            (row["name"], float(row["value"]), ucum(row["unit"]).value, end(row["low"]), end(row["high"]))
            for row in rows
            if row["kind"] == "measurement" and row["finding"] == finding["finding"]
        ]
        for finding in findings
    ]
    concluded = []
    for number, row in enumerate(rows):
        if row["kind"] not in ("conclusion", "refused"):
            continue
        own = []
        for below in rows[number + 1 :]:
            if below["kind"] not in ("rule", "nearby", "ground"):
                break
            own.append(below)
        concluded.append(
            {
                "title": row["name"],
                "category": row["grade"],
                "statement": row["text"],
                "refused": row["kind"] == "refused",
                "rule": (row["guideline"], row["guideline_version"], row["source"]),
                "advice": row["remedy"],
                "grounds": [(below["name"], below["text"]) for below in own if below["kind"] == "ground"],
                "nearby": [w for below in own if below["kind"] == "nearby" for w in below["grade"].split("; ")],
                "findings": [int(n) - 1 for n in row["of"].split("; ") if n],
            }
        )
    said = [row for row in rows if row["kind"] == "priority"]
    return {
        "measurements": measured,
        "lesions": [row["lesion"] for row in findings],
        "conclusions": concluded,
        "priority": (said[0]["grade"], said[0]["text"], float(said[0]["value"])) if said else None,
    }


def told_in_fhir(path: Path) -> Facts:
    bundle = json.loads(path.read_text(encoding="utf-8"))
    Bundle.model_validate(bundle)
    entries = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    (main,) = (one for one in entries.values() if one["resourceType"] == "DiagnosticReport")
    results = [entries[one["reference"]] for one in main["result"]]
    urgent = [one for one in results if any(c.get("code") == "260870009" for c in one["code"].get("coding", ()))]
    concluded = [one for one in results if "method" in one]
    found = [one for one in results if one not in concluded and one not in urgent]
    places = {
        entry["fullUrl"]: found.index(entry["resource"]) for entry in bundle["entry"] if entry["resource"] in found
    }
    said = None
    if urgent:
        words = {"stat": "now", "urgent": "soon", "routine": "routine"}  # FHIR's request priorities
        coding = urgent[0]["valueCodeableConcept"]["coding"][0]
        assert coding["system"] == "http://hl7.org/fhir/request-priority"
        score = urgent[0]["component"][0]["valueQuantity"]["value"]
        said = (words[coding["code"]], urgent[0]["note"][0]["text"], score)
    return {
        "measurements": [_components(one) for one in found],
        "lesions": [
            next((c["valueString"] for c in one.get("component", ()) if c["code"]["text"] == "Lesion"), "")
            for one in found
        ],
        "conclusions": [_concluded_in_fhir(one, places) for one in concluded],
        "priority": said,
    }


def _components(observation: Facts) -> list[tuple[Any, ...]]:
    """Components whose value is a quantity, each with its interval; neither probabilities nor places."""
    made: list[tuple[Any, ...]] = []
    for one in observation.get("component", ()):
        codes = {coding["code"] for coding in one["code"].get("coding", ())}
        if "valueRange" in one:
            ends = one["valueRange"]
            assert {end["code"] for end in ends.values()} == {made[-1][2]}
            made[-1] = (*made[-1][:3], ends["low"]["value"], ends["high"]["value"])
        elif "valueQuantity" in one and not codes & {"122157", "111010"}:
            value = one["valueQuantity"]
            made.append((one["code"]["text"], value["value"], value["code"], None, None))
    return made


def _concluded_in_fhir(one: Facts, places: dict[str, int]) -> Facts:
    notes = [note["text"] for note in one["note"]]
    refused = "dataAbsentReason" in one
    assert refused != ("valueCodeableConcept" in one)
    named, _, rest = one["method"]["text"].partition(", Version ")
    version, _, source = rest.partition(". ")
    components = [(c["code"]["text"], c["valueString"]) for c in one.get("component", ())]
    return {
        "title": one["code"]["text"],
        "category": "" if refused else one["valueCodeableConcept"]["text"],
        "statement": notes[0],
        "refused": refused,
        "rule": (named, version, source),
        "advice": next((note.removeprefix("Recommended: ") for note in notes if note.startswith("Recom")), ""),
        "grounds": [row for row in components if row[0] != "Cannot be excluded"],
        "nearby": [w for row in components if row[0] == "Cannot be excluded" for w in row[1].split(", ")],
        "findings": [places[of["reference"]] for of in one["derivedFrom"] if of["type"] == "Observation"],
    }


def _below(item: Dataset, value: str) -> list[Dataset]:
    """The items below whose concept has this code."""
    return [
        one
        for one in item.get("ContentSequence", ())
        if one.get("ConceptNameCodeSequence") and _value_of(one.ConceptNameCodeSequence[0]) == value
    ]


def _value_of(code: Dataset) -> str:
    return str(code.get("CodeValue") or code.get("LongCodeValue"))


def _words(item: Dataset, value: str) -> str:
    return next((str(one.TextValue) for one in _below(item, value)), "")


def told_in_sr(path: Path) -> Facts:
    root = pydicom.dcmread(path)
    (measured,) = _below(root, "126010")
    (evaluated,) = _below(root, "C0034375")
    groups = _below(measured, "125007")
    places = {str(_below(group, "112040")[0].UID): n for n, group in enumerate(groups)}
    (urgent,) = _below(evaluated, "260870009") or [None]
    concluded = [
        one
        for one in evaluated.ContentSequence
        if one.ValueType == "CODE" and one is not urgent and _below(one, "111001")
    ]
    said = None
    if urgent is not None:
        score = float(_below(urgent, "priority-score")[0].MeasuredValueSequence[0].NumericValue)
        said = (_value_of(urgent.ConceptCodeSequence[0]), _words(urgent, "121106"), score)
    return {
        "measurements": [[_number(i) for i in g.ContentSequence if _is_measurement(i)] for g in groups],
        "lesions": [_words(group, "lesion") for group in groups],
        "conclusions": [_concluded_in_sr(one, places) for one in concluded],
        "priority": said,
    }


def _is_measurement(item: Dataset) -> bool:
    return item.ValueType == "NUM" and _value_of(item.ConceptNameCodeSequence[0]) != "122157"


def _number(item: Dataset) -> tuple[Any, ...]:
    def value(of: Dataset) -> float:
        measured = of.MeasuredValueSequence[0]
        return float(measured.get("FloatingPointValue", measured.NumericValue))

    name = _words(item, "125309") or str(item.ConceptNameCodeSequence[0].CodeMeaning)
    units = {_value_of(item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0])}
    ends: list[float | None] = []
    for code, sign in (("371885007", -1), ("371886008", 1)):
        found = _below(item, code)
        ends.append(value(item) + sign * value(found[0]) if found else None)
        units |= {_value_of(one.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0]) for one in found}
    assert len(units) == 1
    return name, value(item), units.pop(), *ends


def _concluded_in_sr(one: Dataset, places: dict[str, int]) -> Facts:
    refused = _words(one, "refused")
    answer = one.ConceptCodeSequence[0]
    assert (_value_of(answer) == "not-used") == bool(refused)
    inferred = [below for below in one.ContentSequence if below.RelationshipType == "INFERRED FROM"]
    return {
        "title": _words(one, "125309") or str(one.ConceptNameCodeSequence[0].CodeMeaning),
        "category": "" if refused else _words(one, "category") or str(answer.CodeMeaning),
        "statement": refused or _words(one, "121077"),
        "refused": bool(refused),
        "rule": (_words(one, "111001"), _words(one, "111003"), _words(one, "121423")),
        "advice": _words(one, "121075"),
        "grounds": [
            (_words(below, "125309") or str(below.ConceptNameCodeSequence[0].CodeMeaning), str(below.TextValue))
            for below in inferred
            if below.ValueType == "TEXT" and _value_of(below.ConceptNameCodeSequence[0]) != "121423"
        ],
        "nearby": [str(below.TextValue) for below in _below(one, "nearby")],
        "findings": [places[str(below.UID)] for below in inferred if below.ValueType == "UIDREF"],
    }


READERS: dict[str, Callable[[Path], Facts]] = {
    "json": told_in_json,
    "csv": told_in_csv,
    "fhir": told_in_fhir,
    "sr": told_in_sr,
}


def _same(one: Any, other: Any) -> bool:
    """Equal, but for the last digit of a number that was added up from two."""
    if isinstance(one, float) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-18)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("name", READERS)
def test_the_same_facts_come_back(name: str, report: Report, study: Study, tmp_path: Path) -> None:
    (path,) = WRITERS[name](report, study, tmp_path)
    told, back = told_by(report), READERS[name](path)
    for key in told:
        assert _same(told[key], back[key]), (key, told[key], back[key])


@pytest.mark.parametrize("name", READERS)
def test_without_conclusions_and_priority_none_is_told(
    name: str, report: Report, study: Study, tmp_path: Path
) -> None:
    plain = replace(report, conclusions=(), priority=None)
    (path,) = WRITERS[name](plain, study, tmp_path)
    back = READERS[name](path)
    assert back["conclusions"] == [] and back["priority"] is None


@pytest.mark.parametrize(
    "name", [name for name in WRITERS if name in ("html", "pdf", "json", "csv", "fhir", "sr")]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_report_in_every_format_of_words(
    name: str, language: str, report: Report, study: Study, tmp_path: Path
) -> None:
    (path,) = WRITERS[name](replace(report, language=language), study, tmp_path)
    if name == "json":
        assert json.loads(path.read_text(encoding="utf-8"))["language"] == language
    if name == "html":
        assert f'<html lang="{language}">' in path.read_text(encoding="utf-8")
    if name == "sr":
        (said,) = _below(pydicom.dcmread(path), "121049")
        assert _value_of(said.ConceptCodeSequence[0]) == language
    if name == "fhir":
        resources = [entry["resource"] for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]]
        assert {one.get("language") for one in resources if one["resourceType"] == "DiagnosticReport"} == {
            language
        }
