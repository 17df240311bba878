"""Siemens mosaics: many slices side by side in one image, with nothing in the standard's elements to say so.

Source: the layout of Siemens' private CSA header ("SV10"), as dcm2niix and nibabel (nicom/csareader) describe it.
"""

from struct import error, unpack_from
from typing import TYPE_CHECKING

from osler.core.errors import Unreadable
from osler.io.dicom.kinds import MR_SLICE
from osler.io.dicom.parse import text
from osler.io.dicom.scan import Header

if TYPE_CHECKING:
    from pydicom import Dataset

_GROUP, _CREATOR, _COUNT = 0x0029, "SIEMENS CSA HEADER", b"NumberOfImagesInMosaic"
_PLAIN_GROUP, _PLAIN_CREATOR = 0x0019, "SIEMENS MR HEADER"
_MOST_TAGS = 1000


def is_mosaic(header: Header) -> bool:
    """Is it a mosaic? By ImageType; where that was lost on the way, by Siemens' private elements.

    Never raises: what cannot be read is no mosaic.
    """
    if "MOSAIC" in text(header, "ImageType"):
        return True
    if text(header, "SOPClassUID") != MR_SLICE or "SIEMENS" not in text(header, "Manufacturer").upper():
        return False
    try:
        return images_in_mosaic(header.whole()) > 1
    except Unreadable:
        return False


def images_in_mosaic(dataset: "Dataset") -> int:
    """How many slices Siemens' private elements say are in one image; 0 where they say nothing."""
    try:
        plain = dataset.private_block(_PLAIN_GROUP, _PLAIN_CREATOR)
        if 0x0A in plain:
            return int(plain[0x0A].value)
    except Exception:  # pydicom raises KeyError for a missing block and anything for what it cannot convert
        pass
    try:
        csa = dataset.private_block(_GROUP, _CREATOR)[0x10].value
    except Exception:  # the same
        return 0
    return _from_csa(csa) if isinstance(csa, bytes) else 0


def _from_csa(csa: bytes) -> int:
    """The number in a CSA header of version 2; 0 where it is not there or the header is broken."""
    try:
        if csa[:4] != b"SV10":
            return 0
        (count,) = unpack_from("<L", csa, 8)
        at = 16
        for _ in range(min(count, _MOST_TAGS)):
            name = csa[at : at + 64].split(b"\0")[0]
            (items,) = unpack_from("<L", csa, at + 76)
            at += 84
            for _ in range(min(items, _MOST_TAGS)):
                (length,) = unpack_from("<L", csa, at)
                at += 16
                if name == _COUNT and length:
                    return int(csa[at : at + length].split(b"\0")[0] or b"0")
                at += (length + 3) // 4 * 4
    except (error, ValueError):
        pass
    return 0
