"""The formats a report can be written in. To add one: a file beside this, and a row here.

A writer gets the report, the study it speaks of and a folder; it returns the files it wrote there, or raises
CannotHold where the format cannot hold this report (no mask was drawn, the study is not DICOM).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from osler.core.errors import CannotHold
from osler.core.registry import Registry
from osler.core.report import Report
from osler.core.study import Study
from osler.results.dicom_key_objects import write_key_objects
from osler.results.dicom_parametric import write_parametric_maps
from osler.results.dicom_pdf import write_encapsulated_pdf
from osler.results.dicom_presentation import write_presentation_states
from osler.results.dicom_rtstruct import write_rtstruct
from osler.results.dicom_secondary import write_secondary_captures
from osler.results.dicom_seg import write_seg
from osler.results.dicom_sr import write_sr
from osler.results.fhir import write_fhir
from osler.results.html import write_report_html
from osler.results.json import write_report_json
from osler.results.pdf import write_pdf
from osler.results.tabular import write_csv

Writer = Callable[[Report, Study, Path], tuple[Path, ...]]

WRITERS: Registry[Writer] = Registry(
    "result format",
    json=write_report_json,
    html=write_report_html,
    csv=write_csv,
    fhir=write_fhir,
    pdf=write_pdf,
    seg=write_seg,
    labelmap=partial(write_seg, kind="labelmap"),
    sr=write_sr,
    rtstruct=write_rtstruct,
    pm=write_parametric_maps,
    ko=write_key_objects,
    gsps=write_presentation_states,
    sc=write_secondary_captures,
    dicompdf=write_encapsulated_pdf,
)
USUAL = "json,html"  # what is written when nobody says what


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a report: the files of each format, and why a format could not hold it."""

    files: dict[str, tuple[Path, ...]]
    refused: dict[str, CannotHold]


def writers_named(names: str, *, identified: bool = False) -> dict[str, Writer]:
    """The writers of a list with commas, each once, in the order of the table; "all" means every one.

    identified  FHIR names the patient by the number of the DICOM header; see `osler.results.fhir`. The DICOM
                formats always do, as they lie in the patient's study; the others never.

    Raises UnknownChoice for a name that is not in the table.

    >>> list(writers_named("html, json,html"))
    ['json', 'html']
    """
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name != "all":
            WRITERS[name]
    chosen = {name: write for name, write in WRITERS.items() if name in asked or "all" in asked}
    if identified and "fhir" in chosen:
        chosen["fhir"] = partial(write_fhir, identified=True)
    return chosen


def write_results(report: Report, study: Study, folder: Path, writers: Mapping[str, Writer]) -> Written:
    """Write the report into `folder` in each of these formats; one that cannot hold it is told, not raised.

    Raises NoRoom when the disk is full, Unreadable when a DICOM file of the study is gone.
    """
    if "sr" in writers and report.drawings:
        # A structured report points at the segmentation of its reading: without it the pointer leads nowhere.
        writers = {"seg": write_seg, **writers}
    files: dict[str, tuple[Path, ...]] = {}
    refused: dict[str, CannotHold] = {}
    for name, write in writers.items():
        try:
            files[name] = write(report, study, folder)
        except CannotHold as error:
            refused[name] = error
    return Written(files, refused)
