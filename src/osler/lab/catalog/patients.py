"""Who a picture belongs to, read from file names where they say it."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import Unreadable
from osler.io.dicom.parse import is_dicom, read_header, text

ALONE = "Every picture counts as a patient of its own: nothing says which belong together."


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of writing the patient into a file name.

    says    how a note calls it
    fits    the whole stem; group "patient" is the patient
    strong  the name itself says "patient", so it holds for the files that fit even where others do not
    """

    says: str
    fits: re.Pattern[str]
    strong: bool


SCHEMES = (
    Scheme(
        "a person, patient or subject number at the start of the file name",
        re.compile(
            r"(?P<patient>(?:person|patient|subject|subj|sub|pat|participant|case)[-_ ]?[0-9]+)(?:[^0-9].*)?", re.I
        ),
        True,
    ),
    Scheme(
        "the examination number after 'IM-' in the file name",
        re.compile(r"(?P<patient>(?:[A-Za-z]+[0-9]*-)?IM-[0-9]+)-[0-9]+.*"),
        True,
    ),
    Scheme(
        "the number before a left or right mark at the end of the file name",
        re.compile(r"(?P<patient>.*[0-9])[-_ ]?(?:L|R|[Ll]eft|[Rr]ight|LEFT|RIGHT|O[DS]|[LR]T)"),
        False,
    ),
    Scheme(
        "the number at the start of the file name",
        re.compile(r"(?P<patient>[0-9]{3,})[-_ ].+"),
        False,
    ),
    Scheme(
        "the file name without the slice, view or frame number at its end",
        re.compile(
            r"(?P<patient>.*[0-9].*?)[-_ ](?:slice|view|frame|tile|patch|img|image|visit|scan|[sztv])[-_ ]?[0-9]+",
            re.I,
        ),
        False,
    ),
)

_NEARLY_ALL = 0.9


def patients_of(stems: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """A patient for each file stem, and a sentence for each thing inferred.

    A scheme is believed where it makes repeats (several files of one patient); a weak one only when it fits
    nearly all files that no strong one fits. A file that no believed scheme fits is its own patient.

    >>> patients_of(["person1_virus_6", "person1_virus_7", "person2_virus_1", "scan"])[0]
    ['person1', 'person1', 'person2', 'scan']
    """
    patients: list[str] = list(stems)
    notes: list[str] = []
    open_rows = list(range(len(stems)))
    for scheme in SCHEMES:
        fits = {row: match["patient"] for row in open_rows if (match := scheme.fits.fullmatch(stems[row]))}
        if not fits or (not scheme.strong and len(fits) < _NEARLY_ALL * len(open_rows)):
            continue
        if not _believable(list(fits.values()), strong=scheme.strong):
            continue
        for row, patient in fits.items():
            patients[row] = patient
        open_rows = [row for row in open_rows if row not in fits]
        count = len(set(fits.values()))
        notes.append(f"Patients were inferred from {scheme.says}: {len(fits)} pictures of {count} patients.")
    if notes and open_rows:
        notes.append(f"{len(open_rows)} pictures with other names count as patients of their own.")
    return patients, tuple(notes) or (ALONE,)


def patients_in_headers(pictures: Sequence[Path]) -> list[str] | None:
    """A pseudonym of the Patient ID in each DICOM header, or None when a picture is no DICOM or does not say.

    pictures  files, or folders of one series each
    """
    found = []
    for path in pictures:
        file = (
            next((inside for inside in sorted(path.iterdir()) if is_dicom(inside)), path)
            if path.is_dir()
            else path
        )
        if not is_dicom(file):
            return None
        try:
            number = text(read_header(file), "PatientID")
        except Unreadable:
            return None
        if not number:
            return None
        found.append("patient " + hashlib.sha256(number.encode()).hexdigest()[:12])
    return found


def _believable(patients: list[str], *, strong: bool) -> bool:
    """Repeats, but not all in one heap; where the name does not say "patient", not in a few heaps either."""
    counts = Counter(patients)
    if strong:
        return 2 <= len(counts) < len(patients)
    return 3 <= len(counts) < len(patients) and max(counts.values()) <= max(0.25 * len(patients), 20)
