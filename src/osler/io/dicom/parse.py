"""Reading DICOM files with pydicom, whose errors end here, and asking a header for its values.

`text`, `number`, `numbers`, `sequence` and `kind_of` take a pydicom Dataset or the lean `scan.Header` alike.
"""

from contextlib import suppress
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from osler.core.errors import Unreadable
from osler.io.dicom.walk import Odd, cut_short, walk

if TYPE_CHECKING:
    from pydicom import Dataset


class Headed(Protocol):
    """What holds elements by keyword: pydicom's Dataset, or a `scan.Header`."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """The value of an element, `default` where it is absent."""

    def __contains__(self, name: str, /) -> bool: ...


def is_dicom(path: Path) -> bool:
    """Do the first bytes look like DICOM? Files without the preamble of PS3.10 are recognized too."""
    try:
        if not path.is_file():  # whoever opens a pipe waits for its other end
            return False
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        return False
    if head[128:] == b"DICM":
        return True
    # Old writers begin with the first element of group 2 or 8, in little endian.
    if len(head) < 12 or head[1:2] != b"\0" or head[0] not in (2, 8) or head[3:4] != b"\0":
        return False
    explicit = head[4:6] in (b"UL", b"UI", b"CS", b"DA", b"TM", b"SH", b"LO", b"OB")
    implicit = head[2] in (0, 1, 5, 8, 0x12, 0x16, 0x18) and 0 < int.from_bytes(head[4:8], "little") <= 128
    return explicit or implicit


def read_header(path: Path) -> "Dataset":
    """Everything before the pixels. Raises Unreadable."""
    return _read(path, stop_before_pixels=True)


def read_dataset(path: Path) -> "Dataset":
    """The whole file, pixels still encoded. Raises Unreadable."""
    return _read(path, stop_before_pixels=False)


def kind_of(header: Headed) -> str:
    """What a person calls this kind of object: "CT Image", "Comprehensive SR"."""
    return _kind_named(text(header, "SOPClassUID"))


@lru_cache(maxsize=256)
def _kind_named(uid: str) -> str:
    from pydicom.uid import UID

    name = UID(uid).name
    return name.removesuffix(" Storage") if name and name != uid else "DICOM object of unknown kind"


def number(header: Headed, keyword: str) -> float | None:
    """A decimal number of the header, None where it is absent, empty or no number."""
    found = numbers(header, keyword)
    return found[0] if found else None


def numbers(header: Headed, keyword: str) -> tuple[float, ...]:
    """All decimal numbers of one attribute, () where it is absent, empty or holds something else: words, NaN,
    infinity, "1e400"."""
    value: Any = _value(header, keyword)
    if value is None or value == "":
        return ()
    several = value if not isinstance(value, str | bytes) and hasattr(value, "__iter__") else [value]
    try:
        found = tuple(float(one) for one in several)
    except (TypeError, ValueError, OverflowError):
        return ()
    return found if all(isfinite(one) for one in found) else ()


def text(header: Headed, keyword: str) -> str:
    """A text of the header, "" where it is absent, or holds a sequence where the standard has a text."""
    value = _value(header, keyword)
    if value is None or _items(value):
        return ""
    return str(value).strip()


def sequence(header: Headed, keyword: str) -> "list[Dataset]":
    """The items of a sequence, [] where it is absent or broken."""
    return _items(_value(header, keyword))


def _items(value: Any) -> "list[Dataset]":
    if value is None or isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return []
    return [item for item in value if hasattr(item, "get")]  # numbers, where the file calls it something else


def _value(header: Headed, keyword: str) -> Any:
    try:
        return header.get(keyword)
    except Exception:  # pydicom converts values only when asked and raises many kinds for what it cannot convert
        return None


def _read(path: Path, *, stop_before_pixels: bool) -> "Dataset":
    import pydicom
    from pydicom import config
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    # Its warnings quote the value they dislike, and that may be somebody's name.
    config.settings.reading_validation_mode = config.IGNORE
    with suppress(Odd):  # what is merely odd pydicom can judge itself
        walk(path, (), deep=True)  # it believes every length, unfolds every bomb and follows every nesting
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=stop_before_pixels, force=True)
        if not len(dataset):
            raise ValueError("nothing in it")
        meta = dataset.file_meta
        if "TransferSyntaxUID" not in meta:
            implicit, little = dataset.original_encoding
            meta.TransferSyntaxUID = (
                ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            )
    except FileNotFoundError as error:
        raise Unreadable(f"{path.name} is missing.", remedy="Check the path.") from error
    except Exception as error:  # a broken file makes pydicom raise nearly anything
        raise cut_short(path.name) from error
    return dataset
