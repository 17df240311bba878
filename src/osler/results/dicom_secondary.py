"""A report's key pictures as DICOM Secondary Captures, for viewers that show nothing else.

They repeat what other results say and measure nothing: never the only result.
Sources: DICOM PS3.3 A.8.1 and C.8.6 (Secondary Capture).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import CannotHold
from osler.core.report import KeyPicture, Report
from osler.core.study import Study
from osler.imaging.lettering import can_draw, font_for, lines_of
from osler.io.dicom.encode import save_dataset
from osler.io.dicom.parse import text
from osler.results.captions import drawn_sentence
from osler.results.dicom_object import begin_object, folder_file, source_header
from osler.results.sentences import say

if TYPE_CHECKING:
    from pydicom import Dataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SERIES_NUMBER = 9201
_LEAST_WIDTH = 240  # pixels, so that the words under a small picture can be read
_MARGIN = 4


def write_secondary_captures(report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
    """Write each key picture as one object, all in one series; the title and the notice that this decides nothing
    are burned in below the picture, whose own pixels stay as they are in the upper left.

    Raises CannotHold when there is no key picture or the study is not DICOM, NoRoom when the disk is full.
    """
    if not report.key_pictures:
        raise CannotHold(
            "The report has no key pictures to capture.", remedy="Ask for sr, json, html, pdf or fhir."
        )
    header = source_header(study)
    paths = []
    for index, picture in enumerate(report.key_pictures):
        path = folder_file(folder, "secondary-capture", index + 1)
        save_dataset(_capture(report, header, picture, index + 1), path)
        paths.append(path)
    return tuple(paths)


def _capture(report: Report, header: "Dataset", picture: KeyPicture, instance: int) -> "Dataset":
    dataset = begin_object(
        header,
        report,
        sop_class=SECONDARY_CAPTURE,
        modality="OT",
        what="key picture",
        number=SERIES_NUMBER,
        instance=instance,
    )
    dataset.ConversionType = "WSD"  # by a workstation
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.BurnedInAnnotation = "YES"
    dataset.PatientOrientation, dataset.Laterality = "", text(header, "Laterality")
    dataset.ImageComments = f"{picture.title}. {say('page.notice')}"
    dataset.DateOfSecondaryCapture, dataset.TimeOfSecondaryCapture = dataset.ContentDate, dataset.ContentTime
    dataset.LossyImageCompression = text(header, "LossyImageCompression") or "00"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if dataset.LossyImageCompression == "01" and keyword in header:
            dataset[keyword] = header[keyword]
    # A title that cannot be drawn stands in Image Comments all the same.
    title = (picture.title,) if can_draw(picture.title) else ()
    pixels = captioned(picture.pixels, (*title, drawn_sentence("page.notice")))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    raw = pixels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB"
    return dataset


def captioned(pixels: Array, sentences: tuple[str, ...]) -> Array:
    """The picture with sentences below it, white on black, broken into lines that fit.

    pixels  (rows, columns, 3) uint8; returned with more rows, and with more columns where it was very narrow
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    font = font_for("".join(sentences), 10)
    rows, columns = pixels.shape[:2]
    width = max(columns, _LEAST_WIDTH)
    lines = [line for one in sentences for line in lines_of(one, width - 2 * _MARGIN, font.getlength)]
    top, bottom = font.getbbox("Ag")[1::2]
    high = int(np.ceil(bottom - min(top, 0))) + 2
    page = Pillow.new("RGB", (width, rows + high * len(lines) + 2 * _MARGIN))
    page.paste(Pillow.fromarray(np.ascontiguousarray(pixels)))
    pen = ImageDraw.Draw(page)
    for n, line in enumerate(lines):
        pen.text((_MARGIN, rows + _MARGIN + n * high), line, fill=(255, 255, 255), font=font)
    return np.asarray(page)
