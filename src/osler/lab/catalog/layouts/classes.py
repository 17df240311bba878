"""A folder per class: ROOT/CLASS/picture, ROOT/train/CLASS/picture, ROOT/CLASS/PATIENT/picture."""

from collections import Counter
from pathlib import Path

from osler.core.errors import BadDataset
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, natural, pictures_under, split_of, stem
from osler.lab.catalog.patients import patients_in_headers, patients_of
from osler.lab.catalog.request import Request
from osler.lab.catalog.values import code_labels

LAYOUT = "folder per class"

# Folders that say what kind of file they hold, not what the pictures show.
_HOLDERS = {
    "image", "images", "img", "imgs", "png", "jpg", "jpeg", "picture", "pictures", "data", "dicom", "dcm", "nifti",
    "raw", "files", "scans", "volumes", "imagestr", "imagests", "jpegimages", "unlabeled",
}  # fmt: skip
_MASK_ENDINGS = ("_mask", "_seg", "_segmentation", "_label")
_FEW = 0.1
_SPLIT_LEVELS = 2


def read(request: Request) -> Dataset | None:
    """The data set of a folder per class, or None when the folder is of another kind.

    Raises BadDataset when there is one class only.
    """
    if not request.path.is_dir() or request.task in ("segmentation", "detection"):
        return None
    root = inner_root(request.path)
    pictures = pictures_under(root)
    if not pictures:
        return None
    masks = {path for path in pictures if stem(path).lower().endswith(_MASK_ENDINGS)}
    pictures = [path for path in pictures if path not in masks]
    placed = [_place(path.relative_to(root)) for path in pictures]
    rows = [index for index, (_, name, _) in enumerate(placed) if name]
    if len(rows) < (1 - _FEW) * len(pictures) and not _in_splits(placed, rows):
        return None
    names = sorted({placed[row][1] for row in rows}, key=natural)
    if not names or (len(names) == 1 and names[0].lower() in _HOLDERS):
        return None
    if len(names) == 1:
        raise BadDataset(
            f"{root.name} has only one class folder, '{names[0]}': there is nothing to tell apart.",
            remedy="Add a folder with pictures of at least one other class.",
        )
    notes: list[str] = []
    if masks:
        notes.append(
            f"{len(masks)} files named as masks were left out. Ask for the task segmentation to learn from them."
        )
    if len(rows) < len(pictures):
        strays = [pictures[i].relative_to(root) for i in range(len(pictures)) if not placed[i][1]]
        notes.append(f"{len(strays)} pictures lie in no class folder and were left out: {first_few(strays)}.")
    coded = code_labels([placed[row][1] for row in rows], task=request.task)
    patients, why = _patients([pictures[row] for row in rows], [placed[row] for row in rows])
    ids = _ids([pictures[row].relative_to(root) for row in rows])
    cases = tuple(
        Case(
            id=ids[place],
            patient=patients[place],
            pictures=(Source(pictures[row]),),
            label=coded.labels[place],
            split=placed[row][0],
        )
        for place, row in enumerate(rows)
    )
    return Dataset(
        name=root.name,
        root=root,
        task=coded.task,
        classes=coded.classes,
        channels=("image",),
        cases=cases,
        layout=LAYOUT,
        notes=(*coded.notes, *why, *notes),
        target="grade" if coded.task == "regression" else "",
    )


def _place(path: Path) -> tuple[str, str, tuple[str, ...]]:
    """Split, class and the folders below the class, from the folders above one picture."""
    folders = list(path.parent.parts)
    split = ""
    for level, folder in enumerate(folders[:_SPLIT_LEVELS]):
        if split_of(folder):
            split = split_of(folder)
            del folders[level]
            break
    return split, (folders[0] if folders else ""), tuple(folders[1:])


def _in_splits(placed: list[tuple[str, str, tuple[str, ...]]], rows: list[int]) -> bool:
    """Are all pictures without a class in a split of their own, as an unlabelled test folder is?"""
    labelled = {placed[row][0] for row in rows}
    unlabelled = {split for split, name, _ in placed if not name}
    return bool(rows) and not labelled & unlabelled


def _patients(
    pictures: list[Path], placed: list[tuple[str, str, tuple[str, ...]]]
) -> tuple[list[str], tuple[str, ...]]:
    """From DICOM headers or a folder per patient below the class where there is one, else from the file names."""
    if (named := patients_in_headers(pictures)) is not None:
        return named, (f"Patients were told apart by the DICOM headers: {len(set(named))}.",)
    inner = [below[0] if below else "" for _, _, below in placed]
    sizes = Counter(inner)
    one_deeper = all(inner) and not any(name.lower() in _HOLDERS for name in sizes)
    if one_deeper and len(sizes) > 2 * len({name for _, name, _ in placed}):
        return inner, (f"The folders below each class were taken as patients: {len(sizes)}.",)
    return patients_of([stem(path) for path in pictures])


def _ids(paths: list[Path]) -> list[str]:
    """Paths without endings; with them where that is needed to tell two apart."""
    short = [(path.parent / stem(path)).as_posix() for path in paths]
    twice = {name for name, count in Counter(short).items() if count > 1}
    return [path.as_posix() if name in twice else name for path, name in zip(paths, short, strict=True)]
