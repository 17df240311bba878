"""From a PET/CT to its tumour burden: DICOM against an independent NIfTI, a trained model, and follow-ups made up.

python benchmarks/tumour_burden.py SARCOMA MODEL

SARCOMA  the folder with `dicom` and `nifti` of the soft-tissue sarcoma patients
MODEL    a folder with a model that outlines tumours on CT and PET

1. Each patient is read from DICOM on the given RTSTRUCTs, and again from the NIfTI of the same patient, which
   somebody else converted, on its own masks: the measures must agree within 1 %.
2. Each patient is read from DICOM with the model; its outlines are compared with the given ones.
3. Into one patient's own pictures lesions of known size and uptake are put: a first study, and follow-ups that lie
   aside by 7, 4 and 3 mm in another frame of reference, written as DICOM; the responses must be those made.
"""

import datetime
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.clinic.pathways.beside import Beside, Prior
from osler.clinic.reading import read_study
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.report import Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io.dicom.write import write_series
from osler.io.nifti import write_mask
from osler.io.open import open_mask, open_picture, open_study
from osler.models.card import card_to_json, read_card
from osler.models.digest import seal
from osler.models.shelf import Shelf

AGREE = 0.01  # share by which the measures of DICOM and NIfTI may differ
ASIDE_MM = (7.0, -4.0, 3.0)
Ball = tuple[tuple[float, float, float], float, float]  # centre (x, y, z) mm, radius mm, SUV


def main() -> None:
    sarcoma, model = Path(sys.argv[1]), Path(sys.argv[2])
    patients = sorted(one.name for one in (sarcoma / "dicom").iterdir())
    given = {name: dicom_and_nifti(sarcoma, name) for name in patients}
    with tempfile.TemporaryDirectory() as place:
        shelf = shelf_with(model, Path(place) / "shelf")
        learnt = {name: by_model(sarcoma, name, shelf) for name in patients}
        made_up = follow_ups(sarcoma / "dicom" / patients[-1], Path(place))
    worst = max(one["difference"] for named in given.values() for one in named["measures"].values())
    right = sum(one["right"] for one in made_up.values())
    keep(
        "tumour-burden",
        {
            "patients": len(patients),
            "agree_within": AGREE,
            "largest_difference": worst,
            "agree": worst <= AGREE,
            "given_outlines": given,
            "trained_model": learnt,
            "made_up_follow_ups": made_up,
            "states_right": f"{right} of {len(made_up)}",
        },
        note="The model learnt from 9 of these patients' NIfTI files; its figures here prove no skill.",
    )


def dicom_and_nifti(sarcoma: Path, name: str) -> dict[str, Any]:
    """The measures of one patient from DICOM and from NIfTI, and by how much they differ."""
    place = sarcoma / "dicom" / name
    drawn = (place / "CT" / "mask" / "RS.dcm", place / "PET" / "mask" / "RS.dcm")
    study = open_study(place)
    from_dicom = read_study(study, Shelf(()), beside=Beside(drawn), pathway="tumour-burden")
    masks = tuple(sarcoma / "nifti" / name / f"{kind}_mask.nii.gz" for kind in ("CT", "PET"))
    from_nifti = read_study(nifti_study(sarcoma / "nifti" / name, study), Shelf(()), beside=Beside(masks))
    there, here = measures(from_dicom), measures(from_nifti)
    return {
        "seconds": dict(from_dicom.seconds),
        "measures": {
            name: {
                "dicom": round(there[name], 4),
                "nifti": round(here[name], 4),
                "difference": round(abs(there[name] - here[name]) / max(abs(here[name]), 1e-9), 6),
            }
            for name in there
            if name in here
        },
        "only_one_has": sorted(there.keys() ^ here.keys()),
    }


