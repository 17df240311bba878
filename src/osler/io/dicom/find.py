"""Which DICOM files belong together: headers only."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from osler.core.errors import BadInput, Unreadable
from osler.io.dicom.parse import is_dicom, kind_of, number, read_header, text

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["Instance", "Series", "find_series", "is_dicom", "is_image", "refuse_several_patients"]

# They carry pixel data, but what they say is about another picture.
_NO_PICTURES = ("SEG", "RTDOSE", "RWV", "PR", "SR", "REG")


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One DICOM file: where it lies and its header."""

    path: Path
    header: "Dataset"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The images of one series that have the same kind and size.

    uid, study_uid  Series and Study Instance UID
    number          Series Number, None where the header does not say
    instances       by Instance Number, then by path; no order in space is meant
    """

    uid: str
    study_uid: str
    number: float | None
    instances: tuple[Instance, ...]

    @property
    def name(self) -> str:
        """What to call it in a message: its number and its folder, never the description."""
        folder = self.instances[0].path.parent.name
        return f"Series {self.number:g} in {folder}" if self.number is not None else f"The series in {folder}"


def find_series(paths: Iterable[Path]) -> tuple[list[Series], list[str]]:
    """Group files into series, by series number and UID, and say in sentences what was left out and why."""
    problems: list[str] = []
    others: Counter[str] = Counter()
    groups: dict[tuple[object, ...], list[Instance]] = {}
    known: set[str] = set()
    copies = 0
    for path in sorted(paths):
        try:
            header = read_header(path)
        except Unreadable as error:
            problems.append(error.problem)
            continue
        if not is_image(header):
            others[kind_of(header)] += 1
            continue
        uid = text(header, "SOPInstanceUID")
        if uid and uid in known:
            copies += 1
            continue
        known.add(uid)
        groups.setdefault(_together(path, header), []).append(Instance(path, header))
    if copies:
        problems.append(f"{copies} {'file is a copy' if copies == 1 else 'files are copies'} of others.")
    for kind, count in sorted(others.items()):
        problems.append(f"{count} {'file is' if count == 1 else 'files are'} {kind}, not an image.")
    series = [_series(instances) for instances in groups.values()]
    return sorted(series, key=_order), problems


def is_image(header: "Dataset") -> bool:
    """Is it a picture of a patient, not a report, a structure, a dose or a plan?"""
    return bool(number(header, "Rows") and number(header, "Columns")) and (
        text(header, "Modality").upper() not in _NO_PICTURES and "Pixel Data" not in kind_of(header)
    )


def refuse_several_patients(series: Iterable[Series]) -> None:
    """Raises BadInput when the series belong to more than one patient; the message names nobody."""
    patients = {text(one.instances[0].header, "PatientID") for one in series} - {""}
    if len(patients) > 1:
        raise BadInput(
            f"The folder holds images of {len(patients)} patients.",
            remedy="Give the folder of one examination of one patient.",
        )


def _together(path: Path, header: "Dataset") -> tuple[object, ...]:
    scout = "LOCALIZER" in text(header, "ImageType")
    return (
        # Two files without a series may have nothing in common but the folder.
        text(header, "SeriesInstanceUID") or path.as_posix(),
        text(header, "SOPClassUID"),
        number(header, "Rows"),
        number(header, "Columns"),
        scout,
    )


def _series(instances: list[Instance]) -> Series:
    first = instances[0].header
    ordered = sorted(instances, key=lambda one: (number(one.header, "InstanceNumber") or 0, one.path))
    return Series(
        text(first, "SeriesInstanceUID"),
        text(first, "StudyInstanceUID"),
        number(first, "SeriesNumber"),
        tuple(ordered),
    )


def _order(series: Series) -> tuple[object, ...]:
    number = float("inf") if series.number is None else series.number
    return series.study_uid, number, series.uid, series.instances[0].path
