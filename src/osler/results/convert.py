"""Masks as DICOM objects, for `io.convert`, which lies below and cannot write them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.errors import UnknownChoice
from osler.core.mask import Mask
from osler.core.report import Report
from osler.core.version import SOFTWARE
from osler.core.volume import Volume
from osler.imaging.overlay import colour_of
from osler.io.convert import MaskWriter, Writers
from osler.io.dicom.encode import new_uid, save_dataset, uid_of
from osler.results.dicom_rtstruct import structure_set_object
from osler.results.dicom_seg import Outlined, segmentation_object

if TYPE_CHECKING:
    from pydicom import Dataset

DRAWN = ("manual", "semiautomatic", "automatic")
_DESCRIPTION = "Mask, converted by Osler"


def mask_writers(drawn: str = "manual") -> Writers:
    """What can be written from a mask and the pictures it was drawn on, by the name of its kind.

    drawn  how the masks were made, which a segmentation must say: "manual", "semiautomatic" or "automatic"
    """
    if drawn not in DRAWN:
        raise UnknownChoice.among("way of drawing", drawn, DRAWN)
    return {
        "seg": _segmentation_writer("binary", drawn),
        "labelmap": _segmentation_writer("labelmap", drawn),
        "rtstruct": _structures_writer(drawn),
    }


def _segmentation_writer(kind: str, drawn: str) -> MaskWriter:
    def write(mask: Mask, picture: Volume, header: "Dataset", path: Path) -> None:
        report = _conversion(picture)
        outlined = _outlined(mask, report)
        dataset = segmentation_object(report, path.name, picture, outlined, header=header, kind=kind)
        dataset.SeriesDescription = _DESCRIPTION
        for item in dataset.SegmentSequence:
            if item.SegmentNumber:  # 0 is the background of a label map
                _say_who(item, drawn)
        save_dataset(dataset, path)

    return write


def _structures_writer(drawn: str) -> MaskWriter:
    def write(mask: Mask, picture: Volume, header: "Dataset", path: Path) -> None:
        report = _conversion(picture)
        outlined = _outlined(mask, report)
        dataset = structure_set_object(
            report, path.name, picture, outlined, header=header, algorithm=drawn.upper()
        )
        dataset.SeriesDescription = _DESCRIPTION
        save_dataset(dataset, path)

    return write


def _outlined(mask: Mask, report: Report) -> list[Outlined]:
    return [
        Outlined(name, mask.of(number), uid_of(report.uid, "segment", str(number)), colour=colour_of(number))
        for number, name in sorted(mask.labels.items())
    ]


def _say_who(segment: "Dataset", drawn: str) -> None:
    """Nobody knows which program drew a converted mask, so none is named but by the word for that (C.8.20.4)."""
    segment.SegmentAlgorithmType = drawn.upper()
    for keyword in ("SegmentationAlgorithmIdentificationSequence", "SegmentAlgorithmName", "SegmentDescription"):
        if keyword in segment:
            del segment[keyword]
    if drawn != "manual":
        segment.SegmentAlgorithmName = "unknown"


def _conversion(picture: Volume) -> Report:
    """A report that says nothing but when and by which software: objects are made from reports."""
    return Report(
        study="",
        study_uid=picture.study_uid,
        facts=picture.facts,
        pathway="",
        declined=(),
        cautions=(),
        findings=(),
        key_pictures=(),
        models=(),
        seconds=(),
        software=SOFTWARE,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        uid=new_uid(),
    )
