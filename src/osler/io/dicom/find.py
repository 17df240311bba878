"""Which DICOM files belong together: headers only.

    Found           everything that was found
    └── Study       one Study Instance UID
        └── Series  the objects of one DICOM series that have the same kind and size; a DICOM series that holds
                    several kinds becomes several of these, and each says why

Splitting by orientation, spacing, position, echo and time comes later and is done on slices (`group.py`).
"""

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import BadInput, Unreadable
from osler.core.progress import Tell, silent
from osler.io.dicom.facts import date_of
from osler.io.dicom.kinds import is_image, kind_in_words
from osler.io.dicom.mosaic import is_mosaic
from osler.io.dicom.parse import is_dicom, kind_of, number, numbers, text
from osler.io.dicom.scan import Header, scan_header, scan_headers

__all__ = [
    "Found",
    "FoundStudy",
    "Header",
    "Instance",
    "Series",
    "digest_of_patient",
    "find_objects",
    "find_series",
    "image_type_of",
    "instance_at",
    "is_dicom",
    "is_image",
    "others_of",
    "pictures_of",
    "refuse_several_patients",
    "taken_on",
]


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One DICOM file: where it lies and its header."""

    path: Path
    header: Header


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The objects of one series that have the same kind and size.

    uid, study_uid  Series and Study Instance UID
    number          Series Number, None where the header does not say
    instances       by Instance Number, then by path; no order in space is meant
    kind            what a person calls one of them: "CT slice"
    picture         are they pictures of a patient?
    part, parts     which part of the DICOM series this is, from 1, and how many there are
    because         why the DICOM series has several parts, a sentence; "" where it has one
    """

    uid: str
    study_uid: str
    number: float | None
    instances: tuple[Instance, ...]
    kind: str = ""
    picture: bool = True
    part: int = 1
    parts: int = 1
    because: str = ""

    @property
    def name(self) -> str:
        """What to call it in a message: its number and its folder, never the description."""
        folder = self.instances[0].path.parent.name
        part = f", part {self.part}" if self.parts > 1 else ""
        if self.number is None:
            return f"The series in {folder}{part}"
        return f"Series {self.number:.0f} in {folder}{part}"

    @property
    def item(self) -> str:
        """How to ask for it in a folder that holds several: "series:UID", "series:UID:2" for its second part."""
        return f"series:{self.uid}" + (f":{self.part}" if self.parts > 1 else "")


