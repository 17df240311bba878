"""Readings of made-up patients, from every kind of DICOM source."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from osler.core.codes import Code
from osler.core.facts import Facts
from osler.core.finding import Finding, Measurement
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.report import Drawing, KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_multiframe, write_radiograph, write_series
from osler.io.open import open_study

SOURCES = ("CT", "MR", "PT", "enhanced CT", "enhanced MR", "CR", "DX")
SHAPE = (6, 20, 24)
LONG_AXIS = Code("103339001", "SCT", "Long axis")
FINDINGS = (
    Finding(
        "Pneumonia",
        "Pneumonia: probability 0.93.",
        Code("233604007", "SCT", "Pneumonia"),
        probability=0.9312345678901234,
        present=True,
        distribution=(("no pneumonia", 0.0687654321098766), ("pneumonia", 0.9312345678901234)),
    ),
    Finding("Fracture", "Fracture: not there.", probability=1 / 3, present=False),
    Finding("Grade \\ of <naïve> 肝", "Grade: 2.", grade="2", distribution=(("0", 0.125), ("1, mild", 0.25))),
)
DRAWN = (
    Finding(
        "Lesion",
        "Lesion: volume 3.14 ml.",
        Code("108369006", "SCT", "Neoplasm"),
        present=True,
        label=5,
        measurements=(
            Measurement("Volume", Quantity(3.1415, "ml", low=2.9, high=3.4), Code("118565006", "SCT", "Volume")),
            Measurement(
                "Longest diameter", Quantity(12.345678901234567, "mm"), Code("103339001", "SCT", "Long axis")
            ),
            Measurement("Separate pieces", Quantity(3, "1")),
            Measurement("Mean density", Quantity(-81.25, "[hnsf'U]", low=-90.5)),
            Measurement("Size on the picture", Quantity(40, "pixels")),
        ),
    ),
    Finding("Cyst", "Cyst: not seen.", present=False, label=7),
)


@dataclass(frozen=True)
class Reading:
    """A report, the study it speaks of, and the kind of source."""

    source: str
    report: Report
    study: Study

    @property
    def declined(self) -> Report:
        why = (Problem("No model may read this study: it shows EXTREMITY.", "Train one.", "choose"),)
        return replace(
            self.report,
            declined=why,
            findings=(),
            drawings=(),
            key_pictures=(),
            models=(),
            cautions=(),
            pathway="",
        )


def mask_of(shape: tuple[int, ...]) -> np.ndarray:
    """Label 5 in the middle slices (or the middle), with a hole; label 7 nowhere; label 2 in one slice."""
    array = np.zeros(shape, np.uint8)
    array[..., 5:12, 6:15] = 5
    array[..., 8, 9] = 0
    array[..., 15, 3:5] = 2
    if len(shape) == 3:
        array[:2] = array[4:] = 0
        array[2, 15] = 0
    return array


def made_up(source: str, folder: Path) -> Study:
    draw = np.random.default_rng(len(source))
    modality = source.split()[-1]
    if modality in ("CR", "DX"):
        facts = Facts(modality=modality, body_part="CHEST", view="PA", bits_stored=12)
        picture = Image((draw.random(SHAPE[1:]) * 4000).astype(np.uint16), (0.2, 0.25), facts)
        write_radiograph(picture, folder / "film.dcm")
        return open_study(folder / "film.dcm")
    numbers = draw.random(SHAPE) * np.linspace(1, 3, SHAPE[0])[:, None, None]
    array = (numbers * 500 - 500).astype(np.int16) if modality == "CT" else (numbers * 9).astype(np.float32)
    facts = Facts(modality=modality, body_part="ABDOMEN", sex="F", age_years=61)
    geometry = Geometry.from_spacing(SHAPE, (5.0, 1.5, 1.25), (-30, -20, 100))
    volume = Volume(array, geometry, unit={"CT": "HU", "PT": "SUV"}.get(modality, ""), facts=facts)
    if source.startswith("enhanced"):
        write_multiframe(volume, folder / "frames.dcm")
        return open_study(folder / "frames.dcm")
    write_series(volume, folder / "images")
    return open_study(folder / "images")


def read(source: str, folder: Path) -> Reading:
    study = made_up(source, folder)
    picture = study.pictures[0]
    flat = isinstance(picture, Image)
    mask = Mask(
        mask_of(picture.array.shape),
        {2: "Vessel", 5: "Lesion", 7: "Cyst"},
        geometry=None if flat else picture.geometry,
        spacing_mm=picture.spacing_mm if flat else None,
    )
    report = Report(
        study="made up",
        study_uid=study.uid,
        facts=picture.facts,
        pathway="abdomen",
        declined=(),
        cautions=(Problem("The header does not say the view.", "Make sure.", "header"),),
        findings=(*FINDINGS, *DRAWN),
        key_pictures=(KeyPicture("Axial, slice 3 of 6", np.full((20, 24, 3), 90, np.uint8)),),
        models=(ModelUse("model-a", "1.2.0", "sha256:abc", "a box", ("children",), "CC BY 4.0", ("auc 0.95",)),),
        seconds=(("predict", 1.25),),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid="2.25.4711",
        drawings=(Drawing(0, mask),),
    )
    return Reading(source, report, study)


@pytest.fixture(scope="session")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reading]:
    """Source -> a reading of a study of that kind."""
    return {source: read(source, tmp_path_factory.mktemp("study")) for source in SOURCES}


@pytest.fixture(params=SOURCES)
def reading(request: pytest.FixtureRequest, readings: dict[str, Reading]) -> Reading:
    """One reading for each kind of source."""
    return readings[request.param]


@pytest.fixture(scope="session")
def validate() -> Callable[[Path], list[str]]:
    """What dciodvfy calls an error in a file, or skip."""
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (Debian: dicom3tools)")

    def errors(path: Path) -> list[str]:
        done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace", check=False)
        said = (done.stdout + done.stderr).splitlines()
        assert said, "dciodvfy names the object it looked at, or it looked at nothing"
        return [line for line in said if "Error" in line or "not found" in line]

    return errors
