"""`osler measure`: size, shape and image features of what somebody outlined, with IBSI's codes."""

import argparse
import csv
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, new_parser
from osler.core.errors import AskedWrongly, BadGeometry, BadInput, BadPixels

if TYPE_CHECKING:
    from osler.clinic.measure.radiomics.settings import Settings
    from osler.core.mask import Mask
    from osler.core.progress import Tell
    from osler.core.volume import Volume

SUMMARY = """Measure every label of a mask: volume, diameters and pieces of it as drawn, and image features as the
Image Biomarker Standardisation Initiative (IBSI) defines them, one row each with its code, unit and aggregation.
Features that are not defined for a region say why instead of a number. Settings decide what the numbers are:
without
--settings those that suit the picture's kind are taken, and named. The mask must lie on the picture's own grid."""

EXAMPLE = """
osler measure ct.nii.gz tumour.nii.gz --out features.csv
osler measure pet-series/ structures.dcm --label GTV --out features.csv
osler measure ct.nii.gz tumour.nii.gz --settings ibsi-c --families morphology,cooccurrence --out features.csv
osler measure mr.nii.gz mask.nii.gz --label 1,2 --settings mine.json --out features.csv --json
"""

COLUMNS = (
    "picture", "mask", "label", "structure", "settings", "family", "aggregation", "scheme", "code", "name",
    "value", "unit", "why",
)  # fmt: skip

AS_DRAWN = "as drawn"


def parser() -> Parser:
    """The words of `osler measure`."""
    made = new_parser("measure", SUMMARY, EXAMPLE)
    made.add_argument(
        "picture", metavar="PICTURE", type=Path, help="a volume: a file, or a folder with one series"
    )
    made.add_argument("mask", metavar="MASK", type=Path, help="label numbers, a DICOM segmentation or structures")
    made.add_argument(
        "--label", default="", metavar="L", help="numbers or names, joined by commas (every label of the mask)"
    )
    made.add_argument(
        "--settings",
        default="",
        metavar="S",
        help="ct, mr, pet, ibsi-a to ibsi-e, ibsi-digital, or a JSON file (by the picture's kind)",
    )
    made.add_argument(
        "--families", default="", metavar="F", help="families of features, joined by commas, or none (all)"
    )
    made.add_argument(
        "--resample-mask", action="store_true", help="lay a mask of another grid onto the picture's, nearest voxel"
    )
    made.add_argument("--out", type=Path, required=True, metavar="TABLE.csv", help="where the table goes")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Measure; writes the table, whole or not at all."""
    from osler.cli.progress import watched, when_long
    from osler.clinic.measure.radiomics.features import FAMILIES
    from osler.io.files import replacing
    from osler.results.tabular import harmless

    families = _families(arguments.families, list(FAMILIES))
    volume = _volume(arguments.picture)
    name, settings = _settings(arguments.settings, volume) if families else ("", None)
    mask, notes = _mask(arguments.mask, volume, onto=arguments.resample_mask)
    labels = _labels(arguments.label, mask)
    said = {"picture": arguments.picture.name, "mask": arguments.mask.name, "settings": name}
    with watched() as tell:
        rows: list[dict[str, Any]] = []
        for label in labels:
            rows += _as_drawn(mask, label)
            try:
                rows += _features(volume, mask, label, settings, families, when_long(tell))
            except BadPixels as error:
                # One speck among many labels must not cost the others their numbers.
                if len(labels) == 1:
                    raise
                notes.append(f"Label {label} has no features. {error}")
    with replacing(arguments.out) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        for row in rows:
            told = {**said, **row}
            writer.writerow({key: harmless(cell) if isinstance(cell, str) else cell for key, cell in told.items()})
    if arguments.json:
        made = None if settings is None else asdict(settings)
        output.say_json({**said, "made_with": made, "notes": notes, "rows": rows, "written": arguments.out})
    else:
        output.say("\n".join([*_in_words(rows, name), *notes, f"Written: {arguments.out}"]))
    return output.GOOD


def _about(mask: "Mask", label: int) -> dict[str, Any]:
    return {"label": label, "structure": mask.labels.get(label, str(label))}


def _as_drawn(mask: "Mask", label: int) -> list[dict[str, Any]]:
    """Volume, diameters and pieces on the mask's own grid."""
    from osler.clinic.measure.diameter import diameters
    from osler.clinic.measure.pieces import pieces
    from osler.clinic.measure.volume import volume as volume_of

    return [
        {
            **_about(mask, label),
            "family": AS_DRAWN,
            "aggregation": "",
            "scheme": measured.code.scheme if measured.code else "",
            "code": measured.code.value if measured.code else "",
            "name": measured.name,
            "value": measured.quantity.value,
            "unit": measured.quantity.unit,
            "why": "",
        }
        for measured in (volume_of(mask, label), *diameters(mask, label), pieces(mask, label))
        if measured is not None
    ]