@dataclass(frozen=True, slots=True, eq=False)
class FoundStudy:
    """One study.

    uid     Study Instance UID, "" where the headers do not say
    series  by Series Number, then by UID
    """

    uid: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What many files are: every object is in it once.

    problems  what could not be read, and copies, a sentence each
    """

    studies: tuple[FoundStudy, ...]  # in the order of their first files
    problems: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[Series, ...]:
        """Every series of every study."""
        return tuple(one for study in self.studies for one in study.series)


def instance_at(path: Path) -> Instance:
    """One file with its header. Raises Unreadable."""
    return Instance(path, scan_header(path))


def find_objects(paths: Iterable[Path], tell: Tell = silent) -> Found:
    """Group files by study, series and kind; pictures or not, every object is kept.

    A copy of a file is dropped, and that is told; two files that claim to be the same object but differ are both
    kept, and that is told too. Unreadable files are told in `problems`.
    """
    ordered = sorted(paths)
    problems: list[str] = []
    groups: dict[str, dict[tuple[object, ...], list[Instance]]] = {}
    known: dict[str, list[Instance]] = {}
    copies = rivals = 0
    for path, header in zip(ordered, scan_headers(ordered, tell), strict=True):
        if isinstance(header, Unreadable):
            problems.append(header.problem)
            continue
        one = Instance(path, header)
        uid = text(header, "SOPInstanceUID")
        if uid:
            same = known.setdefault(uid, [])
            if any(_same_bytes(one, other) for other in same):
                copies += 1
                continue
            rivals += bool(same)
            same.append(one)
        # Two files without a series may have nothing in common but the folder.
        series = text(header, "SeriesInstanceUID") or path.as_posix()
        groups.setdefault(series, {}).setdefault(_together(header), []).append(one)
    if copies:
        problems.append(f"{copies} {'file is a copy' if copies == 1 else 'files are copies'} of others.")
    if rivals:
        problems.append(
            f"{rivals} {'file says it is' if rivals == 1 else 'files say they are'} the same as another, "
            "but the contents differ; both are kept."
        )
    studies: dict[str, list[Series]] = {}
    for kinds in groups.values():
        for part in _parts(kinds):
            studies.setdefault(part.study_uid, []).append(part)
    made = [FoundStudy(uid, tuple(sorted(series, key=_order))) for uid, series in studies.items()]
    return Found(tuple(sorted(made, key=_first_path)), tuple(problems))


def find_series(paths: Iterable[Path], tell: Tell = silent) -> tuple[list[Series], list[str]]:
    """The series of pictures, by study, series number and UID, and in sentences what was left out and why."""
    found = find_objects(paths, tell)
    return pictures_of(found), [*found.problems, *others_of(found)]


def pictures_of(found: Found) -> list[Series]:
    """The series that are pictures, in the order of `Found`."""
    return [one for one in found.series if one.picture]


def others_of(found: Found) -> list[str]:
    """A sentence for each kind of object that is no picture."""
    others: Counter[str] = Counter()
    for series in found.series:
        if not series.picture:
            others.update(kind_of(one.header) for one in series.instances)
    return [
        f"{count} {'file is' if count == 1 else 'files are'} {kind}, not an image."
        for kind, count in sorted(others.items())
    ]


def refuse_several_patients(series: Iterable[Series]) -> None:
    """Raises BadInput when the series belong to more than one patient; the message names nobody."""
    patients = {
        (text(instance.header, "PatientID"), text(instance.header, "IssuerOfPatientID"))
        for one in series
        for instance in one.instances[:1]
        if text(instance.header, "PatientID")
    }
    if len(patients) > 1:
        raise BadInput(
            f"The folder holds images of {len(patients)} patients.",
            remedy="Give the folder of one examination of one patient.",
        )


def taken_on(series: Iterable[Series]) -> datetime.date | None:
    """The first day that a header of the series names as that of the study; None where none does."""
    days = [
        day
        for one in series
        for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate")
        if (day := date_of(text(one.instances[0].header, keyword))) is not None
    ]
    return min(days, default=None)


def digest_of_patient(series: Iterable[Series]) -> str:
    """A digest of Patient ID and issuer: the same for one patient, and nobody's name; "" without one."""
    for one in series:
        header = one.instances[0].header
        if number := text(header, "PatientID"):
            whole = f"{number}\n{text(header, 'IssuerOfPatientID')}"
            return hashlib.sha256(whole.encode()).hexdigest()[:16]
    return ""


_PIECE = 1 << 20
# What is told apart within a series, in the words of the sentence that says so.
_DIFFERENCES = (
    "kind of object",
    "rows and columns",
    "colour",
    "bits",
    "frame of reference",
    "image type",
    "convolution kernel",
    "tube voltage",
)
# Words of ImageType that make another picture of the same place; PS3.3 C.7.6.1.1.2, C.8.3.1.1.1, C.8.13.3.1 and
# what vendors write.
_TYPES = {
    "LOCALIZER": "localizer",
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
    "W": "water",
    "WATER": "water",
    "F": "fat",
    "FAT": "fat",
    "IP": "in phase",
    "IN_PHASE": "in phase",
    "OP": "opposed phase",
    "OPP_PHASE": "opposed phase",
    "OUT_PHASE": "opposed phase",
    "FF": "fat fraction",
    "FAT_FRACTION": "fat fraction",
    "ADC": "ADC",
    "FA": "fractional anisotropy",
    "TRACEW": "trace-weighted",
    "DIFFUSION_TRACEW": "trace-weighted",
    "T1 MAP": "T1 map",
    "T2 MAP": "T2 map",
    "T2_STAR MAP": "T2* map",
    "R2_STAR MAP": "R2* map",
    "MPR": "reformatted",
    "REFORMATTED": "reformatted",
    "MIP": "projection",
    "PROJECTION IMAGE": "projection",
    "MIN_IP": "projection",
    "CSA MPR": "reformatted",
    "MOSAIC": "mosaic",
}


