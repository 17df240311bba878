"""Every DICOM object we write, of every kind of source, is one that the standard allows.

`dciodvfy` (Debian: dicom3tools) checks modules, types, macros and terms. The release in Debian is older than
label maps: those are checked as the binary segmentation with which they share nearly all attributes, and read with
highdicom.
A writer in the table of results is checked by itself; another one is a row in WRITERS_OF_DICOM.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.errors import CannotHold
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.report import Drawing, KeyPicture, ModelUse, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_multiframe, write_radiograph, write_series
from osler.io.open import open_study
from osler.results.dicom_seg import write_seg
from osler.results.table import WRITERS, Writer

NOT_DICOM = ("json", "html", "csv", "fhir", "pdf")
# A format of the table is here by itself; whatever else makes DICOM is a row.
WRITERS_OF_DICOM: dict[str, Writer] = {n: write for n, write in WRITERS.items() if n not in NOT_DICOM}
SHAPE = (5, 16, 20)
# What dciodvfy says of the label maps that it does not know.
TOO_NEW = re.compile(r"Information Object Not found|SegmentNumber not monotonically increasing from one by one")
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"


def _volume(modality: str) -> Volume:
    unit = {"CT": "HU", "PT": "SUV"}.get(modality, "")
    array = np.random.default_rng(1).integers(0, 1000, SHAPE)
    array = (array / 100).astype(np.float32) if modality == "PT" else array.astype(np.int16)
    affine = np.array([[0, 0.1, 0.7, -60], [0.2, 0.9, -0.07, 11.5], [3, 0, 0, 812.125], [0, 0, 0, 1]])
    affine[:3, 1] = np.cross((0, 0, 1), affine[:3, 2]) / np.linalg.norm(affine[:3, 2]) * 0.9
    facts = Facts(modality=modality, body_part="ABDOMEN", sex="F", age_years=61)
    return Volume(array, Geometry(SHAPE, affine), unit=unit, facts=facts)


def _film(modality: str) -> Image:
    pixels = np.random.default_rng(2).integers(0, 4096, SHAPE[1:]).astype(np.uint16)
    return Image(pixels, (0.2, 0.2), Facts(modality=modality, body_part="CHEST", view="PA"))


SOURCES: dict[str, Callable[[Path], object]] = {
    "CT": lambda path: write_series(_volume("CT"), path),
    "MR": lambda path: write_series(_volume("MR"), path),
    "PT": lambda path: write_series(_volume("PT"), path),
    "CR": lambda path: write_radiograph(_film("CR"), path),
    "DX": lambda path: write_radiograph(_film("DX"), path),
    "enhanced CT": lambda path: write_multiframe(_volume("CT"), path),
    "enhanced MR": lambda path: write_multiframe(_volume("MR"), path),
}


@pytest.fixture(scope="module")
def dciodvfy() -> str:
    found = shutil.which("dciodvfy")
    if found is None:
        pytest.skip("no dciodvfy: install Debian's dicom3tools")
    return found


@pytest.fixture(scope="module", params=SOURCES)
def study(request, tmp_path_factory) -> Study:
    """One picture of each kind of source, read from files."""
    path = tmp_path_factory.mktemp("source") / "in.dcm"
    SOURCES[request.param](path)
    return replace(open_study(path), name=request.param)


def reading_of(study: Study) -> Report:
    """A reading in which everything that a format might hold is there."""
    (picture,) = study.pictures
    shape = picture.array.shape
    labels = np.random.default_rng(3).integers(0, 3, shape).astype(np.uint8)
    labels[:1] = 0
    geometry = picture.geometry if isinstance(picture, Volume) else None
    spacing = picture.spacing_mm if isinstance(picture, Image) else None
    mask = Mask(labels, {1: "liver", 2: "lesion"}, geometry=geometry, spacing_mm=spacing)
    likely = np.stack([np.where(labels == label, 0.875, 0.0625).astype(np.float32) for label in (1, 2)])
    volume = Measurement("Volume", Quantity(31.5, "ml", low=30, high=33), Code("118565006", "SCT", "Volume"))
    units = ("SUV", "SUL", "g", "%", "d", "ml.g/ml", "ml/m2", "AU", "1")
    measured = (volume, *(Measurement(f"In {unit}", Quantity(1.25, unit)) for unit in units))
    rule = ("1.1 (2009)", "Response of solid tumours, a title that is too long for the meaning of a code")
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=study.facts,
        pathway="abdomen",
        declined=(),
        cautions=(),
        findings=(
            Finding(
                "Liver", "Liver: 31.5 ml.", Code("10200004", "SCT", "Liver"), measurements=measured, label=1,
                lesion="L1", site="right lobe of the liver", centre_mm=(-12.5, 3.25, 818.0),
            ),
            Finding("Lesion", "Lesion: present.", probability=0.91, present=True, label=2),
            Finding("Grade", "Grade: 2.", grade="2", distribution=(("0", 0.125), ("1", 0.25), ("2", 0.625))),
        ),
        key_pictures=(KeyPicture("Axial, slice 3 of 5", np.full((51, 61, 3), 90, np.uint8)),),
        models=(ModelUse("abdomen", "1.2.0", "sha256:abc", "CT of the abdomen", ("children",), "CC BY 4.0"),),
        seconds=(("predict", 1.25),),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid="2.25.4715",
        drawings=(Drawing(0, mask, likely),),
        conclusions=(
            Conclusion(
                "recist-1.1", *rule, "PR", "Partial response.", "Confirm it.", "30 % or more below the baseline.",
                (Ground("sum now", "76.7 mm", "finding 1"), Ground("new lesions", "no")), ("SD",), "",
                "Eur J Cancer.", Code("399204005", "SCT", "Partial response"), (0, 2),
            ),
            Conclusion("lung-rads", "v2022", "Lung-RADS", "", "", refused="It is no screening CT."),
            Conclusion("fleischner", "2017", "Nodule", "CT 3 months, PET/CT or tissue", "Large.", findings=(1,)),
        ),
        priority=Priority("soon", "A lesion grew.", 0.5),
    )  # fmt: skip


def errors_in(path: Path, dciodvfy: str) -> list[str]:
    done = subprocess.run([dciodvfy, "-new", path], capture_output=True, text=True, errors="replace", check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert said, "dciodvfy said nothing at all"
    return [line for line in said if line.startswith("Error")]


def test_sources_are_valid_themselves(study, dciodvfy):
    # Else an error of the source would be blamed on the result.
    origins = getattr(study.pictures[0], "origins", None) or (study.pictures[0].origin,)
    assert errors_in(origins[0].path, dciodvfy) == []


@pytest.mark.parametrize("name", WRITERS_OF_DICOM)
def test_objects_are_valid(name, study, dciodvfy, tmp_path):
    try:
        paths = WRITERS_OF_DICOM[name](reading_of(study), study, tmp_path)
    except CannotHold as reason:
        pytest.skip(f"{name} of {study.name}: {reason.problem}")
    assert paths
    for path in paths:
        errors = errors_in(path, dciodvfy)
        if pydicom.dcmread(path, stop_before_pixels=True).SOPClassUID == LABEL_MAP:
            errors = [line for line in errors if not TOO_NEW.search(line)]
        assert errors == []


def test_label_maps_are_valid_but_for_what_makes_them_label_maps(study, dciodvfy, tmp_path):
    """As a binary segmentation with the same attributes a label map must be without errors, in all modules that
    the two share; highdicom, which knows both, must read it."""
    highdicom = pytest.importorskip("highdicom")
    report = reading_of(study)
    (path,) = write_seg(report, study, tmp_path, kind="labelmap")
    read = highdicom.seg.segread(path)
    assert read.segmentation_type.value == "LABELMAP" and list(read.segment_numbers) == [1, 2]
    dataset = pydicom.dcmread(path)
    assert [item.SegmentNumber for item in dataset.SegmentSequence] == [0, 1, 2]
    assert dataset.PixelPaddingValue == 0 and dataset.SegmentsOverlap == "NO"
    assert all("SegmentIdentificationSequence" not in f for f in dataset.PerFrameFunctionalGroupsSequence)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    dataset.SegmentationType, dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = "BINARY", 1, 1, 0
    del dataset.PixelPaddingValue, dataset.SegmentSequence[0]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        item = pydicom.Dataset()
        item.ReferencedSegmentNumber = 1
        frame.SegmentIdentificationSequence = [item]
    dataset.PixelData = bytes(-(-dataset.Rows * dataset.Columns * dataset.NumberOfFrames // 16) * 2)
    dataset.save_as(tmp_path / "as-binary.dcm")
    assert errors_in(tmp_path / "as-binary.dcm", dciodvfy) == []