def _features(
    volume: "Volume", mask: "Mask", label: int, settings: "Settings | None", families: list[str], tell: "Tell"
) -> list[dict[str, Any]]:
    from osler.clinic.measure.radiomics.features import features

    if settings is None:
        return []
    found = features(volume, mask, label, settings, families=families, tell=tell)
    return [{**_about(mask, label), **asdict(one), "scheme": "IBSI"} for one in found]


def _volume(path: Path) -> "Volume":
    from osler.core.volume import Volume
    from osler.io.open import open_picture

    picture = open_picture(path)
    if not isinstance(picture, Volume):
        raise BadInput(
            f"{path.name} is a flat picture; features are of volumes.",
            remedy="Give a volume: NIfTI, NRRD, MetaImage or a folder with one DICOM series.",
        )
    return picture


def _mask(path: Path, volume: "Volume", *, onto: bool) -> "tuple[Mask, list[str]]":
    """The mask on the volume's grid, and what was done to bring it there."""
    from osler.imaging.resample import resample_to
    from osler.io.open import open_mask

    mask = open_mask(path, grid=volume.geometry)
    if mask.geometry is not None and volume.geometry.matches(mask.geometry):
        return mask, []
    if mask.geometry is None or not onto:
        raise BadGeometry(
            f"{path.name} does not lie on the picture's grid: {_grid(mask)} beside {_grid(volume)}.",
            remedy="Draw it on this picture, or lay it onto its grid with --resample-mask; look at the result.",
        )
    array = resample_to(mask.array, mask.geometry, volume.geometry, nearest=True)
    moved = replace(mask, array=array, geometry=volume.geometry)
    return moved, [
        f"The mask was laid onto the picture's grid, nearest voxel: from {_grid(mask)} to {_grid(volume)}."
    ]


def _grid(held: "Mask | Volume") -> str:
    size = " x ".join(str(n) for n in held.array.shape)
    if held.geometry is None:
        return f"{size}, flat"
    return f"{size} voxels of {' x '.join(f'{step:.4g}' for step in held.geometry.spacing)} mm"


def _settings(text: str, volume: "Volume") -> "tuple[str, Settings]":
    from osler.clinic.measure.radiomics.settings import SETTINGS, settings_for, settings_from
    from osler.io.files import read_json

    if text.lower().endswith(".json"):
        written = read_json(Path(text))
        if not isinstance(written, dict):
            raise AskedWrongly(f"{text} holds no settings.", remedy='Write a JSON object: {"like": "ct"}.')
        return Path(text).name, settings_from(written)
    name = text or settings_for(volume.facts.modality, volume.unit)
    if name is None:
        raise AskedWrongly(
            "The file does not say what kind of picture it is, so no settings can be chosen for it.",
            remedy=f"Name them with --settings: one of {', '.join(SETTINGS)}, or a JSON file.",
        )
    return name, SETTINGS[name]


def _labels(text: str, mask: "Mask") -> list[int]:
    """The labels asked for by number or name; every one that the mask has where none is asked for."""
    import numpy as np

    there = [int(value) for value in np.unique(mask.array) if value]
    if not there:
        raise BadPixels("The mask has no voxel that is not 0.", remedy="Give the mask of this picture.")
    if not text:
        return there
    names = {name.lower(): label for label, name in mask.labels.items()}
    chosen = []
    for word in (part.strip() for part in text.split(",")):
        label = int(word) if word.isdigit() else names.get(word.lower())
        if label not in there:
            known = ", ".join(f"{n} ({mask.labels[n]})" if n in mask.labels else str(n) for n in there)
            raise AskedWrongly(f"The mask has no label '{word}'.", remedy=f"It has: {known}.")
        chosen.append(label)
    return list(dict.fromkeys(chosen))


def _families(text: str, known: list[str]) -> list[str]:
    if text == "none":
        return []
    asked = [part.strip() for part in text.split(",") if part.strip()]
    return list(dict.fromkeys(asked)) or known


def _in_words(rows: list[dict[str, Any]], settings: str) -> list[str]:
    """Each label's measures as drawn, and how many features came out."""
    lines = []
    for label in dict.fromkeys(row["label"] for row in rows):
        mine = [row for row in rows if row["label"] == label]
        lines.append(f"{label} {mine[0]['structure']}" if mine[0]["structure"] != str(label) else f"{label}")
        drawn = [row for row in mine if row["family"] == AS_DRAWN]
        lines += [f"  {row['name']}: {row['value']:.4g} {row['unit']}".removesuffix(" 1") for row in drawn]
        found = [row for row in mine if row["family"] != AS_DRAWN]
        if found:
            missing = [row for row in found if row["value"] is None]
            lines.append(f"  {len(found)} features with settings {settings}, {len(missing)} of them not defined")
            for why in dict.fromkeys(row["why"] for row in missing):
                names = [row["name"] for row in missing if row["why"] == why]
                lines.append(f"    {why}: {', '.join(dict.fromkeys(names))}")
    return lines