def nifti_study(place: Path, like: Study) -> Study:
    """The NIfTI pair as a study; the file says neither modality nor unit, nor who was weighed."""
    header = next(p.facts for p in like.pictures if p.facts.modality == "PT")
    pictures = []
    for kind, modality, unit in (("PET", "PT", "SUV"), ("CT", "CT", "HU")):
        picture = open_picture(place / f"{kind}_image.nii.gz")
        assert isinstance(picture, Volume)
        facts = Facts(modality=modality, sex=header.sex, weight_kg=header.weight_kg, height_m=header.height_m)
        pictures.append(replace(picture, unit=unit, facts=facts))
    return Study(tuple(pictures), pictures[0].facts, name=place.name)


def measures(report: Report) -> dict[str, float]:
    """Every measure of the lesions and of all together, by finding and name."""
    if report.declined:
        raise SystemExit(f"{report.study}: {report.declined[0].what}")
    found = {}
    for finding in report.findings:
        about = finding.lesion or "total"
        found |= {f"{about}: {one.name}": one.quantity.value for one in finding.measurements}
    return found


def shelf_with(model: Path, place: Path) -> Shelf:
    """A shelf with the model, whose card says that it is for tumour burden."""
    import json
    import shutil

    folder = place / model.name
    shutil.copytree(model, folder)
    card = replace(read_card(folder), use="tumour-burden")
    (folder / "card.json").write_text(json.dumps(card_to_json(card)))
    seal(folder, card)
    return Shelf((place,))


def by_model(sarcoma: Path, name: str, shelf: Shelf) -> dict[str, Any]:
    """One patient read with the model, and how its outline meets the given one."""
    place = sarcoma / "dicom" / name
    report = read_study(open_study(place), shelf, pathway="tumour-burden", explain="no")
    if report.declined:
        return {"declined": report.declined[0].what}
    drawing = report.drawings[0]
    truth = open_mask(place / "CT" / "mask" / "RS.dcm", grid=drawing.mask.geometry).array > 0
    mine = drawing.mask.array > 0
    dice = 2 * float((mine & truth).sum()) / max(float(mine.sum() + truth.sum()), 1.0)
    totals = {key: round(value, 3) for key, value in measures(report).items() if key.startswith("total")}
    lesions = sum(one.lesion != "" for one in report.findings)
    return {"dice": round(dice, 4), "lesions": lesions, "seconds": dict(report.seconds), "measures": totals}


def follow_ups(place: Path, out: Path) -> dict[str, Any]:
    """The responses of made-up follow-ups in a real patient's pictures."""
    study = open_study(place)
    ct, pet = (next(p for p in study.pictures if p.facts.modality == kind) for kind in ("CT", "PT"))
    assert isinstance(ct, Volume) and isinstance(pet, Volume)
    middle = ct.geometry.to_world(np.array([[(n - 1) / 2 for n in ct.geometry.shape]]))[0]

    def at(x: float, y: float, z: float) -> tuple[float, float, float]:
        return float(middle[0] + x), float(middle[1] + y), float(middle[2] + z)

    first: tuple[Ball, ...] = ((at(-10, -8, -20), 15, 9), (at(12, 8, 22), 11, 7))
    new: Ball = (at(10, -12, -45), 9, 6)

    def scaled(size: float, uptake: float) -> tuple[Ball, ...]:
        return tuple((centre, radius * size, suv * uptake) for centre, radius, suv in first)

    wanted = {
        "unchanged": (first, "SD", "SMD"),
        "shrunk to 60 %, half the uptake": (scaled(0.6, 0.5), "PR", "PMR"),
        "shrunk to 80 %, 80 % of the uptake": (scaled(0.8, 0.8), "SD", "SMD"),
        "grown to 130 %, 1.5 times the uptake": (scaled(1.3, 1.5), "PD", "PMD"),
        "a new lesion": ((*first, new), "PD", "PMD"),
        "gone": ((), "CR", "CMR"),
    }
    before = written(ct, pet, first, out / "first", seed=1, day=0, aside=(0, 0, 0))
    answers = {}
    for seed, (name, (lesions, sizes, uptake)) in enumerate(wanted.items(), start=2):
        now, drawn = written(ct, pet, lesions, out / f"now-{seed}", seed=seed, day=60, aside=ASIDE_MM)
        told = {"liver_sul": 1.6, "liver_sd_sul": 0.3, "liver_now_sul": 1.6}
        beside = Beside((drawn,), (Prior(before[0], (before[1],)),), told)
        report = read_study(now, Shelf(()), beside=beside, pathway="tumour-burden")
        said = {one.guideline: one for one in report.conclusions}
        got = {key: said[key].category or said[key].refused for key in ("recist-1.1", "percist-1.0")}
        answers[name] = {
            "recist": got["recist-1.1"],
            "percist": got["percist-1.0"],
            "right": (got["recist-1.1"], got["percist-1.0"]) == (sizes, uptake),
            "seconds": dict(report.seconds),
        }
    return answers


