"""dataset.json of the Medical Segmentation Decathlon and of nnU-Net (1 and 2): labels and channel names."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from osler.core.errors import BadDataset
from osler.io.files import read_json

_REMEDY = 'Write it as in {"channel_names": {"0": "MR"}, "labels": {"background": 0, "tumour": 1}}.'


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The dataset.json in a folder, or None where there is none or it is another program's.

    Raises Unreadable when it is no JSON.
    """
    file = path / "dataset.json"
    if not file.is_file():
        return None
    found = read_json(file)
    return found if isinstance(found, dict) and isinstance(found.get("labels"), dict) else None


def labels_of(manifest: dict[str, Any]) -> tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    """(class names, their numbers in the mask files, notes); background first.

    Both spellings are read: {"0": "background", "1": "tumour"} and {"background": 0, "tumour": 1}. Where
    nnU-Net v2 lists several numbers for a region, each number gets the name of the smallest region it is in.
    Raises BadDataset for anything else.
    """
    names: dict[int, str] = {}
    smallest: dict[int, int] = {}
    regions = False
    for key, value in manifest["labels"].items():
        name = str(key) if isinstance(value, int | list) else str(value)
        region = value if isinstance(value, list) else [value if isinstance(value, int) else key]
        regions = regions or len(region) > 1
        for number in map(_whole, region):
            if len(region) < smallest.get(number, len(region) + 1):
                names[number], smallest[number] = name, len(region)
    if any(name.lower() == "ignore" for name in names.values()):
        raise BadDataset(
            "dataset.json has an 'ignore' label, and Osler learns from whole masks only.",
            remedy="Label those voxels, or remove the cases that have them and the entry.",
        )
    if 0 not in names:
        names[0] = "background"
    if len(names) < 2:
        raise BadDataset("dataset.json names no label beside the background.", remedy=_REMEDY)
    values = tuple(sorted(names))
    notes = ("Regions made of several labels are learnt as the labels they are made of.",) if regions else ()
    return tuple(names[value] for value in values), values, notes


def channels_of(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Names of the channels in their order; ("image",) when the file does not say."""
    found = manifest.get("channel_names") or manifest.get("modality") or {}
    if not isinstance(found, dict) or not found:
        return ("image",)
    return _unique(str(found[key]) for key in sorted(found, key=_whole))


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise BadDataset(f"dataset.json has '{value}' where a whole number is needed.", remedy=_REMEDY) from None


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """Two channels of the same name ("MR", "MR") are "MR" and "MR 2"."""
    found: list[str] = []
    for name in names:
        number = sum(other.split(" ")[0] == name for other in found) + 1
        found.append(name if name not in found else f"{name} {number}")
    return tuple(found)
