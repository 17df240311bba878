"""Two folders that mirror each other: images/NAME and labels|masks|segmentations|annotations/NAME."""

import re
from collections import defaultdict
from pathlib import Path

from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, pictures_under, split_of, stem
from osler.lab.catalog.labels import name_values, values_in
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request

LAYOUT = "paired folders"

# Folder name -> the split it says; the names that MSD and nnU-Net use say one.
_IMAGES = {
    **dict.fromkeys(("images", "image", "imgs", "img", "scans", "volumes", "inputs", "jpegimages"), ""),
    "imagestr": "train", "imagesval": "val", "imagests": "test",
}  # fmt: skip
_MASKS = {
    **dict.fromkeys(("labels", "label", "masks", "mask", "segmentations", "segmentation", "segs", "seg"), ""),
    **dict.fromkeys(("annotations", "annotation", "gt", "ground_truth", "groundtruth", "targets"), ""),
    "labelstr": "train", "labelsval": "val", "labelsts": "test",
}  # fmt: skip

# What people append to tell a mask from its image when both have the same name otherwise.
_TAIL = re.compile(
    r"[-_ .](?:image|img|mask|masks|seg|segmentation|label|labels|gt|annotation|groundtruth)$", re.I
)

Key = tuple[str, ...]


def read(request: Request) -> Dataset | None:
    """The data set of paired folders, or None when there are none.

    Raises BadDataset when no image has a mask of its name.
    """
    if not request.path.is_dir() or request.task not in (None, "segmentation"):
        return None
    root = inner_root(request.path)
    images, masks, splits = _sorted_out(root)
    if not images or not masks:
        return None
    grouped = _channels(images, masks)
    both = [key for key in grouped if key in masks]
    if not both:
        raise BadDataset(
            f"{root.name} has pictures ({first_few(_name(k) for k in images)}) and masks "
            f"({first_few(_name(k) for k in masks)}), but no two of the same name.",
            remedy="Give each mask the name of its picture.",
        )
    notes: list[str] = []
    counts = {len(grouped[key]) for key in both}
    channels = max(counts)
    whole = [key for key in both if len(grouped[key]) == channels]
    if len(whole) < len(both):
        notes.append(f"{len(both) - len(whole)} cases lack a channel and were left out.")
    for what, lonely in (
        ("pictures have no mask", [key for key in grouped if key not in masks]),
        ("masks have no picture", [key for key in masks if key not in grouped]),
    ):
        if lonely:
            notes.append(f"{len(lonely)} {what} and were left out: {first_few(_name(key) for key in lonely)}.")
    values = values_in([Source(masks[key]) for key in whole])
    classes, found, more = name_values(values)
    patients, why = patients_of([key[-1] for key in whole])
    given = {splits[key] for key in whole}
    cases = tuple(
        Case(
            id=_name(key),
            patient=patient,
            pictures=tuple(Source(path) for path in grouped[key]),
            label=Source(masks[key]),
            # imagesTr alone says nothing: it is all there is.
            split=splits[key] if len(given) > 1 else "",
        )
        for key, patient in zip(whole, patients, strict=True)
    )
    return Dataset(
        name=root.name,
        root=root,
        task="segmentation",
        classes=classes,
        channels=("image",) if channels == 1 else tuple(f"channel {n}" for n in range(channels)),
        cases=cases,
        layout=LAYOUT,
        notes=(*more, *why, *notes),
        label_values=found,
    )


def _sorted_out(root: Path) -> tuple[dict[Key, Path], dict[Key, Path], dict[Key, str]]:
    """Images and masks by what they share: the folders beside images|masks, and the name without its tail."""
    images: dict[Key, Path] = {}
    masks: dict[Key, Path] = {}
    splits: dict[Key, str] = {}
    for path in pictures_under(root):
        folders = list(path.relative_to(root).parent.parts)
        # The innermost such folder decides: labels/images/ would be images.
        for level in range(len(folders) - 1, -1, -1):
            name = folders[level].lower()
            if name not in _IMAGES and name not in _MASKS:
                continue
            split = _IMAGES.get(name, "") or _MASKS.get(name, "")
            rest = folders[:level] + folders[level + 1 :]
            key = (split, *rest, _TAIL.sub("", stem(path)))
            (images if name in _IMAGES else masks)[key] = path
            splits[key] = split or next((split_of(folder) for folder in rest if split_of(folder)), "")
            break
    return images, masks, splits


def _channels(images: dict[Key, Path], masks: dict[Key, Path]) -> dict[Key, list[Path]]:
    """Case -> its pictures, one a channel: CASE_0000 and CASE_0001 are channels where the mask is named CASE."""
    grouped: dict[Key, list[Path]] = defaultdict(list)
    for key, path in images.items():
        match = re.fullmatch(r"(.+)_[0-9]{4}", key[-1])
        case = (*key[:-1], match[1]) if match and key not in masks else key
        grouped[case if case in masks else key].append(path)
    return dict(grouped)


def _name(key: Key) -> str:
    return "/".join(part for part in key if part)