def written(
    ct: Volume, pet: Volume, lesions: Sequence[Ball], place: Path, *, seed: int, day: int, aside: Sequence[float]
) -> tuple[Study, Path]:
    """A study of the patient's own pictures with other lesions, as DICOM, and its outlines.

    The patient's tumour is painted over with what lies around it in the middle; `aside` moves the whole study.
    """
    from pydicom import dcmread
    from scipy.ndimage import distance_transform_edt

    hu, suv = ct.array.astype(float), pet.array.astype(float)
    suv[suv > 2] = 1.0 + 0.1 * np.random.default_rng(seed).standard_normal(int((suv > 2).sum()))
    labels = np.zeros(ct.geometry.shape, np.uint8)
    for centre, radius, uptake in lesions:
        there = ball(ct.geometry, centre, radius)
        labels[there] = 1
        hu[there] = 90
        share = resample_to(there.astype(np.float32), ct.geometry, pet.geometry)
        suv = suv * (1 - share) + uptake * share
    move = np.eye(4)
    move[:3, 3] = aside
    for name, volume, array, unit in (("ct", ct, np.rint(hu), "HU"), ("pet", pet, suv, "SUV")):
        grid = replace(volume.geometry, affine=move @ volume.geometry.affine)
        facts = replace(volume.facts, sex="F")
        made = Volume(array.astype(np.float32), grid, unit, facts)
        write_series(made, place / name, seed=seed, number=1 if name == "ct" else 2)
    taken = datetime.date(2024, 1, 1) + datetime.timedelta(day)
    for file in place.rglob("*.dcm"):
        header = dcmread(file)
        header.PatientID, header.StudyDate = "MADE-UP", taken.strftime("%Y%m%d")
        header.SeriesDate = header.AcquisitionDate = header.ContentDate = header.StudyDate
        for medicine in header.get("RadiopharmaceuticalInformationSequence", []):
            time = medicine.RadiopharmaceuticalStartDateTime[8:]
            medicine.RadiopharmaceuticalStartDateTime = header.StudyDate + time
        header.save_as(file)
    drawn = place.parent / f"{place.name}.nii.gz"
    grid = replace(ct.geometry, affine=move @ ct.geometry.affine)
    # A study without tumour still needs a mask that holds something: a healthy reference, which is no lesion.
    depth = distance_transform_edt((ct.array > 0) & (labels == 0), sampling=ct.geometry.spacing)
    deepest = np.array([np.unravel_index(int(depth.argmax()), depth.shape)])
    labels[ball(ct.geometry, ct.geometry.to_world(deepest)[0], 6) & (labels == 0)] = 2
    write_mask(Mask(labels, {1: "tumour", 2: "blood pool"}, geometry=grid), drawn)
    drawn.with_name(f"{place.name}.labels.json").write_text('{"1": "tumour", "2": "blood pool"}')
    return open_study(place), drawn


def ball(grid: Geometry, centre: Sequence[float], radius_mm: float) -> Any:
    """The voxels whose centre lies within the radius: booleans of the grid's shape."""
    index = np.indices(grid.shape).reshape(3, -1).T
    away = np.linalg.norm(grid.to_world(index) - np.asarray(centre), axis=1)
    return (away <= radius_mm).reshape(grid.shape)


if __name__ == "__main__":
    main()
