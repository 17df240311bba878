"""The formats a report can be written in. To add one: a file beside this, and a row here."""

from collections.abc import Callable
from pathlib import Path

from osler.core.registry import Registry
from osler.core.report import Report
from osler.results.html import write_report_html
from osler.results.json import write_report_json

WRITERS: Registry[Callable[[Report, Path], Path]] = Registry(
    "result format", json=write_report_json, html=write_report_html
)
