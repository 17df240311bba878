"""MedMNIST's npz: arrays train_images, train_labels, val_images, ..., test_labels in one file.

Class names after INFO of the medmnist package (Yang et al., MedMNIST v2, Scientific Data 10:41, 2023,
https://doi.org/10.1038/s41597-022-01721-8). A file whose number of classes differs keeps numbers as names.
"""

from pathlib import Path

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadDataset
from osler.io.arrays import arrays_in, read_array
from osler.lab.catalog.dataset import SPLITS, Case, Dataset, Source
from osler.lab.catalog.folders import files_under, first_few
from osler.lab.catalog.request import Request
from osler.lab.catalog.values import Coded, code_labels

LAYOUT = "MedMNIST npz"

_ORGANS = (
    "bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right", "liver", "lung-left",
    "lung-right", "pancreas", "spleen",
)  # fmt: skip

# Diabetic retinopathy has an order, which the other sets lack; it is read as a grade unless asked otherwise.
_GRADES = {"retinamnist"}

CLASSES: dict[str, tuple[str, ...]] = {
    "pathmnist": (
        "adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa",
        "cancer-associated stroma", "colorectal adenocarcinoma epithelium",
    ),
    "chestmnist": (
        "atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia", "pneumothorax",
        "consolidation", "edema", "emphysema", "fibrosis", "pleural", "hernia",
    ),
    "dermamnist": (
        "actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions",
        "dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions",
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("0", "1", "2", "3", "4"),
    "breastmnist": ("malignant", "normal or benign"),
    "bloodmnist": (
        "basophil", "eosinophil", "erythroblast", "immature granulocytes", "lymphocyte", "monocyte", "neutrophil",
        "platelet",
    ),
    "tissuemnist": (
        "collecting duct, connecting tubule", "distal convoluted tubule", "glomerular endothelial cells",
        "interstitial endothelial cells", "leukocytes", "podocytes", "proximal tubule segments",
        "thick ascending limb",
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
    "organmnist3d": (
        "liver", "kidney-right", "kidney-left", "femur-right", "femur-left", "bladder", "heart", "lung-right",
        "lung-left", "spleen", "pancreas",
    ),
    "nodulemnist3d": ("benign", "malignant"),
    "adrenalmnist3d": ("normal", "hyperplasia"),
    "fracturemnist3d": ("buckle rib fracture", "nondisplaced rib fracture", "displaced rib fracture"),
    "vesselmnist3d": ("vessel", "aneurysm"),
    "synapsemnist3d": ("inhibitory synapse", "excitatory synapse"),
}  # fmt: skip


def read(request: Request) -> Dataset | None:
    """The data set of one npz file, or of a folder that holds one; None when there is none.

    Raises Unreadable for a broken file, BadDataset for arrays that do not add up.
    """
    path = _file(request.path)
    if path is None:
        return None
    shapes, labels = _contents(path)
    splits = [split for split in SPLITS if f"{split}_images" in shapes]
    if not splits:
        raise BadDataset(
            f"{path.name} has no array named train_images, only {first_few(sorted(shapes))}.",
            remedy="Name the arrays train_images, train_labels, val_images, val_labels, test_images, test_labels.",
        )
    for split in splits:
        count = shapes[f"{split}_images"][0]
        if f"{split}_labels" not in labels or len(labels[f"{split}_labels"]) != count:
            raise BadDataset(
                f"{path.name} has {count} pictures in {split}_images but another number of labels.",
                remedy="Write one label for each picture.",
            )
    rows = np.concatenate([_column(labels[f"{split}_labels"], path) for split in splits])
    coded = _coded(path, rows, request)
    places = [(split, index) for split in splits for index in range(shapes[f"{split}_images"][0])]
    digits = len(str(max(index for _, index in places)))
    cases = tuple(
        Case(
            id=f"{split}:{index:0{digits}d}",
            patient=f"{split}:{index:0{digits}d}",
            pictures=(Source(path, f"{split}_images:{index}"),),
            label=label,
            split=split,
        )
        for (split, index), label in zip(places, coded.labels, strict=True)
    )
    return Dataset(
        name=path.stem,
        root=path.parent,
        task=coded.task,
        classes=coded.classes,
        channels=("image",),
        cases=cases,
        layout=LAYOUT,
        notes=(
            *coded.notes,
            "The file does not say which pictures belong to one patient: each counts as its own.",
        ),
        target="label" if coded.task == "regression" else "",
    )


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() == ".npz" else None
    files = files_under(path)
    found = [file for file in files if file.suffix.lower() == ".npz" and file.parent == path]
    if len(found) > 1:
        raise AskedWrongly(
            f"{path.name} holds {len(found)} npz files: {first_few(file.name for file in found)}.",
            remedy="Name one of them.",
        )
    return found[0] if found else None


def _contents(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, Array]]:
    """Shapes of all arrays, from their headers, and the labels themselves; pictures stay on the disk."""
    held = arrays_in(path)
    for name, (_, dtype) in held.items():
        if name.endswith("_images") and np.dtype(dtype).kind not in "iufb":
            raise BadDataset(
                f"{path.name} holds {name} as {dtype}, which are no pictures.",
                remedy="Store one array of numbers, (pictures, rows, columns) or (pictures, rows, columns, 3).",
            )
    shapes = {name: shape for name, (shape, _) in held.items()}
    if any(not shape or not shape[0] for shape in shapes.values()):
        raise BadDataset(f"{path.name} has an array without rows.", remedy="Store one row for each picture.")
    return shapes, {name: read_array(path, name) for name in shapes if name.endswith("_labels")}


def _column(labels: Array, path: Path) -> Array:
    """(N, K) labels, K = 1 for one label a picture."""
    if labels.ndim not in (1, 2) or labels.dtype.kind not in "iufb":
        raise BadDataset(
            f"{path.name} has labels of shape {labels.shape} and type {labels.dtype}.",
            remedy="Store numbers of shape (N,) or (N, 1), or (N, K) of 0 and 1 for several classes.",
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise BadDataset(
            f"{path.name} has labels that are no numbers (NaN).", remedy="Repair or remove those rows."
        )
    return labels.reshape(len(labels), -1)


def _coded(path: Path, rows: Array, request: Request) -> Coded:
    # The larger versions are named pneumoniamnist_64, _128, _224.
    key = path.stem.lower().split("_")[0]
    known = CLASSES.get(key, ())
    if rows.shape[1] > 1:
        if not np.isin(rows, (0, 1)).all():
            raise BadDataset(f"{path.name} has labels other than 0 and 1.", remedy="Store 0 or 1 for each class.")
        if request.task not in (None, "multilabel"):
            raise AskedWrongly(f"{path.name} has several labels a picture.", remedy="Choose the task multilabel.")
        names = known if len(known) == rows.shape[1] else tuple(str(i) for i in range(rows.shape[1]))
        return Coded("multilabel", names, tuple(tuple(int(flag) for flag in row) for row in rows))
    task = request.task or ("ordinal" if key in _GRADES else None)
    texts = [str(value) for value in rows[:, 0].tolist()]
    coded = code_labels(texts, task=task, column=path.stem)
    notes = coded.notes
    if request.task is None and key in _GRADES:
        notes = (
            "The labels are grades of diabetic retinopathy: the task is ordinal, unless multiclass is asked for.",
        )
    if coded.task == "regression":
        return coded
    values = sorted({int(value) for value in rows[:, 0]})
    if known and values[0] >= 0 and values[-1] < len(known):
        # The names are by number: a class that no picture of this file has must not shift the others.
        return Coded(coded.task, known, tuple(int(value) for value in rows[:, 0]), notes)
    return Coded(coded.task, tuple(str(value) for value in values), coded.labels, notes)
