"""What comes with a request beside the study: outlines, earlier studies, and what is known of the patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from osler.core.study import Study

Told = Mapping[str, float | bool | str]


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """An earlier study, and the outlines that somebody drew on it; () lets the same model read it."""

    study: Study
    outlines: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """What comes with a request beside the study.

    outlines  files of a person or another program: RTSTRUCT, DICOM SEG, or a mask; no model is asked then
    earlier   studies of the same patient, in any order
    patient   by name and with units in the names: {"age_years": 61, "sex": "F", "weight_kg": 70, "smoker": True}
    """

    outlines: tuple[Path, ...] = ()
    earlier: tuple[Prior, ...] = ()
    patient: Told = field(default_factory=dict)
