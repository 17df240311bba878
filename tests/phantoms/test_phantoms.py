"""Made-up patients: the same for the same seed, with answers that are right and not too easy."""

import json

import numpy as np
import pytest

from osler.core.errors import AskedWrongly
from osler.imaging.components import components
from osler.io.open import open_mask, open_picture, open_study
from osler.phantoms.datasets import write_image_set, write_segmentation_set, write_volume_classes
from osler.phantoms.radiographs import made_up_radiograph
from osler.phantoms.studies import write_made_up_study
from osler.phantoms.volumes import made_up_patient


def test_a_seed_is_a_patient():
    one, other = made_up_patient(4), made_up_patient(4)
    np.testing.assert_array_equal(one[0].array, other[0].array)
    np.testing.assert_array_equal(one[1].array, other[1].array)
    assert (made_up_patient(5)[0].array != one[0].array).any()
    image = made_up_radiograph(4, opacity=True)
    np.testing.assert_array_equal(image.array, made_up_radiograph(4, opacity=True).array)


@pytest.mark.parametrize("seed", range(6))
def test_a_patient_looks_like_ct(seed):
    volume, mask = made_up_patient(seed, lesions=seed % 3)
    assert volume.array.shape == (40, 56, 48)
    assert volume.geometry.spacing == pytest.approx((2.5, 1.5, 1.5))
    assert (volume.unit, volume.facts.modality) == ("HU", "CT")
    assert mask.geometry.matches(volume.geometry)
    assert volume.array[:, 0, 0].mean() < -900  # air outside
    assert 30 < volume.array[mask.of(1)].mean() < 140
    assert components(mask.of(2))[1] == pytest.approx(seed % 3, abs=1 if seed % 3 == 2 else 0)
    if seed % 3:
        assert volume.array[mask.of(1)].mean() - volume.array[mask.of(2)].mean() > 20


def test_no_threshold_finds_the_organ():
    scores = []
    for seed in range(4):
        volume, mask = made_up_patient(seed)
        organ = mask.array > 0
        best = 0.0
        for low in range(0, 100, 10):
            for width in (30, 60, 90):
                found = (volume.array > low) & (volume.array < low + width)
                best = max(best, 2 * (found & organ).sum() / (found.sum() + organ.sum()))
        scores.append(best)
    assert np.mean(scores) < 0.85


def test_any_grid_will_do():
    volume, mask = made_up_patient(1, shape=(20, 28, 24), spacing=(5, 3, 3), lesions=1)
    assert volume.array.shape == (20, 28, 24)
    assert (mask.of(2).sum() > 0) and (mask.of(1).sum() > 300)


def test_brightness_alone_does_not_tell_an_opacity():
    means = {
        ill: [made_up_radiograph(n + 50 * ill, opacity=bool(ill)).array.mean() for n in range(30)]
        for ill in (0, 1)
    }
    assert abs(np.mean(means[0]) - np.mean(means[1])) < np.std(means[0])
    ill, well = (made_up_radiograph(7, opacity=o, size=96).array.astype(int) for o in (True, False))
    assert ill.shape == (96, 96)
    assert np.abs(ill - well).max() > 20


def test_a_decathlon(tmp_path):
    folder = write_segmentation_set(tmp_path / "set", patients=2, seed=1)
    table = json.loads((folder / "dataset.json").read_text())
    assert table["labels"] == {"0": "background", "1": "organ", "2": "lesion"}
    assert len(table["training"]) == table["numTraining"] == 2
    for row in table["training"]:
        mask = open_mask(folder / row["label"], labels={1: "organ", 2: "lesion"})
        assert mask.geometry.matches(open_picture(folder / row["image"]).geometry)
    with pytest.raises(AskedWrongly, match="already holds"):
        write_segmentation_set(tmp_path / "set", patients=2, seed=1)


def test_folders_of_classes(tmp_path):
    flat = write_image_set(tmp_path / "flat", patients=5, seed=1)
    assert sorted(len(list(folder.iterdir())) for folder in flat.iterdir()) == [2, 3]
    assert open_picture(flat / "opacity" / "patient_001.png").array.shape == (128, 128)
    deep = write_volume_classes(tmp_path / "deep", patients=2, seed=1)
    assert open_picture(deep / "lesion" / "patient_001.nii.gz").array.shape == (20, 28, 24)


def test_a_study_is_valid_dicom(tmp_path):
    import pydicom

    folder = write_made_up_study(tmp_path / "study", seed=3)
    study = open_study(folder)
    volume, _ = made_up_patient(3)
    np.testing.assert_array_equal(study.pictures[0].array, volume.array)
    assert study.pictures[0].geometry.matches(volume.geometry)
    assert not study.problems
    headers = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    assert {str(header.PatientName) for header in headers} == {"Made-up^Patient"}
    assert len({header.SOPInstanceUID for header in headers}) == len(headers)
    assert all(pydicom.uid.UID(header.SOPInstanceUID).is_valid for header in headers)
    again = write_made_up_study(tmp_path / "again", seed=3)
    assert [path.read_bytes() for path in sorted(again.iterdir())] == [
        path.read_bytes() for path in sorted(folder.iterdir())
    ]
