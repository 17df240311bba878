"""Numbers in place, as a DICOM Parametric Map: how likely each voxel is what was outlined, or any other quantity.

Sources: DICOM PS3.3 A.75 and C.8.32 (Parametric Map), C.7.6.16.2.11 (Real World Value Mapping).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import BadGeometry, BadPixels, CannotHold
from osler.core.report import Drawing, Report
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.io.dicom.concepts import FINDING, PROBABILITY, ucum
from osler.io.dicom.encode import decimal_string, save_dataset
from osler.io.dicom.parse import text
from osler.results.dicom_frames import (
    POSITION,
    SEGMENTED,
    add_content,
    add_dimensions,
    add_place,
    add_references,
    frame_group,
    slice_group,
    slice_origins,
)
from osler.results.dicom_object import begin_object, code_item, folder_file, source_header

if TYPE_CHECKING:
    from pydicom import Dataset

PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
SERIES_NUMBER = 9101
_QUANTITY = Code("246205007", "SCT", "Quantity")
_UNLIKELY = 0.01  # beyond the slices where a voxel reaches this, a probability map says nothing


def write_parametric_maps(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write how likely each voxel is what was outlined: one object for each label, one series for each drawing.

    The slices before the first and after the last one with a probability of at least 0.01 are left out.

    Raises CannotHold when the model gives no probabilities, on flat pictures (a parametric map must lie somewhere
    in the patient) and when the study is not DICOM; BadGeometry when they do not lie on its grid; NoRoom.
    """
    made, flat = [], False
    for index, drawing in enumerate(report.drawings):
        if drawing.probability is None:
            continue
        if not isinstance(study.pictures[drawing.picture], Volume):
            flat = True
            continue
        header = source_header(study, drawing.picture)
        for n in range(len(drawing.mask.labels)):
            one = _of_label(report, study, drawing, n, header, series=index + 1, instance=n + 1)
            made += [one] if one is not None else []
    if not made:
        problem = "The model does not say how likely each voxel is."
        if flat:
            problem = "A parametric map must lie somewhere in the patient, and a flat picture does not say where."
        raise CannotHold(problem, remedy="Ask for seg, sr, json, html or pdf.")
    paths = tuple(folder_file(folder, "parametric-map", n + 1) for n in range(len(made)))
    for dataset, path in zip(made, paths, strict=True):
        save_dataset(dataset, path)
    return paths


def parametric_object(
    report: Report,
    name: str,
    picture: Picture,
    values: Array,
    *,
    header: "Dataset",
    quantity: Code,
    unit: str,
    of: str,
    finding: Code | None = None,
    how: Code = SEGMENTED,
    slices: range | None = None,
    series: int = 1,
    instance: int = 1,
) -> "Dataset":
    """A parametric map of any quantity on the grid of a volume; stored as float32.

    name      of the study, for messages
    values    (slices, rows, columns), finite
    header    of one of the picture's files
    quantity, unit  what the numbers are, in the house's or UCUM's spelling: "1", "mm2/s"
    of        what they speak of, for a person: "Liver"; `finding` is its code
    how       by what kind of derivation the images became these numbers (PS3.16 CID 7203)
    slices    which to write, one after the other; all by default
    series, instance  maps of one report differ in them

    Raises CannotHold for a flat picture or one that is not DICOM, BadGeometry for values of another shape,
    BadPixels for NaN and infinity.
    """
    if not isinstance(picture, Volume):
        raise CannotHold(
            "A parametric map must lie somewhere in the patient, and a flat picture does not say where.",
            remedy="Ask for seg, json, html or pdf.",
        )
    if values.shape != picture.array.shape:
        raise BadGeometry(
            f"The map {values.shape} does not lie on the grid of {name} {picture.array.shape}.",
            remedy="Bring it onto the picture's grid.",
        )
    used = slices if slices is not None else range(len(values))
    pixels = np.ascontiguousarray(values[used.start : used.stop], "<f4")
    if not np.isfinite(pixels).all():
        raise BadPixels("The map holds NaN or infinity.", remedy="Say what they stand for by numbers.")
    origins = slice_origins(picture, name)
    what = f"parametric map {series}"
    dataset = begin_object(
        header,
        report,
        sop_class=PARAMETRIC_MAP,
        modality=text(header, "Modality"),
        what=what,
        number=SERIES_NUMBER + series - 1,
        instance=instance,
    )
    frame_type = ["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"]
    dataset.ImageType, dataset.PixelPresentation = frame_type, "MONOCHROME"
    add_content(dataset, header, "PARAMETRIC_MAP", f"{quantity.meaning}: {of}")
    dataset.Laterality = text(header, "Laterality")
    dataset.ContentQualification = "RESEARCH"
    dataset.BurnedInAnnotation, dataset.RecognizableVisualFeatures = "NO", "NO"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    add_references(dataset, picture, origins)
    add_place(dataset, picture, header)
    _add_meaning(dataset, pixels, frame_type, (quantity, unit, of), finding)
    add_dimensions(dataset, report, f"{what} {instance}", (POSITION,))
    dataset.PerFrameFunctionalGroupsSequence = [
        frame_group(slice_group(picture, index, origins[index], how), [n + 1]) for n, index in enumerate(used)
    ]
    dataset.NumberOfFrames = len(pixels)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[1:]
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = pixels.tobytes()
    return dataset


