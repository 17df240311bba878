"""How long and how wide a structure is."""

from osler.core.codes import Code
from osler.core.finding import Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.imaging.components import keep_largest
from osler.imaging.diameters import in_plane_diameters, longest_diameter_mm
from osler.io.dicom.concepts import own_code
from osler.results.sentences import say

LONG_AXIS = Code("103339001", "SCT", "Long axis")
SHORT_AXIS = Code("103340004", "SCT", "Short axis")
DIAMETER_3D = own_code("Longest diameter in space")  # over voxels; IBSI's L0JK is over the corners of a mesh


def diameters(mask: Mask, label: int) -> tuple[Measurement, ...]:
    """The longest diameter in a slice and its perpendicular (RECIST 1.1), and of a volume the longest in space.

    Of the largest piece: specks far apart would stretch a diameter over healthy tissue.
    In mm; in pixels for a flat mask whose file does not say how large one is. () where the label is absent.
    """
    binary = keep_largest(mask.of(label))
    flat = in_plane_diameters(binary, mask.spacing)
    if flat is None:
        return ()
    known = mask.geometry is not None or mask.spacing_mm is not None
    unit = "mm" if known else "pixels"
    kind = "measure.flat_" if mask.geometry is None else "measure."
    found = [
        Measurement(say(kind + "long_axis"), Quantity(flat.longest_mm, unit), LONG_AXIS),
        Measurement(say(kind + "short_axis"), Quantity(flat.perpendicular_mm, unit), SHORT_AXIS),
    ]
    if mask.geometry is not None:
        space = Quantity(longest_diameter_mm(binary, mask.spacing), unit)
        found.append(Measurement(say("measure.diameter_3d"), space, DIAMETER_3D))
    return tuple(found)
