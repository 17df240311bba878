"""Pascal VOC: Annotations/NAME.xml with boxes, JPEGImages/NAME.jpg, perhaps ImageSets/Main/train.txt."""

import xml.etree.ElementTree as ET
from pathlib import Path

from osler.core.errors import BadDataset, Unreadable
from osler.lab.catalog.dataset import SPLITS, Box, Case, Dataset, Source
from osler.lab.catalog.folders import first_few, inner_root, natural, pictures_under, stem
from osler.lab.catalog.patients import patients_of
from osler.lab.catalog.request import Request

LAYOUT = "Pascal VOC boxes"

_AT_MOST_BYTES = 10_000_000


def read(request: Request) -> Dataset | None:
    """The data set of a VOC folder, or None when the folder is of another kind.

    Raises Unreadable for a broken annotation, BadDataset when a picture is missing.
    """
    if not request.path.is_dir():
        return None
    root = inner_root(request.path)
    annotations = sorted((root / "Annotations").glob("*.xml"), key=lambda path: natural(path.name))
    folder = next((root / name for name in ("JPEGImages", "images", "Images") if (root / name).is_dir()), None)
    if not annotations or folder is None:
        return None
    pictures = {stem(path): path for path in pictures_under(folder)}
    missing = [path.name for path in annotations if path.stem not in pictures]
    if missing:
        raise BadDataset(
            f"{len(missing)} annotations have no picture in {folder.name}: {first_few(missing)}.",
            remedy="Add the pictures under the same names, or remove the annotations.",
        )
    found = [_boxes(path) for path in annotations]
    classes = tuple(sorted({name for boxes in found for name, _ in boxes}, key=natural))
    if not classes:
        raise BadDataset(
            f"The annotations in {root.name} have no box.", remedy="Draw at least one box of each class."
        )
    patients, why = patients_of([path.stem for path in annotations])
    splits = _splits(root)
    cases = tuple(
        Case(
            id=path.stem,
            patient=patient,
            pictures=(Source(pictures[path.stem]),),
            label=tuple(Box(classes.index(name), *corners) for name, corners in boxes),
            split=splits.get(path.stem, ""),
        )
        for path, patient, boxes in zip(annotations, patients, found, strict=True)
    )
    return Dataset(
        name=root.name,
        root=root,
        task="detection",
        classes=classes,
        channels=("image",),
        cases=cases,
        layout=LAYOUT,
        notes=why,
    )


def _boxes(path: Path) -> list[tuple[str, tuple[float, float, float, float]]]:
    """Class name and (top, left, bottom, right) of each box of one annotation."""
    remedy = "Repair or remove the annotation."
    try:
        text = path.read_bytes()[: _AT_MOST_BYTES + 1]
    except OSError as error:
        raise Unreadable(f"{path.name} cannot be read: {error.strerror}.", remedy=remedy) from error
    if len(text) > _AT_MOST_BYTES:
        raise Unreadable(f"{path.name} is too large for an annotation.", remedy=remedy)
    # The parser would expand entities, which a hostile file nests until the memory is full. Zeros are what other
    # encodings leave between the letters of a word one looks for.
    if any(word in text.replace(b"\0", b"").upper() for word in (b"<!DOCTYPE", b"<!ENTITY")):
        raise Unreadable(f"{path.name} declares a DOCTYPE or entities, which no annotation needs.", remedy=remedy)
    try:
        tree = ET.fromstring(text)
        found = []
        for thing in tree.iter("object"):
            box = thing.find("bndbox")
            name = thing.findtext("name", "").strip()
            if box is None or not name:
                raise ValueError("an object without name or box")
            # VOC counts pixels from 1, and its last ones are inside.
            left, top, right, bottom = (float(box.findtext(k, "")) for k in ("xmin", "ymin", "xmax", "ymax"))
            if not (right >= left and bottom >= top):
                raise ValueError("a box whose last corner lies before its first")
            found.append((name, (top - 1, left - 1, bottom, right)))
        return found
    except (ET.ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"{path.name} is no annotation that can be read: {error}.", remedy=remedy) from error


def _splits(root: Path) -> dict[str, str]:
    """What ImageSets/Main says, where it is there: file stem -> split."""
    found: dict[str, str] = {}
    for split in SPLITS:
        listing = root / "ImageSets" / "Main" / f"{split}.txt"
        if listing.is_file():
            try:
                lines = listing.read_text(encoding="utf-8").splitlines()
            except (OSError, ValueError) as error:
                raise Unreadable(
                    f"{listing.name} cannot be read.", remedy="Write one file name a line."
                ) from error
            found.update({line.split()[0]: split for line in lines if line.strip()})
    return found