def image_type_of(header: Header) -> tuple[str, ...]:
    """What ImageType says that makes it another picture, in plain words: ("original", "magnitude")."""
    value = header.get("ImageType") or ()
    words = value.upper().split() if isinstance(value, str) else [str(one).strip().upper() for one in value]
    said = {_TYPES[word] for word in words[2:] if word in _TYPES}
    if "localizer" in said:
        return ("localizer",)
    origin = words[0].lower() if words and words[0] in ("ORIGINAL", "DERIVED") else ""
    made = "secondary" if len(words) > 1 and words[1] == "SECONDARY" else ""
    return tuple(word for word in (origin, made, *sorted(said)) if word)


def _together(header: Header) -> tuple[object, ...]:
    """What the objects of one `Series` have in common, in the order of `_DIFFERENCES`."""
    if not is_image(header):
        return (text(header, "SOPClassUID"), *(None,) * (len(_DIFFERENCES) - 1))
    return (
        text(header, "SOPClassUID"),
        (number(header, "Rows"), number(header, "Columns")),
        number(header, "SamplesPerPixel"),
        (number(header, "BitsAllocated"), number(header, "BitsStored"), number(header, "PixelRepresentation")),
        text(header, "FrameOfReferenceUID"),
        image_type_of(header),
        # Siemens repeats the kernel for each step of its reconstruction.
        str(header.get("ConvolutionKernel") or ""),
        numbers(header, "KVP"),
    )


def _parts(kinds: dict[tuple[object, ...], list[Instance]]) -> list[Series]:
    """The parts of one DICOM series, in the order of their first instance."""
    because = _because(list(kinds)) if len(kinds) > 1 else ""
    groups = sorted((_ordered(instances) for instances in kinds.values()), key=lambda one: _first(one[0]))
    made = []
    for n, instances in enumerate(groups):
        first = instances[0].header
        kind, picture = kind_in_words(first), is_image(first)
        if picture and is_mosaic(first):
            kind = "MR mosaic"
        made.append(
            Series(
                text(first, "SeriesInstanceUID"),
                text(first, "StudyInstanceUID"),
                number(first, "SeriesNumber"),
                instances,
                kind=kind,
                picture=picture,
                part=n + 1,
                parts=len(groups),
                because=because,
            )
        )
    return made


def _because(kinds: Sequence[tuple[object, ...]]) -> str:
    differ = [name for n, name in enumerate(_DIFFERENCES) if len({kind[n] for kind in kinds}) > 1]
    if "kind of object" in differ:
        differ = ["kind of object"]  # the rest follows from that
    listed = " and ".join([", ".join(differ[:-1]), differ[-1]] if len(differ) > 1 else differ)
    return f"The series has {len(kinds)} parts because its objects differ in {listed}."


def _ordered(instances: list[Instance]) -> tuple[Instance, ...]:
    return tuple(sorted(instances, key=_place))


def _place(one: Instance) -> tuple[float, Path]:
    return number(one.header, "InstanceNumber") or 0.0, one.path


def _first(one: Instance) -> tuple[float, float, Path]:
    return number(one.header, "SeriesNumber") or 0.0, *_place(one)


def _order(series: Series) -> tuple[object, ...]:
    number = float("inf") if series.number is None else series.number
    return number, series.uid, series.part, series.instances[0].path


def _first_path(study: FoundStudy) -> Path:
    return min(one.instances[0].path for one in study.series)


def _same_bytes(one: Instance, other: Instance) -> bool:
    """Do two files hold the same object, byte for byte? The file meta information names who stored it and may
    differ."""
    try:
        if _body_size(one) != _body_size(other):
            return False
        with one.path.open("rb") as first, other.path.open("rb") as second:
            first.seek(one.header.data_offset)
            second.seek(other.header.data_offset)
            while True:
                piece = first.read(_PIECE)
                if piece != second.read(_PIECE):
                    return False
                if not piece:
                    return True
    except OSError:
        return False


def _body_size(one: Instance) -> int:
    return one.path.stat().st_size - one.header.data_offset
