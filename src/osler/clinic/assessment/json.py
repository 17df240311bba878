"""A severity statement as JSON, documented in docs/reference/assessment.md."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from osler.clinic.assessment.sheet import objection_line
from osler.clinic.assessment.statement import SeverityStatement
from osler.io.files import write_json
from osler.io.raster import write_image
from osler.results.pictures import picture_name
from osler.results.sentences import say

STATEMENT_VERSION = 1
STATEMENT_FILE = "statement.json"


def statement_to_json(statement: SeverityStatement) -> dict[str, Any]:
    """The statement as values that JSON can hold; pictures by the names of their files."""
    files = [picture_name(index) for index in range(len(statement.pictures))]
    plain: dict[str, Any] = {
        "statement_version": STATEMENT_VERSION,
        "notice": f"{say('assess.notice')} {say('page.notice')}",
        "uid": statement.uid,
        "request": asdict(statement.request),
        "objection": objection_line(statement),
        "subject": asdict(statement.subject),
        "items": [asdict(item) for item in statement.items],
        "findings": [asdict(finding) for finding in statement.findings],
        "conclusions": [asdict(conclusion) for conclusion in statement.conclusions],
        "earlier": statement.earlier,
        "changes": [asdict(change) for change in statement.changes],
        "quality": {
            "passed": statement.passed,
            "likeness": [asdict(one) for one in statement.likeness],
            "cautions": [asdict(caution) for caution in statement.cautions],
        },
        "pictures": [
            {"title": picture.title, "file": file} for picture, file in zip(statement.pictures, files, strict=True)
        ],
        "reasons": [
            {
                "way": one.way,
                "about": one.about,
                "statement": one.statement,
                "files": [files[n] for n in one.pictures],
            }
            for one in statement.reasons
        ],
        "models": [asdict(model) for model in statement.models],
        "evidence_sha256": statement.evidence,
        "pathway": statement.pathway,
        "modality": statement.modality,
        "software": statement.software,
        "created": statement.created,
    }
    finite: dict[str, Any] = _finite(plain)
    return finite


def write_statement_json(statement: SeverityStatement, folder: Path) -> Path:
    """Write statement.json and its pictures into `folder`. Raises NoRoom when the disk is full."""
    for index, picture in enumerate(statement.pictures):
        write_image(picture.pixels, folder / picture_name(index))
    write_json(folder / STATEMENT_FILE, statement_to_json(statement))
    return folder / STATEMENT_FILE


def _finite(value: Any) -> Any:
    """Plain values; numbers that are none become null, numpy's become Python's."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
