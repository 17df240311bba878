"""A lean reader of DICOM headers: what is needed to find, sort and stack thousands of files, and nothing else.

Each wanted element is kept as the bytes that stand in the file and decoded when it is asked for. Whatever else is
asked for, sequences above all, is read with pydicom then, once.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from struct import unpack
from typing import TYPE_CHECKING, Any

from osler.core.errors import Unreadable
from osler.core.progress import Tell, silent
from osler.io.dicom.parse import read_header
from osler.io.dicom.walk import Odd, Walked, walk

if TYPE_CHECKING:
    from pydicom import Dataset

# keyword: (tag, VR); PS3.6. "US or SS" follows PixelRepresentation, "SQ" is only known to be there.
TAGS: dict[str, tuple[int, str]] = {
    # what it is
    "SpecificCharacterSet": (0x00080005, "CS"),
    "ImageType": (0x00080008, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "Modality": (0x00080060, "CS"),
    "PresentationIntentType": (0x00080068, "CS"),
    "Manufacturer": (0x00080070, "LO"),
    "StudyDescription": (0x00081030, "LO"),
    "SeriesDescription": (0x0008103E, "LO"),
    "ManufacturerModelName": (0x00081090, "LO"),
    "ComplexImageComponent": (0x00089208, "CS"),
    "AcquisitionContrast": (0x00089209, "CS"),
    "BurnedInAnnotation": (0x00280301, "CS"),
    "LossyImageCompression": (0x00282110, "CS"),
    "SegmentationType": (0x00620001, "CS"),
    "DoseUnits": (0x30040002, "CS"),
    "DoseType": (0x30040004, "CS"),
    "DoseSummationType": (0x3004000A, "CS"),
    "MIMETypeOfEncapsulatedDocument": (0x00420012, "LO"),
    # when
    "StudyDate": (0x00080020, "DA"),
    "SeriesDate": (0x00080021, "DA"),
    "AcquisitionDate": (0x00080022, "DA"),
    "ContentDate": (0x00080023, "DA"),
    "AcquisitionDateTime": (0x0008002A, "DT"),
    "StudyTime": (0x00080030, "TM"),
    "SeriesTime": (0x00080031, "TM"),
    "AcquisitionTime": (0x00080032, "TM"),
    "ContentTime": (0x00080033, "TM"),
    "TimezoneOffsetFromUTC": (0x00080201, "SH"),
    # whose: kept apart, never shown
    "PatientID": (0x00100020, "LO"),
    "IssuerOfPatientID": (0x00100021, "LO"),
    "PatientBirthDate": (0x00100030, "DA"),
    "PatientSex": (0x00100040, "CS"),
    "PatientAge": (0x00101010, "AS"),
    "PatientSize": (0x00101020, "DS"),
    "PatientWeight": (0x00101030, "DS"),
    # how it was taken
    "ContrastBolusAgent": (0x00180010, "LO"),
    "BodyPartExamined": (0x00180015, "CS"),
    "ScanningSequence": (0x00180020, "CS"),
    "SequenceVariant": (0x00180021, "CS"),
    "ScanOptions": (0x00180022, "CS"),
    "MRAcquisitionType": (0x00180023, "CS"),
    "SequenceName": (0x00180024, "SH"),
    "SliceThickness": (0x00180050, "DS"),
    "KVP": (0x00180060, "DS"),
    "RepetitionTime": (0x00180080, "DS"),
    "EchoTime": (0x00180081, "DS"),
    "InversionTime": (0x00180082, "DS"),
    "NumberOfAverages": (0x00180083, "DS"),
    "EchoNumbers": (0x00180086, "IS"),
    "SpacingBetweenSlices": (0x00180088, "DS"),
    "SoftwareVersions": (0x00181020, "LO"),
    "ProtocolName": (0x00181030, "LO"),
    "TriggerTime": (0x00181060, "DS"),
    "NominalInterval": (0x00181062, "IS"),
    "FrameTime": (0x00181063, "DS"),
    "CardiacNumberOfImages": (0x00181090, "IS"),
    "EstimatedRadiographicMagnificationFactor": (0x00181114, "DS"),
    "GantryDetectorTilt": (0x00181120, "DS"),
    "ImagerPixelSpacing": (0x00181164, "DS"),
    "ConvolutionKernel": (0x00181210, "SH"),
    "ActualFrameDuration": (0x00181242, "IS"),
    "FlipAngle": (0x00181314, "DS"),
    "ViewPosition": (0x00185101, "CS"),
    "PatientPosition": (0x00185100, "CS"),
    "DiffusionBValue": (0x00189087, "FD"),
    "DiffusionGradientOrientation": (0x00189089, "FD"),
    "FrameType": (0x00089007, "CS"),
    # where it belongs and lies
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "SeriesNumber": (0x00200011, "IS"),
    "AcquisitionNumber": (0x00200012, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "PatientOrientation": (0x00200020, "CS"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "FrameOfReferenceUID": (0x00200052, "UI"),
    "Laterality": (0x00200060, "CS"),
    "ImageLaterality": (0x00200062, "CS"),
    "TemporalPositionIdentifier": (0x00200100, "IS"),
    "NumberOfTemporalPositions": (0x00200105, "IS"),
    "ImagesInAcquisition": (0x00201002, "IS"),
    "SliceLocation": (0x00201041, "DS"),
    "StackID": (0x00209056, "SH"),
    "TemporalPositionIndex": (0x00209128, "UL"),
    "ConcatenationUID": (0x00209161, "UI"),
    "InConcatenationNumber": (0x00209162, "US"),
    "TotalPixelMatrixColumns": (0x00480006, "UL"),
    "TotalPixelMatrixRows": (0x00480007, "UL"),
    # what its numbers mean
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "PlanarConfiguration": (0x00280006, "US"),
    "NumberOfFrames": (0x00280008, "IS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "CorrectedImage": (0x00280051, "CS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "PixelPaddingValue": (0x00280120, "US or SS"),
    "PixelPaddingRangeLimit": (0x00280121, "US or SS"),
    "WindowCenter": (0x00281050, "DS"),
    "WindowWidth": (0x00281051, "DS"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "RescaleType": (0x00281054, "LO"),
    "VOILUTFunction": (0x00281056, "CS"),
    "PresentationLUTShape": (0x20500020, "CS"),
    # PET
    "NumberOfSlices": (0x00540081, "US"),
    "NumberOfTimeSlices": (0x00540101, "US"),
    "Units": (0x00541001, "CS"),
    "SUVType": (0x00541006, "CS"),
    "DecayCorrection": (0x00541102, "CS"),
    "FrameReferenceTime": (0x00541300, "DS"),
    "DecayFactor": (0x00541321, "DS"),
    "ImageIndex": (0x00541330, "US"),
    # of frames, and so within sequences; asked for on the top level too
    "EffectiveEchoTime": (0x00189082, "FD"),
    "InversionTimes": (0x00189079, "FD"),
    "FrameAcquisitionDateTime": (0x00189074, "DT"),
    "FrameAcquisitionNumber": (0x00209156, "US"),
    "NominalCardiacTriggerDelayTime": (0x00209153, "FD"),
    "CineRate": (0x00180040, "IS"),
    "FrameTimeVector": (0x00181065, "DS"),
    "RecommendedDisplayFrameRate": (0x00082144, "IS"),
    "InConcatenationTotalNumber": (0x00209163, "US"),
    "SliceVector": (0x00540080, "US"),
    # sequences that are asked for of every file, and mostly are not there
    "DirectoryRecordSequence": (0x00041220, "SQ"),
    "SequenceOfUltrasoundRegions": (0x00186011, "SQ"),
    "ModalityLUTSequence": (0x00283000, "SQ"),
    "VOILUTSequence": (0x00283010, "SQ"),
    "RealWorldValueMappingSequence": (0x00409096, "SQ"),
    "RadiopharmaceuticalInformationSequence": (0x00540016, "SQ"),
    "DetectorInformationSequence": (0x00540022, "SQ"),
    "SegmentSequence": (0x00620002, "SQ"),
    "StructureSetROISequence": (0x30060020, "SQ"),
    "FrameContentSequence": (0x00209111, "SQ"),
    "PixelMeasuresSequence": (0x00289110, "SQ"),
    "PlanePositionSequence": (0x00209113, "SQ"),
    "PlaneOrientationSequence": (0x00209116, "SQ"),
    "PixelValueTransformationSequence": (0x00289145, "SQ"),
    "FrameVOILUTSequence": (0x00289132, "SQ"),
    "MREchoSequence": (0x00189114, "SQ"),
    "MRDiffusionSequence": (0x00189117, "SQ"),
    "MRImageFrameTypeSequence": (0x00189226, "SQ"),
    "MRModifierSequence": (0x00189115, "SQ"),
    "MRTimingAndRelatedParametersSequence": (0x00189112, "SQ"),
    "CTImageFrameTypeSequence": (0x00189329, "SQ"),
    "CTReconstructionSequence": (0x00189314, "SQ"),
    "CTXRayDetailsSequence": (0x00189325, "SQ"),
    "PETFrameTypeSequence": (0x00189751, "SQ"),
    "CardiacSynchronizationSequence": (0x00189118, "SQ"),
    "SharedFunctionalGroupsSequence": (0x52009229, "SQ"),
    "PerFrameFunctionalGroupsSequence": (0x52009230, "SQ"),
}
_BATCH, _THREADS = 64, 4
_SLOW = 1000  # files a second: far below what one core takes apart
_WANTED = frozenset(tag for tag, _ in TAGS.values())
_TEXTS = ("LO", "SH", "ST", "LT", "UC", "UT")  # in the character set of the file; the rest is ASCII
_STRINGS = ("AE", "AS", "CS", "DA", "DT", "TM", "UI", *_TEXTS)
_NUMBERS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_WIDTHS = {"H": 2, "h": 2, "L": 4, "l": 4, "f": 4, "d": 8}


class Header:
    """The header of one file, decoded element by element as it is asked for; what pydicom's Dataset is to
    `parse.text`, `number`, `numbers` and `sequence`.

    path             where the file lies
    transfer_syntax  UID; "" where it is not known
    data_offset      where the elements behind the file meta information begin in the file; 0 where not known
    pixel_offset, pixel_length  where the value of PixelData begins in the file and how many bytes it has. Both are
                     None where there is none, or it is deflated; the length alone where the pixels are compressed
                     or the file ends too early
    """

    __slots__ = (
        "_big",
        "_kinds",
        "_missing",
        "_values",
        "_whole",
        "data_offset",
        "path",
        "pixel_length",
        "pixel_offset",
        "transfer_syntax",
    )

    def __init__(self, path: Path, walked: Walked | None, whole: "Dataset | None" = None) -> None:
        self.path = path
        self._whole = whole
        # Nothing was scanned of an odd file: everything is asked of pydicom.
        self._values = walked.values if walked is not None else None
        self._kinds = _unlike(walked.kinds) if walked is not None else {}
        self._missing = frozenset(walked.too_long) if walked is not None else frozenset()
        self._big = walked is not None and walked.big_endian
        self.transfer_syntax = walked.transfer_syntax if walked is not None else _syntax_of(whole)
        self.data_offset = walked.data_offset if walked is not None else 0
        self.pixel_offset = walked.pixel_offset if walked is not None else None
        self.pixel_length = walked.pixel_length if walked is not None else None

    def __repr__(self) -> str:
        return f"Header({self.path.name})"  # never its values: they may be somebody's

    def __contains__(self, keyword: str) -> bool:
        known = TAGS.get(keyword)
        if known is None or self._values is None:
            return keyword in self.whole()
        return known[0] in self._values

    def get(self, keyword: str, default: Any = None) -> Any:
        """The value of an element as pydicom gives it: text, number, a list of them, a sequence.

        `default` where the element is absent, and where nobody can decode it; never raises.
        """
        known = TAGS.get(keyword)
        if known is None or self._values is None:
            return self._asked(keyword, default)
        tag, kind = known
        value = self._values.get(tag)
        if value is None:
            return default
        if tag in self._missing or kind == "SQ":
            return self._asked(keyword, default)
        kind = self._kinds.get(tag, kind)
        if kind == "US or SS":
            kind = "SS" if self.get("PixelRepresentation") == 1 else "US"
        if kind in _TEXTS and not _plain(value):
            return self._asked(keyword, default)
        try:
            return _decoded(value, kind, big=self._big)
        except (ValueError, KeyError):
            return self._asked(keyword, default)  # odd bytes: pydicom tries many ways

    def _asked(self, keyword: str, default: Any) -> Any:
        """What pydicom says."""
        try:
            return self.whole().get(keyword, default)
        except Exception:  # it converts values only when asked, and raises many kinds for what it cannot convert
            return default

    def whole(self) -> "Dataset":
        """Everything before the pixels, read with pydicom the first time it is needed. Raises Unreadable."""
        if self._whole is None:
            self._whole = read_header(self.path)
        return self._whole


def scan_header(path: Path) -> Header:
    """The header of a DICOM file. Raises Unreadable for what is missing, cut short, or made to fill the memory."""
    try:
        return Header(path, walk(path, _WANTED))
    except Odd:
        return Header(path, None, read_header(path))


def scan_headers(paths: Sequence[Path], tell: Tell = silent) -> list[Header | Unreadable]:
    """The headers of many files in the order of `paths`; for what cannot be read, the error instead.

    Where the disk is in the memory already one thread takes 4,900 files a second apart, and four, waiting for each
    other, 3,900 (benchmarks/headers.json). Where the first files come slowly it is the disk that is waited for,
    and several threads wait together.
    """
    batches = [paths[n : n + _BATCH] for n in range(0, len(paths), _BATCH)]
    found: list[Header | Unreadable] = []
    began = time.perf_counter()

    def add(batch: list[Header | Unreadable]) -> float:
        found.extend(batch)
        speed = len(found) / max(time.perf_counter() - began, 1e-6)
        tell("headers", len(found), len(paths), f"{speed:,.0f} files/s")
        return speed

    for number, batch in enumerate(batches):
        if add(_scan_batch(batch)) < _SLOW:
            with ThreadPoolExecutor(_THREADS) as pool:
                for more in pool.map(_scan_batch, batches[number + 1 :]):
                    add(more)
            break
    return found


def _scan_batch(paths: Sequence[Path]) -> list[Header | Unreadable]:
    found: list[Header | Unreadable] = []
    for path in paths:
        try:
            found.append(scan_header(path))
        except Unreadable as error:
            found.append(error)
    return found


class Number(float):
    """A decimal string: its value, and how it was written."""

    __slots__ = ("written",)
    written: str

    def __str__(self) -> str:
        return self.written


class Whole(int):
    """An integer string that is not written as Python would write it: "003"."""

    written: str

    def __str__(self) -> str:
        return self.written


class Several(list[Any]):
    """The values of one element."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"[{', '.join(repr(one) if isinstance(one, str) else str(one) for one in self)}]" if self else ""


