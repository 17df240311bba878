"""The formats a report can be written in. To add one: a file beside this, and a row here.

A writer gets the report, the study it speaks of and a folder; it returns the files it wrote there, or raises
CannotHold where the format cannot hold this report (no mask was drawn, the study is not DICOM).
"""

from collections.abc import Callable
from pathlib import Path

from osler.core.registry import Registry
from osler.core.report import Report
from osler.core.study import Study
from osler.results.html import write_report_html
from osler.results.json import write_report_json

Writer = Callable[[Report, Study, Path], tuple[Path, ...]]

WRITERS: Registry[Writer] = Registry("result format", json=write_report_json, html=write_report_html)
