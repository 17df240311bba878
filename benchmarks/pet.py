"""PET measures: SUV of reference objects, SUVpeak against brute force, DICOM against an independent NIfTI.

    python benchmarks/pet.py DATA [STEP_MM]

DATA     holds suv-reference/ (digital reference objects, expected.csv) and sarcoma/ (dicom/, nifti/)
STEP_MM  longest side of the cells that the slow SUVpeak cuts voxels into, .1 unless told

The slow SUVpeak shares nothing with ours: it cuts each voxel into small cells, and counts those inside the ball.
"""

import csv
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.clinic.measure.intensity import statistics
from osler.clinic.measure.lesions import lesion_measures
from osler.clinic.measure.pet import PEAK_RADIUS_MM, lean_factor, suv_measures, suv_peak
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.patient import Patient
from osler.core.volume import Volume
from osler.io.open import open_mask, open_picture


def main() -> None:
    data = Path(sys.argv[1])
    step = float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    objects = [reference_object(data / "suv-reference", row) for row in expected(data / "suv-reference")]
    patients = [peak_of(folder, step) for folder in sorted((data / "sarcoma" / "nifti").iterdir())]
    pairs = [
        both_ways(data / "sarcoma", folder.name, picture)
        for folder in sorted((data / "sarcoma" / "dicom").iterdir())
        for picture in ("PET", "CT")
    ]
    worst = max(abs(one["difference_percent"]) for pair in pairs for one in pair["measures"])
    path = keep(
        "pet",
        {
            "command": f"python benchmarks/pet.py DATA {step}",
            "reference_objects": {
                "n": len(objects),
                "largest_absolute_error_suv": max(one["largest_error_suv"] for one in objects),
                "objects": objects,
            },
            "suv_peak": {
                "n": len(patients),
                "cells_mm": step,
                "largest_relative_difference": max(
                    max(abs(one["relative_difference"]), abs(one["relative_difference_at_max"]))
                    for one in patients
                ),
                "seconds": round(sum(one["seconds"] for one in patients), 3),
                "brute_force_seconds": round(sum(one["brute_force_seconds"] for one in patients), 1),
                "patients": patients,
            },
            "dicom_against_nifti": {
                "n": len({pair["patient"] for pair in pairs}),
                "largest_difference_percent": worst,
                "pictures": pairs,
            },
        },
        note="NIfTI PET of the sarcoma set holds SUV by body weight; outlines are the given ones",
    )
    print(path.read_text())