def _decoded(value: bytes, kind: str, *, big: bool) -> Any:
    """Raises ValueError for what does not fit its kind, KeyError for a kind that holds no text and no numbers."""
    if kind in _STRINGS:
        written = value.decode("latin-1")
        if kind in _TEXTS:
            parts = [part.rstrip("\0 ") for part in written.split("\\")]
        else:
            parts = written.rstrip(" \0").split("\\")
        return parts[0] if len(parts) == 1 else Several(parts)
    if kind in ("DS", "IS"):
        if not value:
            return None
        parts = value.decode("latin-1").strip(" \0").split("\\")
        found = [_number(part, whole=kind == "IS") for part in parts]
        return found[0] if len(found) == 1 else Several(found)
    if not value:
        return None
    letter = _NUMBERS[kind]
    count, rest = divmod(len(value), _WIDTHS[letter])
    if rest:
        raise ValueError(kind)
    numbers = unpack(f"{'>' if big else '<'}{count}{letter}", value)
    return numbers[0] if count == 1 else list(numbers)


def _number(written: str, *, whole: bool) -> Any:
    """Raises ValueError for what is no number."""
    bare = written.strip()
    if not bare:
        return written
    if whole and (bare.isdecimal() or (bare[0] in "+-" and bare[1:].isdecimal())):
        count = int(bare)
        if str(count) == bare:
            return count
        odd = Whole(count)
        odd.written = bare
        return odd
    number = Number(written)
    number.written = bare
    return number


def _plain(value: bytes) -> bool:
    """Is it ASCII in every character set? The escape of ISO 2022 switches to another."""
    return value.isascii() and b"\x1b" not in value


def _unlike(kinds: dict[int, bytes]) -> dict[int, str]:
    """The VRs that differ from the dictionary's. Few have any, and thousands of headers lie in the memory."""
    return {
        tag: kind.decode("ascii")
        for tag, kind in kinds.items()
        if kind != _USUAL[tag] and kind != b"UN"  # UN is what a writer says that does not know the element
    }


def _syntax_of(whole: "Dataset | None") -> str:
    meta = getattr(whole, "file_meta", None)
    return str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""


_USUAL = {tag: kind.encode("ascii") for tag, kind in TAGS.values()}
