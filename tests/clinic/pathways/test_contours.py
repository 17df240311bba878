"""Structures with known sizes, one with a gap, one that overlaps another, one that leaves the picture."""

from pathlib import Path

import numpy as np
import pytest
from tests.clinic.pathways.petct import ball

from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.beside import Beside
from osler.clinic.pathways.contours import gaps, specks
from osler.clinic.pathways.measured import measurement
from osler.clinic.reading import read_study
from osler.core.contours import Structure, StructureSet
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.contours import trace
from osler.io.dicom import structures
from osler.models.shelf import Shelf

GRID = Geometry.from_spacing((40, 50, 50), (3.0, 2.0, 2.0), (-50, -50, -60))


def test_gaps_and_specks_are_counted() -> None:
    array = np.zeros((9, 20, 20), np.uint8)
    array[[1, 2, 5, 7], 5:15, 5:15] = 1
    mask = Mask(array, {1: "x"}, geometry=Geometry.from_spacing(array.shape, (1, 1, 1)))
    assert gaps(mask, 1) == [4, 5, 7] and specks(mask, 1) == 0
    array[1, 0, 0] = 1
    assert specks(Mask(array, {1: "x"}), 1) == 1


def test_structures_that_overlap_are_each_measured_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, inside = ball(GRID, (0, 0, 0), 45), ball(GRID, (5, 5, 0), 15)
    gapped = ball(GRID, (-20, 0, 0), 12)
    gapped[20] = False
    low = ball(GRID, (10, 10, -60), 18)
    named = {"BODY": body, "GTV": inside, "Heart": gapped, "Liver": low}
    made = StructureSet(
        tuple(
            Structure(n + 1, name, "", None, trace(there, GRID)) for n, (name, there) in enumerate(named.items())
        ),
        frame_uid="1.2",
    )
    file = tmp_path / "rs.dcm"
    file.write_bytes(b"")
    from osler.clinic.pathways import outlined

    monkeypatch.setattr(structures, "read_structures", lambda path: made)
    monkeypatch.setattr(outlined, "_read", outlined._structures)
    monkeypatch.setattr(outlined, "_refuse_another_patient", lambda study, path: None)
    monkeypatch.setattr(outlined, "frame_of", lambda volume: "1.2")
    array = np.random.default_rng(0).normal(0, 50, GRID.shape).astype(np.float32)
    facts = Facts(modality="CT", body_part="ABDOMEN")
    study = Study((Volume(array, GRID, "HU", facts),), facts, name="plan")
    report = read_study(study, Shelf(()), beside=Beside((file,)))
    assert report.pathway == "contours" and len(report.drawings) == 2  # what overlaps lies in another layer
    found = {one.name: one for one in report.findings}
    for name, there in named.items():
        volume = measurement(found[name], VOLUME)
        assert volume is not None
        assert volume.quantity.value == pytest.approx(there.sum() * GRID.voxel_ml, rel=0.02), name
    assert "1 slices between" in found["Heart"].statement and "edge" in found["Liver"].statement
    assert "edge" not in found["GTV"].statement
    assert report.priority is not None and report.priority.score == pytest.approx(0.25)


def test_a_real_plan_with_one_slice_is_not_measured_as_if_it_were_whole(test_data: Path) -> None:
    from osler.io.open import open_study

    place = test_data / "radiotherapy" / "dicom"
    if not (place / "rtss.dcm").is_file():
        pytest.skip("no radiotherapy data")
    report = read_study(open_study(place), Shelf(()), beside=Beside((place / "rtss.dcm",)), pathway="contours")
    assert "1 slice" in report.declined[0].what and not report.findings