def _of_label(
    report: Report, study: Study, drawing: Drawing, number: int, header: "Dataset", *, series: int, instance: int
) -> "Dataset | None":
    """The map of the label with this index; None where it is unlikely everywhere."""
    if drawing.probability is None:
        return None
    values = drawing.probability[number]
    likely = np.flatnonzero((values >= _UNLIKELY).any(axis=tuple(range(1, values.ndim))))
    if not likely.size:
        return None
    label = list(drawing.mask.labels)[number]
    found = next((f for f in report.findings if (f.picture, f.label) == (drawing.picture, label)), None)
    return parametric_object(
        report,
        study.name,
        study.pictures[drawing.picture],
        values,
        header=header,
        quantity=PROBABILITY,
        unit="1",
        of=found.name if found else drawing.mask.labels[label],
        finding=found.code if found else None,
        slices=range(int(likely[0]), int(likely[-1]) + 1),
        series=series,
        instance=instance,
    )


def _add_meaning(
    dataset: "Dataset",
    pixels: Array,
    frame_type: list[str],
    meaning: tuple[Code, str, str],
    finding: Code | None,
) -> None:
    """What the numbers mean, in the groups that all frames share: they are the quantity itself, unscaled."""
    from pydicom import Dataset

    quantity, unit, of = meaning
    shared = dataset.SharedFunctionalGroupsSequence[0]
    identity, window, kind, mapping = Dataset(), Dataset(), Dataset(), Dataset()
    identity.RescaleIntercept, identity.RescaleSlope, identity.RescaleType = "0", "1", "US"
    low, high = float(pixels.min()), float(pixels.max())
    window.WindowCenter = decimal_string((low + high) / 2)
    window.WindowWidth = decimal_string(max(high - low, 1e-6))
    window.VOILUTFunction = "LINEAR_EXACT"  # the usual one cannot be narrower than 1
    kind.FrameType = frame_type
    measured = ucum(unit)
    mapping.LUTExplanation, mapping.LUTLabel = f"{quantity.meaning}: {of}"[:64], quantity.meaning[:16]
    mapping.MeasurementUnitsCodeSequence = [code_item(measured.value, measured.scheme, measured.meaning)]
    mapping.DoubleFloatRealWorldValueFirstValueMapped = low
    mapping.DoubleFloatRealWorldValueLastValueMapped = high
    mapping.RealWorldValueIntercept, mapping.RealWorldValueSlope = 0.0, 1.0
    mapping.QuantityDefinitionSequence = [_said(_QUANTITY, quantity)]
    if finding is not None:
        mapping.QuantityDefinitionSequence.append(_said(FINDING, finding))
    shared.PixelValueTransformationSequence, shared.FrameVOILUTSequence = [identity], [window]
    shared.ParametricMapFrameTypeSequence, shared.RealWorldValueMappingSequence = [kind], [mapping]


def _said(concept: Code, value: Code) -> "Dataset":
    """One coded statement: of this concept, that."""
    from pydicom import Dataset

    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = [code_item(concept.value, concept.scheme, concept.meaning)]
    item.ConceptCodeSequence = [code_item(value.value, value.scheme, value.meaning)]
    return item
