"""Which picture an object was drawn on."""

import numpy as np
import pytest

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.volume import Volume
from osler.io.dicom.find import find_objects
from osler.io.dicom.write import write_series
from osler.lab.catalog.drawn import Drawn, Named, by_picture, pictures_shown

GRID = Geometry.from_spacing((5, 6, 7), (3, 1, 1))


def series(folder, modality, number, *, grid=GRID, seed=1):
    array = np.random.default_rng(number).integers(0, 900, grid.shape).astype(np.int16)
    unit = "SUV" if modality == "PT" else ""
    volume = Volume(array, grid, unit=unit, facts=Facts(modality=modality))
    write_series(volume, folder / f"{modality}{number}", seed=seed, number=number)


@pytest.fixture
def shown(tmp_path):
    """A CT and a PET with the same slices, an MR with others, and the CT of somebody else."""
    series(tmp_path, "CT", 1)
    series(tmp_path, "PT", 2)
    series(tmp_path, "MR", 3, grid=Geometry.from_spacing((4, 6, 7), (2, 1, 1), (0, 0, 7)))
    series(tmp_path, "CT", 4, seed=2)
    found = find_objects(sorted(tmp_path.rglob("*.dcm")))
    return {one.source.path.name: one for one in pictures_shown(found)}


def drawn(path, shown, *, like="CT1", frame=None, series=(), images=(), at=(0.0, 6.0)):
    """An object of the patient of one picture, with outlines at some heights."""
    centres = np.array([(3.0, 3.0, height) for height in at])
    one = shown[like]
    frame = one.frame_uid if frame is None else frame
    names = (Named("roi:1", "GTV", True, centres),)
    return Drawn(path, one.patient, names, frame, frozenset(series), frozenset(images))


def found_by(one, shown):
    placed, lost = by_picture([one], list(shown.values()))
    assert lost == (not placed)
    return next((picture.source.path.name for picture in placed), None)


def test_the_series_it_names_then_the_images(tmp_path, shown):
    pet, ct = shown["PT2"], shown["CT1"]
    assert found_by(drawn(tmp_path, shown, series=[pet.series.uid], images=["1.2"]), shown) == "PT2"
    assert found_by(drawn(tmp_path, shown, series=[pet.series.uid], images=ct.instance_uids), shown) == "PT2"
    assert found_by(drawn(tmp_path, shown, images=pet.instance_uids), shown) == "PT2"
    both = [pet.series.uid, ct.series.uid]
    assert found_by(drawn(tmp_path, shown, series=both, images=pet.instance_uids), shown) == "PT2"
    assert found_by(drawn(tmp_path, shown, series=[pet.series.uid], frame=""), shown) == "PT2"


def test_else_the_slices_it_lies_on(tmp_path, shown):
    assert found_by(drawn(tmp_path, shown), shown) == "CT1", "the PET has the same slices: CT comes first"
    assert found_by(drawn(tmp_path, shown, at=(7, 11)), shown) == "MR3"
    assert found_by(drawn(tmp_path, shown, like="CT4"), shown) == "CT4"


def test_else_nobody_can_say(tmp_path, shown):
    assert found_by(drawn(tmp_path, shown, at=(1.0,)), shown) is None, "between the slices of all of them"
    assert found_by(drawn(tmp_path, shown, frame=""), shown) is None
    elsewhere = drawn(tmp_path, shown, series=[shown["CT1"].series.uid], frame="1.2.3")
    assert found_by(elsewhere, shown) is None, "the series it names lies in another frame of reference"
    one = drawn(tmp_path, shown)
    del shown["CT1"]
    assert found_by(one, shown) == "PT2", "the only one with such slices now"
