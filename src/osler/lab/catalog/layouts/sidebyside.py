"""Images and masks in one folder, told apart by their names.

PATIENT/{CT_image,CT_mask,PET_image,PET_mask}.nii.gz, PATIENT/{PATIENT_flair,PATIENT_t1,PATIENT_seg}.nii.gz,
PATIENT/{image,mask}.nii.gz, or one folder with NAME.png and NAME_mask.png.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, natural, pictures_under, split_of, stem
from osler.lab.catalog.labels import name_values, values_in
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request

LAYOUT = "images and masks side by side"

_MASK = re.compile(r"(?:^|[-_ .])(?:mask|seg|segmentation|label|labels|gt)$", re.I)
_IMAGE = re.compile(r"(?:^|[-_ .])(?:image|img|orig)$", re.I)
_HALF = 0.5
_AT_MOST_CHANNELS = 16


@dataclass(slots=True)
class _Folder:
    """Images and masks of one folder, by the name that is left without "image" or "mask"."""

    images: dict[str, Path] = field(default_factory=dict)
    masks: dict[str, Path] = field(default_factory=dict)


def read(request: Request) -> Dataset | None:
    """The data set of images beside their masks, or None when there are none."""
    if not request.path.is_dir() or request.task not in (None, "segmentation"):
        return None
    root = inner_root(request.path)
    folders: dict[Path, _Folder] = defaultdict(_Folder)
    for path in pictures_under(root):
        name = stem(path)
        if _MASK.search(name):
            folders[path.parent].masks[_MASK.sub("", name)] = path
        else:
            folders[path.parent].images[_IMAGE.sub("", name)] = path
    pairs = {folder: inside for folder, inside in folders.items() if inside.images and inside.masks}
    pictured = sum(len(inside.images) for inside in folders.values())
    if not pairs or sum(len(inside.images) for inside in pairs.values()) < _HALF * pictured:
        return None
    stripped = {folder: _without_prefix(folder, inside) for folder, inside in pairs.items()}
    return _patient_folders(root, stripped) or _named_pairs(root, pairs)


def _patient_folders(root: Path, folders: dict[Path, _Folder]) -> Dataset | None:
    """A folder is a patient, and names inside are channels, when the same names come back in most folders."""
    seen = Counter(name for inside in folders.values() for name in inside.images)
    crowded = any(len(inside.images) > _AT_MOST_CHANNELS for inside in folders.values())
    if len(folders) < 2 or crowded or seen.most_common(1)[0][1] <= len(folders) / 2:
        return None
    common = [name for name, count in seen.items() if count == len(folders)]
    notes: list[str] = []
    if common:
        for name, count in sorted(seen.items(), key=lambda pair: natural(pair[0])):
            if count < len(folders):
                notes.append(
                    f"{name or 'image'} is there for only {count} of {len(folders)} patients: it was left out."
                )
    else:
        most = seen.most_common(1)[0][1]
        common = [name for name, count in seen.items() if count == most]
    kept = {folder: inside for folder, inside in folders.items() if set(common) <= set(inside.images)}
    drawn = Counter(name for inside in kept.values() for name in inside.masks)
    # The mask must lie on a channel's grid: prefer one that was drawn on a channel everybody has.
    first = next(
        (name for name in sorted(common, key=natural) if drawn[name] == len(kept)),
        None,
    )
    mask = first if first is not None else next((name for name, n in drawn.most_common() if n == len(kept)), None)
    if mask is None:
        mask = drawn.most_common(1)[0][0]
    complete = {folder: inside for folder, inside in kept.items() if mask in inside.masks}
    if len(complete) < len(folders):
        gone = [folder.name for folder in folders if folder not in complete]
        notes.append(f"{len(gone)} patients lack a picture or a mask and were left out: {first_few(gone)}.")
    channels = sorted(common, key=lambda name: (name != mask, natural(name)))
    others = sorted({name or "mask" for name in drawn if name != mask}, key=natural)
    if others:
        notes.append(f"The mask of {mask or 'the folder'} is learnt; there are also masks of {', '.join(others)}.")
    names = [folder.relative_to(root) for folder in complete]
    values = values_in([Source(inside.masks[mask]) for inside in complete.values()])
    classes, found, more = name_values(values)
    cases = tuple(
        Case(
            id=place.as_posix(),
            patient=place.name,
            pictures=tuple(Source(inside.images[name]) for name in channels),
            label=Source(inside.masks[mask]),
            split=next((split_of(part) for part in place.parts if split_of(part)), ""),
        )
        for place, inside in zip(names, complete.values(), strict=True)
    )
    return Dataset(
        name=root.name,
        root=root,
        task="segmentation",
        classes=classes,
        channels=tuple(name or "image" for name in channels),
        cases=cases,
        layout=LAYOUT,
        notes=("Each folder was taken as one patient.", *notes, *more),
        label_values=found,
    )


def _named_pairs(root: Path, folders: dict[Path, _Folder]) -> Dataset | None:
    """NAME and NAME_mask: a case each."""
    rows = [
        (folder, name, path, inside.masks[name])
        for folder, inside in folders.items()
        for name, path in inside.images.items()
        if name in inside.masks
    ]
    if not rows:
        return None
    images = sum(len(inside.images) for inside in folders.values())
    masks = sum(len(inside.masks) for inside in folders.values())
    notes = []
    if images > len(rows) or masks > len(rows):
        notes.append(
            f"{images - len(rows)} pictures and {masks - len(rows)} masks have no partner and were left out."
        )
    places = [folder.relative_to(root) for folder, _, _, _ in rows]
    if len(set(places)) > 1 and not all(any(split_of(part) for part in place.parts) for place in places):
        notes.append("The folders may be classes: ask for the task multiclass to learn them instead of the masks.")
    values = values_in([Source(mask) for _, _, _, mask in rows])
    classes, found, more = name_values(values)
    patients, why = patients_of([name for _, name, _, _ in rows])
    cases = tuple(
        Case(
            id=(place / (name or stem(path))).as_posix(),
            patient=patient,
            pictures=(Source(path),),
            label=Source(mask),
            split=next((split_of(part) for part in place.parts if split_of(part)), ""),
        )
        for place, patient, (_, name, path, mask) in zip(places, patients, rows, strict=True)
    )
    return Dataset(
        name=root.name,
        root=root,
        task="segmentation",
        classes=classes,
        channels=("image",),
        cases=cases,
        layout=LAYOUT,
        notes=(*more, *why, *notes),
        label_values=found,
    )


def _shared_start(names: list[str]) -> str:
    low, high = min(names), max(names)
    return low[: next((i for i, letter in enumerate(low) if high[i : i + 1] != letter), len(low))]


def _without_prefix(folder: Path, inside: _Folder) -> _Folder:
    """BRATS_001/BRATS_001_flair becomes "flair": what all files of the folder share is no channel's name."""
    prefix = folder.name
    names = [*inside.images, *inside.masks]
    if not all(name.startswith(prefix) for name in names):
        prefix = _shared_start(names) if len(names) > 2 else ""
        # Cut between words only: CT_art and CT_ven share "CT_", t1 and t1ce do not share "t1".
        prefix = prefix[: max(prefix.rfind(mark) for mark in "-_ .") + 1]
        # CT_art and CT_ven are named so everywhere; only a case's own number is in the way.
        prefix = prefix if re.search(r"[0-9]", prefix) else ""
    strip = len(prefix)

    def short(names: dict[str, Path]) -> dict[str, Path]:
        return {name[strip:].lstrip("-_ ."): path for name, path in names.items()}

    return _Folder(short(inside.images), short(inside.masks))
