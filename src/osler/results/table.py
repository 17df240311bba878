"""The formats a report can be written in. To add one: a file beside this, and a row here.

A writer gets the report, the study it speaks of and a folder; it returns the files it wrote there, or raises
CannotHold where the format cannot hold this report (no mask was drawn, the study is not DICOM).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from pathlib import Path

from osler.core.errors import CannotHold
from osler.core.registry import Registry
from osler.core.report import Report
from osler.core.study import Study
from osler.results.sentences import language

Writer = Callable[[Report, Study, Path], tuple[Path, ...]]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: who writes it. The module is imported when it is asked for; most readings need two of them.

    module    in `osler.results`
    function  a Writer in it
    told      what else the function is told
    """

    module: str
    function: str
    told: Mapping[str, str | bool] = field(default_factory=dict)

    def writer(self) -> Writer:
        """The function itself, imported."""
        write: Writer = getattr(import_module(f"osler.results.{self.module}"), self.function)
        return partial(write, **self.told) if self.told else write

    def __call__(self, report: Report, study: Study, folder: Path) -> tuple[Path, ...]:
        with language(report.language):
            return self.writer()(report, study, folder)


WRITERS: Registry[Format] = Registry(
    "result format",
    json=Format("json", "write_report_json"),
    html=Format("html", "write_report_html"),
    csv=Format("tabular", "write_csv"),
    fhir=Format("fhir", "write_fhir"),
    pdf=Format("pdf", "write_pdf"),
    seg=Format("dicom_seg", "write_seg"),
    labelmap=Format("dicom_seg", "write_seg", {"kind": "labelmap"}),
    sr=Format("dicom_sr", "write_sr"),
    rtstruct=Format("dicom_rtstruct", "write_rtstruct"),
    pm=Format("dicom_parametric", "write_parametric_maps"),
    ko=Format("dicom_key_objects", "write_key_objects"),
    gsps=Format("dicom_presentation", "write_presentation_states"),
    sc=Format("dicom_secondary", "write_secondary_captures"),
    dicompdf=Format("dicom_pdf", "write_encapsulated_pdf"),
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
    chosen: dict[str, Writer] = {name: write for name, write in WRITERS.items() if name in asked or "all" in asked}
    if identified and "fhir" in chosen:
        chosen["fhir"] = replace(WRITERS["fhir"], told={"identified": True})
    return chosen


def write_results(report: Report, study: Study, folder: Path, writers: Mapping[str, Writer]) -> Written:
    """Write the report into `folder` in each of these formats; one that cannot hold it is told, not raised.

    Raises NoRoom when the disk is full, Unreadable when a DICOM file of the study is gone.
    """
    if "sr" in writers and report.drawings:
        # A structured report points at the segmentation of its reading: without it the pointer leads nowhere.
        writers = {"seg": WRITERS["seg"], **writers}
    files: dict[str, tuple[Path, ...]] = {}
    refused: dict[str, CannotHold] = {}
    for name, write in writers.items():
        try:
            files[name] = write(report, study, folder)
        except CannotHold as error:
            refused[name] = error
    return Written(files, refused)
