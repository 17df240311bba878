"""What the numbers of a mask mean, kept in a file beside it where the mask's own format has no room for names."""

from collections.abc import Mapping
from pathlib import Path

from osler.core.errors import Unreadable
from osler.io.files import read_json, write_json


def labels_file(path: Path) -> Path:
    """Where the names are kept: "mask.labels.json" beside "mask.nii.gz"."""
    name = path.name
    stem = name[: -len(".nii.gz")] if name.lower().endswith(".nii.gz") else path.stem
    return path.with_name(f"{stem}.labels.json")


def write_label_names(labels: Mapping[int, str], path: Path) -> Path:
    """Write what the numbers of the mask at `path` mean, as {"1": "liver"}; returns where."""
    beside = labels_file(path)
    write_json(beside, {str(number): name for number, name in sorted(labels.items())})
    return beside


def read_label_names(path: Path) -> dict[int, str] | None:
    """What the numbers of the mask at `path` mean; None without a file that says so. Raises Unreadable."""
    beside = labels_file(path)
    if not beside.is_file():
        return None
    found = read_json(beside)
    if not isinstance(found, dict) or not all(key.isdecimal() and int(key) > 0 for key in found):
        raise Unreadable(
            f"{beside.name} does not name labels.",
            remedy='Write it as {"1": "liver", "2": "tumour"}, or remove it.',
        )
    return {int(key): str(name) for key, name in found.items()}
