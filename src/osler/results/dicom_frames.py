"""What results drawn on slices have in common: functional groups that say where each frame lies and of what.

Sources: DICOM PS3.3 C.7.6.16 (Multi-frame Functional Groups), C.7.6.17 (Multi-frame Dimension), C.12.2 (Common
Instance Reference).
"""

from typing import TYPE_CHECKING

import numpy as np

from osler.core.codes import Code
from osler.core.errors import BadGeometry, CannotHold
from osler.core.mask import Mask
from osler.core.origin import Origin
from osler.core.report import Report
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.io.dicom.encode import decimal_string, uid_of
from osler.io.dicom.parse import text
from osler.results.dicom_object import code_item, frame_of_reference, origins_of
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import Dataset

# (group, attribute) that frames are ordered by.
POSITION = (0x00209113, 0x00200032)  # Plane Position, Image Position (Patient)
SEGMENT = (0x0062000A, 0x0062000B)  # Segment Identification, Referenced Segment Number
LABEL = (0x00209111, 0x00209453)  # Frame Content, Frame Label: for the one frame that has neither
SEGMENTED = Code("113076", "DCM", "Segmentation")  # how frames came to be (PS3.16 CID 7203)


def slice_origins(picture: Picture, name: str) -> tuple[Origin, ...]:
    """The DICOM object of each slice, or of the one image. Raises CannotHold where they are not known."""
    origins = origins_of(picture)
    slices = picture.array.shape[0] if isinstance(picture, Volume) else 1
    if len(origins) != slices:
        raise CannotHold(
            f"{name} does not say which DICOM image each slice came from.",
            remedy="Read the DICOM study, or ask for json, html, pdf or fhir.",
        )
    return origins


def check_on(mask: Mask, picture: Picture, name: str) -> None:
    """Raises BadGeometry when a mask was drawn on another grid than the picture's."""
    fits = mask.array.shape == picture.array.shape[: mask.array.ndim]
    if fits and isinstance(picture, Volume) and mask.geometry is not None:
        fits = picture.geometry.matches(mask.geometry)
    if not fits or isinstance(picture, Volume) != (mask.array.ndim == 3):
        raise BadGeometry(
            f"What was drawn does not lie on the grid of {name}.", remedy="Bring the mask onto the picture's grid."
        )


def add_place(dataset: "Dataset", picture: Picture, header: "Dataset") -> None:
    """The frame of reference and the groups that all frames share; nothing for a flat picture, which has no place
    in the patient. Raises CannotHold when slices have no frame of reference, as then nobody could find them."""
    from pydicom import Dataset

    shared = Dataset()
    if isinstance(picture, Volume):
        frame = frame_of_reference(header)
        if not frame:
            raise CannotHold(
                "The images have no frame of reference, which a result on slices must name.",
                remedy="Ask the archive for the original series.",
            )
        dataset.FrameOfReferenceUID = frame
        dataset.PositionReferenceIndicator = text(header, "PositionReferenceIndicator")
        spacing, affine = picture.geometry.spacing, picture.geometry.affine
        directions = (*(affine[:3, 2] / spacing[2]), *(affine[:3, 1] / spacing[1]))
        apart = abs(float(np.linalg.det(affine[:3, :3]))) / (spacing[1] * spacing[2])  # along the normal
        orientation, measures = Dataset(), Dataset()
        orientation.ImageOrientationPatient = [decimal_string(x) for x in directions]
        measures.SliceThickness = measures.SpacingBetweenSlices = decimal_string(apart)
        measures.PixelSpacing = [decimal_string(spacing[1]), decimal_string(spacing[2])]
        shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    else:
        dataset.PatientOrientation = header.get("PatientOrientation") or ""
    dataset.SharedFunctionalGroupsSequence = [shared]


def slice_group(picture: Picture, index: int, origin: Origin, how: Code) -> "Dataset":
    """What every frame on one slice says: where it lies, and of which image, and which of its frames, it was made
    (PS3.3 C.7.6.16.2.3 and C.7.6.16.2.6).

    index  the slice, 0 of a flat picture
    how    the kind of derivation (PS3.16 CID 7203)
    """
    from pydicom import Dataset

    group, derivation, source = Dataset(), Dataset(), reference(origin)
    if origin.frame is not None:
        source.ReferencedFrameNumber = origin.frame
    source.SpatialLocationsPreserved = "YES"
    source.PurposeOfReferenceCodeSequence = [
        code_item("121322", "DCM", "Source image for image processing operation")
    ]
    derivation.SourceImageSequence = [source]
    derivation.DerivationCodeSequence = [code_item(how.value, how.scheme, how.meaning)]
    group.DerivationImageSequence = [derivation]
    if isinstance(picture, Volume):
        position = Dataset()
        place = picture.geometry.affine[:3, 3] + index * picture.geometry.affine[:3, 0]
        position.ImagePositionPatient = [decimal_string(x) for x in place]
        group.PlanePositionSequence = [position]
    return group


def frame_group(on_slice: "Dataset", dimensions: list[int]) -> "Dataset":
    """What one frame says: what all on its slice say, from `slice_group`, and its place in each of the dimensions
    that order the frames, from 1."""
    from pydicom import Dataset

    frame, content = Dataset(), Dataset()
    frame.update(on_slice)  # elements are shared: there may be thousands of frames
    content.DimensionIndexValues = dimensions
    if "PlanePositionSequence" not in on_slice:
        content.FrameLabel = "Frame"
    frame.FrameContentSequence = [content]
    return frame


def reference(origin: Origin) -> "Dataset":
    """One SOP instance by its class and UID."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = origin.class_uid, origin.instance_uid
    return item


def add_references(dataset: "Dataset", picture: Picture, origins: tuple[Origin, ...]) -> None:
    """Every image of the series that was read, once. Viewers look for the series to draw on by this alone."""
    from pydicom import Dataset

    series = Dataset()
    series.ReferencedInstanceSequence = [
        reference(origin) for origin in {one.instance_uid: one for one in origins}.values()
    ]
    series.SeriesInstanceUID = picture.series_uid
    dataset.ReferencedSeriesSequence = [series]


def add_dimensions(dataset: "Dataset", report: Report, what: str, by: tuple[tuple[int, int], ...]) -> None:
    """What orders the frames: `by` holds (group, attribute) in the order of `frame_group`'s dimensions."""
    from pydicom import Dataset
    from pydicom.tag import Tag

    organization = Dataset()
    organization.DimensionOrganizationUID = uid_of(report.uid, what, "dimensions")
    dataset.DimensionOrganizationSequence = [organization]
    items = []
    for group, attribute in by:
        item = Dataset()
        item.DimensionOrganizationUID = organization.DimensionOrganizationUID
        item.DimensionIndexPointer, item.FunctionalGroupPointer = Tag(attribute), Tag(group)
        items.append(item)
    dataset.DimensionIndexSequence = items


def add_content(dataset: "Dataset", header: "Dataset", label: str, description: str) -> None:
    """What the object is called, who made it, that it decides nothing, and whether lossy pixels stood behind it.

    label  capitals and underscores, up to 16 (CS)
    """
    dataset.ContentLabel, dataset.ContentDescription = label, description[:64]
    dataset.ContentCreatorName = "Osler^"  # family and given name: one name alone is a retired form
    dataset.ImageComments = say("page.notice")
    dataset.LossyImageCompression = text(header, "LossyImageCompression") or "00"
    if dataset.LossyImageCompression == "01":
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in header:
                dataset[keyword] = header[keyword]
