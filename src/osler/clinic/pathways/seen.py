"""Everything that a clinical use draws its conclusions from."""

from dataclasses import dataclass, field

from osler.core.arrays import Array
from osler.core.finding import Finding
from osler.core.patient import Patient
from osler.core.report import Drawing
from osler.core.study import Study


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """An earlier study of the same patient, read by the same rules.

    days  between it and the study that is read now, at least 0; None where the files do not say
    onto  (4, 4) from places in the study that is read now to places in this one, LPS mm; None where both share a
          frame of reference, or nothing was followed
    """

    study: Study
    findings: tuple[Finding, ...]
    drawings: tuple[Drawing, ...]
    days: int | None = None
    onto: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Everything that a clinical use draws its conclusions from.

    findings  what the model, or the outlines that were given, said
    patient   what is known beside the images: the header's word, and what came with the request
    earlier   the earliest study first; () where none was given
    """

    study: Study
    findings: tuple[Finding, ...]
    drawings: tuple[Drawing, ...] = ()
    patient: Patient = field(default_factory=Patient)
    earlier: tuple[Earlier, ...] = ()


def same_lesion(earlier: Earlier, finding: Finding) -> Finding | None:
    """The finding of the earlier study that is the same lesion by its name, where it was there."""
    return next((was for was in earlier.findings if was.lesion == finding.lesion and was.present), None)
