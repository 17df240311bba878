"""A made-up PET/CT whose lesions have known sizes and uptake, with their outlines as a file."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.io.nifti import write_mask

CT_GRID = Geometry.from_spacing((40, 60, 60), (3.0, 2.0, 2.0), (-60, -60, -60))
PET_GRID = Geometry.from_spacing((30, 30, 30), (4.0, 4.0, 4.0), (-60, -60, -60))
LIVER = (30.0, 30.0, 30.0)
Ball = tuple[tuple[float, float, float], float, float]  # centre (x, y, z) in mm, radius in mm, SUV
FIRST: tuple[Ball, ...] = (((-20, -10, 0), 14, 9.0), ((15, 20, -25), 10, 7.0))


def ball(grid: Geometry, centre: Sequence[float], radius_mm: float) -> np.ndarray:
    """The voxels whose centre lies within the radius."""
    s, r, c = (np.arange(n) * mm for n, mm in zip(grid.shape, grid.spacing, strict=True))
    x, y, z = np.asarray(centre) - grid.affine[:3, 3]
    away = (s - z)[:, None, None] ** 2 + (r - y)[None, :, None] ** 2 + (c - x) ** 2
    return away <= radius_mm**2


def pet_ct(
    lesions: Sequence[Ball], *, day: int | None = 0, patient: str = "p1", seed: int = 1, **more: object
) -> Study:
    """A study with a CT and a PET in SUV; the liver is a ball of SUV 2, the body 0.5; day 0 is 2024-01-01."""
    draw = np.random.default_rng(seed)
    ct = draw.normal(30, 5, CT_GRID.shape)
    # Something to register on: a body that is not round, with bones.
    body = ball(CT_GRID, (0, 0, 0), 58) & (np.indices(CT_GRID.shape)[1] > 6)
    ct = np.where(body, ct, -1000)
    ct[ball(CT_GRID, (-25, 10, -30), 9)] = 700
    ct[ball(CT_GRID, (10, -30, 15), 6)] = 500
    suv = np.full(PET_GRID.shape, 0.5) * draw.uniform(0.96, 1.04, PET_GRID.shape)
    there = ball(PET_GRID, LIVER, 16)
    suv[there] = 2 * draw.uniform(0.95, 1.05, int(there.sum()))
    for centre, radius, uptake in lesions:
        ct[ball(CT_GRID, centre, radius)] = 80
        share = resample_to(ball(CT_GRID, centre, radius).astype(np.float32), CT_GRID, PET_GRID)
        suv = suv * (1 - share) + uptake * share
    facts = Facts(sex="F", age_years=61, weight_kg=70, height_m=1.65, **more)  # type: ignore[arg-type]
    pictures = (
        Volume(ct.astype(np.float32), CT_GRID, "HU", Facts(**{**_plain(facts), "modality": "CT"})),
        Volume(suv.astype(np.float32), PET_GRID, "SUV", Facts(**{**_plain(facts), "modality": "PT"})),
    )
    taken = None if day is None else datetime.date(2024, 1, 1) + datetime.timedelta(day)
    return Study(pictures, pictures[0].facts, f"1.2.{seed}", f"day {day}", taken=taken, patient=patient)


def outlines(folder: Path, name: str, lesions: Sequence[Ball], *, liver: bool = True) -> Path:
    """A NIfTI mask on the CT's grid: 1 the lesions, 2 a healthy part of the liver."""
    array = np.zeros(CT_GRID.shape, np.uint8)
    for centre, radius, _ in lesions:
        array[ball(CT_GRID, centre, radius)] = 1
    labels = {1: "tumour"}
    if liver:
        array[ball(CT_GRID, LIVER, 12)] = 2
        labels[2] = "liver reference"
    path = folder / f"{name}.nii.gz"
    write_mask(Mask(array, labels, geometry=CT_GRID), path)
    path.with_name(f"{name}.labels.json").write_text(
        "{" + ", ".join(f'"{n}": "{one}"' for n, one in labels.items()) + "}"
    )
    return path


def _plain(facts: Facts) -> dict[str, object]:
    return {name: getattr(facts, name) for name in facts.__dataclass_fields__}
