"""`osler quantify`: one kind of measure of outlined structures: uptake, calcium, heart, midline, distance."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from osler.cli import output
from osler.cli.arguments import Parser, add_common, add_language, new_parser, spoken
from osler.core.errors import AskedWrongly, BadInput
from osler.core.record import to_plain

if TYPE_CHECKING:
    from osler.core.finding import Measurement
    from osler.core.mask import Mask
    from osler.core.volume import Volume

SUMMARY = """Measure outlined structures for one purpose: `statistics` of the numbers inside, `uptake` of PET
(SUVmax, SUVpeak, metabolic volumes, glycolysis), `calcium` (Agatston), `heart` (volumes and ejection fraction from
masks of end-diastole and end-systole), `midline` (its shift) and `distance` (of two outlines). Each measure has
its unit, and an interval where one is known. What cannot be measured is refused with its reason."""

EXAMPLE = """
osler quantify statistics ct.nii.gz tumour.nii.gz
osler quantify uptake pet-series/ structures.dcm --sex F --weight-kg 64 --height-m 1.68
osler quantify uptake pet.nii.gz tumour.nii.gz --numbers-are-suv --liver liver.nii.gz
osler quantify calcium ct-series/ vessels.nii.gz --kvp 120 --without-contrast
osler quantify heart diastole.nii.gz systole.nii.gz --left 3 --muscle 2 --right 1 --weight-kg 64 --height-m 1.68
osler quantify midline falx.nii.gz
osler quantify distance mine.nii.gz theirs.nii.gz --json
"""


def parser() -> Parser:
    """The words of `osler quantify`."""
    made = new_parser("quantify", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="WHAT", required=True)

    def below(name: str, help: str, *files: tuple[str, str]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=help, allow_abbrev=False)
        for word, meaning in files:
            added.add_argument(word.lower(), metavar=word, type=Path, help=meaning)
        add_language(added)
        add_common(added, below=True)
        return added

    picture = ("PICTURE", "a file, or a folder with one DICOM series")
    mask = ("MASK", "label numbers, a DICOM segmentation or structures, on the picture's grid")
    statistics = below("statistics", "mean, median, percentiles of the numbers inside", picture, mask)
    uptake = below("uptake", "SUV, metabolic volumes and glycolysis of PET", picture, mask)
    uptake.add_argument(
        "--numbers-are-suv", action="store_true", help="the file does not say so, but they are SUV"
    )
    uptake.add_argument("--liver", type=Path, metavar="MASK", help="the healthy liver, for its threshold")
    uptake.add_argument(
        "--sex", default="", choices=("F", "M"), help="of the patient, for SUL (as the header says)"
    )
    calcium = below("calcium", "Agatston, volume and mass score; a label a vessel", picture, mask)
    calcium.add_argument("--kvp", type=float, metavar="KV", help="tube voltage")
    given = calcium.add_mutually_exclusive_group()
    given.add_argument("--without-contrast", dest="contrast", action="store_false", default=None)
    given.add_argument("--with-contrast", dest="contrast", action="store_true", default=None)
    calcium.add_argument(
        "--limit-hu", type=float, metavar="HU", help="where calcium begins (130, at 120 kVp alone)"
    )
    calcium.add_argument("--mg-per-hu-ml", type=float, metavar="C", help="the scanner's calibration, for the mass")
    heart = below(
        "heart", "volumes, ejection fraction, mass", ("DIASTOLE", "mask of it"), ("SYSTOLE", "mask of it")
    )
    for word, meaning in (("left", "left cavity"), ("right", "right cavity"), ("muscle", "left ventricle's wall")):
        heart.add_argument(f"--{word}", type=int, metavar="LABEL", help=f"label of the {meaning}")
    for body in (uptake, heart):
        body.add_argument("--weight-kg", type=float, metavar="KG", help="of the patient (as the header says)")
        body.add_argument("--height-m", type=float, metavar="M", help="of the patient (as the header says)")
    midline = below("midline", "shift of a drawn falx, or of where two halves meet", ("MASK", "on axial slices"))
    midline.add_argument("--left", type=int, metavar="LABEL", help="of the left half, with --right")
    midline.add_argument("--right", type=int, metavar="LABEL", help="of the right half, with --left")
    distance = below("distance", "how far two outlines lie apart", ("MASK", "one"), ("OTHER", "the other"))
    for labelled in (statistics, uptake, midline, distance):
        labelled.add_argument("--label", type=int, default=1, metavar="LABEL", help="the structure's label (1)")
    return made


@spoken
def run(arguments: argparse.Namespace) -> int:
    """Measure and say it."""
    acts = {
        "statistics": _statistics,
        "uptake": _uptake,
        "calcium": _calcium,
        "heart": _heart,
        "midline": _midline,
        "distance": _distance,
    }
    found = acts[arguments.verb](arguments)
    if arguments.json:
        output.say_json({"what": arguments.verb, "measurements": [to_plain(one) for one in found]})
    else:
        output.say("\n".join(f"{one.name}: {one.quantity}" for one in found))
    return output.GOOD


def _statistics(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.intensity import statistics
    from osler.core.volume import Volume
    from osler.io.open import open_mask, open_picture

    picture = open_picture(arguments.picture)
    grid = picture.geometry if isinstance(picture, Volume) else None
    return statistics(picture, open_mask(arguments.mask, grid=grid), arguments.label)


def _uptake(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.pet import lean_factor, reference_uptake, suv_measures
    from osler.core.patient import Patient

    volume, mask = _both(arguments)
    if arguments.numbers_are_suv and volume.unit == "":
        volume = replace(volume, unit="SUV")
    liver = None
    if arguments.liver is not None:
        healthy = _mask(arguments.liver, volume)
        liver = reference_uptake(volume, healthy, _only_label(healthy.labels, arguments.liver))
    body = Patient(
        arguments.sex or volume.facts.sex,
        weight_kg=_given(arguments.weight_kg, volume.facts.weight_kg),
        height_m=_given(arguments.height_m, volume.facts.height_m),
    )
    return suv_measures(volume, mask, arguments.label, lean_factor=lean_factor(body), liver=liver)


def _calcium(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.calcium import Scan, calcium_measures

    volume, mask = _both(arguments)
    if volume.unit == "":  # NIfTI never says; what is asked for are HU
        volume = replace(volume, unit="HU")
    return calcium_measures(
        volume,
        mask,
        Scan(arguments.kvp, arguments.contrast),
        limit_hu=arguments.limit_hu,
        mg_per_hu_ml=arguments.mg_per_hu_ml,
    )


def _heart(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.cardiac import Chambers, body_surface_m2, heart_measures
    from osler.io.open import open_mask

    chambers = Chambers(arguments.left, arguments.right, arguments.muscle)
    if chambers == Chambers():
        raise AskedWrongly("No label was named.", remedy="Say which is which with --left, --right and --muscle.")
    surface = None
    if arguments.weight_kg is not None and arguments.height_m is not None:
        surface = body_surface_m2(arguments.weight_kg, arguments.height_m)
    filled, empty = open_mask(arguments.diastole), open_mask(arguments.systole)
    return heart_measures(filled, empty, chambers, surface_m2=surface)


def _midline(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.midline import midline_shift, midline_shift_between
    from osler.io.open import open_mask

    mask = open_mask(arguments.mask)
    if arguments.left is None and arguments.right is None:
        return (midline_shift(mask, arguments.label),)
    if arguments.left is None or arguments.right is None:
        raise AskedWrongly("One half alone has no border with the other.", remedy="Give both --left and --right.")
    return (midline_shift_between(mask, arguments.left, arguments.right),)


def _distance(arguments: argparse.Namespace) -> "tuple[Measurement, ...]":
    from osler.clinic.measure.surface import surface_measures
    from osler.io.open import open_mask

    one = open_mask(arguments.mask)
    return surface_measures(one, open_mask(arguments.other, grid=one.geometry), arguments.label)


def _both(arguments: argparse.Namespace) -> "tuple[Volume, Mask]":
    from osler.core.volume import Volume
    from osler.io.open import open_picture

    picture = open_picture(arguments.picture)
    if not isinstance(picture, Volume):
        raise BadInput(f"{arguments.picture.name} is a flat picture.", remedy="Give a volume.")
    return picture, _mask(arguments.mask, picture)


def _mask(path: Path, volume: "Volume") -> "Mask":
    from osler.io.open import open_mask

    return open_mask(path, grid=volume.geometry)


def _only_label(labels: Mapping[int, str], path: Path) -> int:
    if len(labels) != 1:
        raise AskedWrongly(
            f"{path.name} holds {len(labels)} structures, and which is the liver is not said.",
            remedy="Give a mask of the liver alone.",
        )
    return next(iter(labels))


def _given(said: float | None, header: float | None) -> float | None:
    return header if said is None else said
