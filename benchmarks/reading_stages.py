"""Seconds of every stage of a reading, for each pathway: header to report, then the formats.

python benchmarks/reading_stages.py DATA KNEE SARCOMA_MODEL

DATA           the folder of real data (chest-xray, medmnist, hippocampus, sarcoma, knee-oa)
KNEE           a folder with a model of Kellgren-Lawrence grades
SARCOMA_MODEL  a folder with a model that outlines tumours on CT and PET

Each study is read three times; the fastest whole reading is kept, as on a machine that does nothing else.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep
from tumour_burden import shelf_with

from osler.clinic.pathways.beside import Beside
from osler.clinic.reading import read_study
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.nifti import write_mask
from osler.io.open import open_picture, open_study
from osler.models.card import card_to_json, read_card
from osler.models.digest import seal
from osler.models.shelf import Shelf
from osler.results.table import write_results, writers_named

TIMES = 3
FORMATS = "json,html"


def main() -> None:
    data, knee, sarcoma = (Path(word) for word in sys.argv[1:4])
    patient = sorted((data / "sarcoma" / "dicom").iterdir())[0]
    drawn = tuple(patient / kind / "mask" / "RS.dcm" for kind in ("CT", "PET"))
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for_knees = for_use(knee, place / "knees", "knee-osteoarthritis")
        nodule = made_up_nodule(place)
        starters, none = Shelf.default(), Shelf(())
        film, box, joint = (
            first(data / name, pattern)
            for name, pattern in (("chest-xray", "*.jp*g"), ("hippocampus", "*.nii.gz"), ("knee-oa", "*.png"))
        )
        tumours = shelf_with(sarcoma, place / "tumours")
        risk = Beside((nodule[1],), (), {"risk": "high"})
        work: dict[str, tuple[Callable[[], Study], Shelf, str, Beside]] = {
            "chest-pneumonia": (lambda: open_study(film), starters, "chest-pneumonia", Beside()),
            "retinopathy": (lambda: fundus(data / "medmnist"), starters, "retinopathy", Beside()),
            "hippocampus": (lambda: open_study(box), starters, "hippocampus", Beside()),
            "knee-osteoarthritis": (lambda: open_study(joint), for_knees, "knee-osteoarthritis", Beside()),
            "tumour-burden, outlines given": (lambda: open_study(patient), none, "tumour-burden", Beside(drawn)),
            "tumour-burden, by a model": (lambda: open_study(patient), tumours, "tumour-burden", Beside()),
            "lung-nodule": (lambda: nodule[0], none, "lung-nodule", risk),
            "contours": (lambda: open_study(patient), none, "contours", Beside(drawn)),
        }
        timed = {name: stages(*one, out=place / "report") for name, one in work.items()}
    keep("reading-stages", {"formats": FORMATS, "times": TIMES, "pathways": timed})


def stages(
    open_it: Callable[[], Study], shelf: Shelf, pathway: str, beside: Beside, *, out: Path
) -> dict[str, Any]:
    """Seconds a stage of the fastest of some readings; "declined" and why, where it was not read."""
    best: dict[str, Any] = {}
    for _ in range(TIMES):
        start = time.perf_counter()
        study = open_it()
        opened = time.perf_counter()
        report = read_study(study, shelf, pathway=pathway, beside=beside)
        read = time.perf_counter()
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        write_results(report, study, out, writers_named(FORMATS))
        done = time.perf_counter()
        if report.declined:
            return {"declined": report.declined[0].what}
        if not best or done - start < best["total"]:
            each = {"open": opened - start, **dict(report.seconds), "write": done - read}
            best = {"total": round(done - start, 3), "stages": {k: round(v, 4) for k, v in each.items()}}
    return best


def first(folder: Path, pattern: str) -> Path:
    """The first file of that kind below a folder."""
    return min(path for path in folder.rglob(pattern) if path.is_file() and not path.name.startswith("."))


def fundus(folder: Path) -> Study:
    """One fundus of RetinaMNIST, as large as a test picture gets there."""
    picture = open_picture(first(folder, "retinamnist*.npz"), "test_images:0")
    return Study((picture,), picture.facts, name="fundus")


def for_use(model: Path, place: Path, use: str) -> Shelf:
    """A shelf with the model, whose card says what it is for."""
    folder = place / model.name
    shutil.copytree(model, folder)
    card = replace(read_card(folder), use=use)
    (folder / "card.json").write_text(json.dumps(card_to_json(card)))
    seal(folder, card)
    return Shelf((place,))


def made_up_nodule(place: Path) -> tuple[Study, Path]:
    """A chest CT of 300 slices of 512 x 512 with one outlined nodule of 10 mm."""
    grid = Geometry.from_spacing((300, 512, 512), (1.0, 0.7, 0.7))
    array = np.random.default_rng(0).normal(-800, 40, grid.shape).astype(np.float32)
    middle, labels = np.array([150, 200, 200]), np.zeros(grid.shape, np.uint8)
    box = np.indices((21, 21, 21)) - 10
    inside = sum((one * mm) ** 2 for one, mm in zip(box, grid.spacing, strict=True)) <= 25
    low = middle - 10
    labels[tuple(slice(n, n + 21) for n in low)][inside] = 1
    facts = Facts(modality="CT", body_part="CHEST", age_years=61, sex="F")
    path = place / "nodule.nii.gz"
    write_mask(Mask(labels, {1: "solid nodule"}, geometry=grid), path)
    path.with_name("nodule.labels.json").write_text('{"1": "solid nodule"}')
    return Study((Volume(array, grid, "HU", facts),), facts, name="chest"), path


if __name__ == "__main__":
    main()
