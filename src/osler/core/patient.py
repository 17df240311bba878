"""What is known of a patient beside the images."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of a patient beside the images, without a name. None and absent mean: not known.

    sex        "F", "M", "O" or ""
    age_years  at the time of the study
    known      everything else by name: {"smoker": True, "crp_mg_l": 81.0, "history": "lung cancer"}
    """

    sex: str = ""
    age_years: float | None = None
    weight_kg: float | None = None
    height_m: float | None = None
    known: Mapping[str, float | bool | str] = field(default_factory=dict)
