"""Coded concepts, as DICOM and FHIR spell them (PS3.3 section 8.8)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One concept of one coding scheme.

    value    the code itself, "233604007"
    scheme   who gave it: "SCT" (SNOMED CT), "DCM", "UCUM", "99OSLER" (ours)
    meaning  what a person reads, "Pneumonia"
    """

    value: str
    scheme: str
    meaning: str
