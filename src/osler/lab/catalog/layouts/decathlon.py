"""Medical Segmentation Decathlon: dataset.json that lists each training image with its label.

Source: Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 13:4128, 2022.
"""

from pathlib import Path
from typing import Any

from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, stem
from osler.lab.catalog.layouts.manifest import channels_of, labels_of, read_manifest
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request

LAYOUT = "Medical Segmentation Decathlon"


def read(request: Request) -> Dataset | None:
    """The data set of a dataset.json that lists its images, or None when there is none or they are not there.

    Raises BadDataset when some of the listed files are missing.
    """
    path = request.path.parent if request.path.name == "dataset.json" else request.path
    if not path.is_dir():
        return None
    root = inner_root(path)
    manifest = read_manifest(root)
    if manifest is None or not isinstance(manifest.get("training"), list):
        return None
    pairs = [_pair(entry, root) for entry in manifest["training"]]
    # nnU-Net's first version lists names without the channel number: its own layout reads those.
    if not pairs or not any(image.exists() for image, _ in pairs):
        return None
    missing = [path.name for pair in pairs for path in pair if not path.exists()]
    if missing:
        raise BadDataset(
            f"dataset.json lists {len(missing)} files that are not there: {first_few(missing)}.",
            remedy="Copy them, or remove their entries.",
        )
    classes, values, notes = labels_of(manifest)
    channels = channels_of(manifest)
    items = [f"channel:{n}" for n in range(len(channels))] if len(channels) > 1 else [""]
    stems = [stem(image) for image, _ in pairs]
    patients, why = patients_of(stems)
    cases = tuple(
        Case(name, patient, tuple(Source(image, item) for item in items), Source(label))
        for name, patient, (image, label) in zip(stems, patients, pairs, strict=True)
    )
    return Dataset(
        name=root.name,
        root=root,
        task="segmentation",
        classes=classes,
        channels=channels,
        cases=cases,
        layout=LAYOUT,
        notes=(*notes, *why),
        label_values=values,
    )


def _pair(entry: Any, root: Path) -> tuple[Path, Path]:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("image"), str)
        or not isinstance(entry.get("label"), str)
    ):
        raise BadDataset(
            "dataset.json lists a training case without an image and a label.",
            remedy='Write each as {"image": "./imagesTr/case.nii.gz", "label": "./labelsTr/case.nii.gz"}.',
        )
    return root / entry["image"], root / entry["label"]
