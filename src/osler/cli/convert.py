"""`osler convert`: any readable picture or mask into any writable one, with an account of what was lost."""

import argparse
from pathlib import Path

from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """Turn any picture or mask that Osler reads into any file it writes: a DICOM series or multi-frame file
into NIfTI, NRRD or MetaImage and back; a mask into a DICOM segmentation or structure set and back; a dose or a
parametric map into NIfTI; a flat picture into PNG. What OUT is follows from its suffix, or from --as. The result
is read back before it takes its place: how far the grid and the values are from the source is measured, and said
together with what was lost."""

EXAMPLE = """
osler convert series/ ct.nii.gz
osler convert ct.nrrd series/ --as series --modality CT
osler convert mask.nii.gz mask.dcm --as seg --like series/ --labels 1=liver,2=tumour
osler convert study/ pictures/ --all --as nrrd
"""


def parser() -> Parser:
    """The words of `osler convert`."""
    made = new_parser("convert", SUMMARY, EXAMPLE)
    made.add_argument(
        "source", metavar="IN", type=Path, help="a picture or mask: a file, or a folder with one series"
    )
    made.add_argument("target", metavar="OUT", type=Path, help="a new file or folder")
    made.add_argument(
        "--as",
        dest="kind",
        default="",
        metavar="K",
        help="nii.gz, nii, nrrd, mha, png, series (a DICOM file a slice), seg, labelmap, rtstruct (by suffix)",
    )
    made.add_argument("--item", default="", metavar="I", help="which part of IN, where it holds several")
    made.add_argument(
        "--like", type=Path, metavar="SERIES", help="the DICOM series whose patient and study the result joins"
    )
    made.add_argument(
        "--labels",
        default="",
        metavar="L",
        help="IN is a mask; what its numbers mean: 1=liver,2=tumour or a JSON file",
    )
    made.add_argument(
        "--drawn",
        default="manual",
        choices=("manual", "semiautomatic", "automatic"),
        help="how a mask was made, which a segmentation must say (manual)",
    )
    made.add_argument("--modality", default="", metavar="M", help="CT, MR or PT, where IN does not say")
    made.add_argument("--unit", default="", metavar="U", help="of PET values where IN does not say: SUV or Bq/ml")
    made.add_argument(
        "--all", action="store_true", help="every picture of a folder, a file each into the folder OUT"
    )
    return made


def run(arguments: argparse.Namespace) -> int:
    """Convert; says what was kept and what was lost."""
    from dataclasses import asdict

    from osler.io.convert import Wishes, convert, convert_all, read_labels_table
    from osler.results.convert import mask_writers

    wishes = Wishes(
        item=arguments.item,
        kind=arguments.kind,
        like=arguments.like,
        labels=read_labels_table(arguments.labels) if arguments.labels else None,
        modality=arguments.modality,
        unit=arguments.unit,
    )
    if arguments.all:
        done, problems = convert_all(arguments.source, arguments.target, wishes, mask_writers(arguments.drawn))
    else:
        done, problems = [convert(arguments.source, arguments.target, wishes, mask_writers(arguments.drawn))], []
    if arguments.json:
        output.say_json({"converted": [asdict(one) for one in done], "problems": problems})
        return output.GOOD
    lines: list[str] = []
    for one in done:
        size = " x ".join(str(n) for n in one.shape)
        many = f", {one.files} files" if one.files > 1 else ""
        lines.append(f"{one.source} -> {one.target} ({one.kind}{many}): {size}")
        lines += [f"  kept  {said}" for said in one.kept]
        lines += [f"  lost  {said}" for said in one.lost]
        lines += [f"  mind  {said}" for said in one.notes]
    output.say("\n".join([*lines, *(f"not converted: {said}" for said in problems)]))
    return output.GOOD
