"""Every consensus value of the Image Biomarker Standardisation Initiative, on its own phantoms."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from osler.clinic.measure.radiomics.features import features
from osler.clinic.measure.radiomics.settings import SETTINGS
from osler.io.open import open_mask, open_picture

DATA = {
    "ibsi-digital": ("dig. phantom", "digital_phantom", 482),
    "ibsi-a": ("config. A", "ct_phantom", 346),
    "ibsi-b": ("config. B", "ct_phantom", 346),
    "ibsi-c": ("config. C", "ct_phantom", 209),
    "ibsi-d": ("config. D", "ct_phantom", 210),
    "ibsi-e": ("config. E", "ct_phantom", 210),
}


def agrees(value: float, text: str, tolerance: str) -> bool:
    """Is the value within the tolerance, or where there is none the same to the digits given?"""
    if tolerance:
        return abs(value - float(text)) <= float(tolerance) * (1 + 1e-9)
    digits, _, power = text.lower().partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(value - float(text)) <= last / 2 * (1 + 1e-9)


@pytest.mark.parametrize("settings", DATA)
def test_agrees_with_every_reference_value(test_data: Path, settings: str) -> None:
    name, folder, count = DATA[settings]
    place = test_data / "ibsi" / folder / "nifti"
    volume, mask = open_picture(place / "image" / "phantom.nii.gz"), open_mask(place / "mask" / "mask.nii.gz")
    found = defaultdict(list)  # several features share an identifier, in the order of the table
    for one in features(volume, mask, 1, SETTINGS[settings]):
        found[one.code, one.aggregation].append(one.value)
    with (test_data / "ibsi" / "reference_values.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["data"] == name]
    assert len(rows) == count
    outside = []
    for row in rows:
        value = found[row["permanent_id"], row["aggregation"]].pop(0)
        if not agrees(value, row["value"], row["tolerance"]):
            outside.append((row["permanent_id"], row["feature"], row["aggregation"], row["value"], value))
    assert outside == []


def test_disagreement_is_seen() -> None:
    assert agrees(2.149, "2.15", "") and not agrees(2.156, "2.15", "")
    assert agrees(3.62e5, "3.58e5", "5e3") and not agrees(3.64e5, "3.58e5", "5e3")