def expected(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def reference_object(folder: Path, row: dict[str, str]) -> dict[str, Any]:
    """Least, median and greatest SUV inside the mask, from the NIfTI mask and from the RTSTRUCT."""
    here = folder / row["ID"]
    volume = picture(here / "PT")
    wanted = [float(row[name]) for name in ("SUVmin_expected", "SUVmed_expected", "SUVmax_expected")]
    found = {}
    masks = {"nifti": here / "mask" / "DRO_mask.nii.gz", "rtstruct": next((here / "RS").glob("*.dcm"))}
    for kind, path in masks.items():
        mask = open_mask(path, grid=volume.geometry)
        values = {
            one.code.value: one.quantity.value for one in statistics(volume, mask, first_label(mask)) if one.code
        }
        found[kind] = [values[code] for code in ("1GSF", "Y12H", "84IY")]  # IBSI: minimum, median, maximum
    errors = [abs(a - b) for seen in found.values() for a, b in zip(seen, wanted, strict=True)]
    return {
        "object": row["ID"],
        "what": row["Description"].strip(),
        "suv_min_median_max": found,
        "expected": wanted,
        "largest_error_suv": max(errors),
        "notes": list(volume.notes),
    }


def peak_of(folder: Path, step: float) -> dict[str, Any]:
    """Our SUVpeak and the slow one, both around the hottest voxel and anywhere in the outline."""
    volume, mask = nifti(folder, "PET")
    binary = mask.array > 0
    start = time.perf_counter()
    ours = suv_peak(volume.array, volume.geometry, binary)
    at_max = suv_peak(volume.array, volume.geometry, binary, at_max=True)
    middle = time.perf_counter()
    centres = np.argwhere(binary)
    slow = brute_force(volume, centres, step)
    end = time.perf_counter()
    hottest = int(volume.array[binary].argmax())
    return {
        "patient": folder.name,
        "voxels": len(centres),
        "spacing_mm": [round(mm, 4) for mm in volume.geometry.spacing],
        "suv_max": float(volume.array[binary].max()),
        "suv_peak": ours.value,
        "suv_peak_brute_force": float(slow.max()),
        "relative_difference": float(ours.value / slow.max() - 1),
        "suv_peak_at_max": at_max.value,
        "relative_difference_at_max": float(at_max.value / slow[hottest] - 1),
        "share_of_ball_in_picture": ours.share,
        "seconds": middle - start,
        "brute_force_seconds": end - middle,
    }


def brute_force(volume: Volume, centres: np.ndarray, step: float) -> np.ndarray:
    """(n,) mean around each voxel centre, every voxel cut into cells of at most `step`, in or out."""
    affine = volume.geometry.affine[:3, :3]
    far = [int(np.ceil(PEAK_RADIUS_MM / mm)) for mm in volume.geometry.spacing]
    cuts = [int(np.ceil(mm / step)) for mm in volume.geometry.spacing]
    cells = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5 for n in cuts], indexing="ij"), axis=-1)
    shares = {}
    for away in np.ndindex(*[2 * n + 1 for n in far]):
        offset = np.array(away) - far
        places = (cells.reshape(-1, 3) + offset) @ affine.T
        share = float(((places**2).sum(axis=1) <= PEAK_RADIUS_MM**2).mean())
        if share:
            shares[tuple(int(n) for n in offset)] = share
    out = np.zeros(len(centres))
    for number, centre in enumerate(centres):
        total = held = 0.0
        for offset_of, share in shares.items():
            index = tuple(int(a + b) for a, b in zip(centre, offset_of, strict=True))
            if all(0 <= i < size for i, size in zip(index, volume.array.shape, strict=True)):
                total, held = total + share * float(volume.array[index]), held + share
        out[number] = total / held
    return out


def both_ways(folder: Path, patient: str, kind: str) -> dict[str, Any]:
    """Every measure of one tumour from DICOM with its RTSTRUCT, and from somebody else's NIfTI of it."""
    here = folder / "dicom" / patient / kind
    volume = picture(here / "image")
    mask = open_mask(next((here / "mask").glob("*.dcm")), grid=volume.geometry)
    other, other_mask = nifti(folder / "nifti" / patient, kind)
    facts = volume.facts
    factor = lean_factor(Patient(facts.sex, None, facts.weight_kg, facts.height_m)) if kind == "PET" else None
    ours = measured(volume, mask, factor)
    theirs = measured(other, other_mask, factor)
    rows = []
    for one, two in zip(ours, theirs, strict=True):
        value, beside = one.quantity.value, two.quantity.value
        rows.append(
            {
                "measure": one.name,
                "unit": one.quantity.unit,
                "dicom": value,
                "nifti": beside,
                "difference_percent": 0.0 if value == beside else 100 * (value / beside - 1),
            }
        )
    outlined, independent = mask.array > 0, other_mask.array > 0
    same = volume.geometry.matches(other.geometry)
    return {
        "patient": patient,
        "picture": kind,
        "same_grid": same,
        "voxels": [int(outlined.sum()), int(independent.sum())],
        "voxels_that_differ": int((outlined != independent).sum()) if same else None,
        "measures": rows,
    }


def measured(volume: Volume, mask: Mask, factor: float | None) -> tuple[Measurement, ...]:
    label = first_label(mask)
    uptake = suv_measures(volume, mask, label, lean_factor=factor) if volume.unit == "SUV" else ()
    return (*uptake, *lesion_measures(mask, label))


def picture(path: Path) -> Volume:
    found = open_picture(path)
    if not isinstance(found, Volume):
        raise SystemExit(f"{path.name} is no volume")
    return found


def nifti(folder: Path, kind: str) -> tuple[Volume, Mask]:
    """NIfTI does not say its unit: the set's description does."""
    volume = picture(folder / f"{kind}_image.nii.gz")
    mask = open_mask(folder / f"{kind}_mask.nii.gz")
    return volume.with_array(volume.array, unit={"PET": "SUV", "CT": "HU"}[kind]), mask


def first_label(mask: Mask) -> int:
    return int(np.unique(mask.array[mask.array > 0])[0])


if __name__ == "__main__":
    main()
