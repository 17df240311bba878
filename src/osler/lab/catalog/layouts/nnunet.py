"""nnU-Net raw data: imagesTr/CASE_0000.nii.gz (one file a channel), labelsTr/CASE.nii.gz, dataset.json (v1 or v2).

Source: nnU-Net documentation, "dataset format" (https://github.com/MIC-DKFZ/nnUNet).
"""

import re
from collections import defaultdict
from pathlib import Path

from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, pictures_under, stem
from osler.lab.catalog.layouts.manifest import channels_of, labels_of, read_manifest
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request

LAYOUT = "nnU-Net raw"

_FOLDERS = (("train", "imagesTr", "labelsTr"), ("test", "imagesTs", "labelsTs"))


def read(request: Request) -> Dataset | None:
    """The data set of an nnU-Net raw folder, or None when the folder is of another kind.

    imagesTs counts as the test split where labelsTs is there.
    Raises BadDataset when channels or labels are missing.
    """
    path = request.path.parent if request.path.name == "dataset.json" else request.path
    if not path.is_dir():
        return None
    root = inner_root(path)
    manifest = read_manifest(root)
    if manifest is None or not (root / "imagesTr").is_dir() or not (root / "labelsTr").is_dir():
        return None
    found = {split: _channels_by_case(root / images) for split, images, _ in _FOLDERS}
    if not found["train"]:
        return None
    notes: list[str] = []
    channels = channels_of(manifest)
    cases: list[Case] = []
    has_test = bool(found["test"]) and (root / "labelsTs").is_dir()
    if found["test"] and not has_test:
        notes.append(f"imagesTs has {len(found['test'])} cases but there is no labelsTs: they were left out.")
    for split, images, labels in _FOLDERS[: 2 if has_test else 1]:
        masks = {stem(path): path for path in pictures_under(root / labels)}
        _complete(found[split], set(masks), len(channels), images, labels)
        for name, files in found[split].items():
            pictures = tuple(Source(files[number]) for number in range(len(channels)))
            cases.append(Case(name, name, pictures, Source(masks[name]), split if has_test else ""))
    patients, why = patients_of([case.id for case in cases])
    classes, values, more = labels_of(manifest)
    return Dataset(
        name=str(manifest.get("name") or root.name),
        root=root,
        task="segmentation",
        classes=classes,
        channels=channels,
        cases=tuple(
            Case(case.id, patient, case.pictures, case.label, case.split)
            for case, patient in zip(cases, patients, strict=True)
        ),
        layout=LAYOUT,
        notes=(*more, *why, *notes),
        label_values=values,
    )


def _channels_by_case(folder: Path) -> dict[str, dict[int, Path]]:
    """Case -> channel number -> file."""
    found: dict[str, dict[int, Path]] = defaultdict(dict)
    for path in pictures_under(folder) if folder.is_dir() else ():
        if match := re.fullmatch(r"(.+)_([0-9]{4})", stem(path)):
            found[match[1]][int(match[2])] = path
    return dict(found)


def _complete(found: dict[str, dict[int, Path]], masks: set[str], channels: int, images: str, labels: str) -> None:
    short = [name for name, files in found.items() if set(files) != set(range(channels))]
    if short:
        raise BadDataset(
            f"{images} should have {channels} channels a case, as dataset.json says; not so: {first_few(short)}.",
            remedy="Add the missing files (CASE_0000, CASE_0001, ...) or correct channel_names.",
        )
    if without := [name for name in found if name not in masks]:
        raise BadDataset(
            f"{len(without)} cases of {images} have no file in {labels}: {first_few(without)}.",
            remedy="Add their masks, or remove the pictures.",
        )
