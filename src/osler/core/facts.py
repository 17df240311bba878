"""What a header says about a picture, without anybody's name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts from a header. An empty text or None means: the header does not say.

    modality     DICOM spelling: "CT", "MR", "PT", "CR", "DX", "XC", ...
    body_part    upper case, as in the header: "CHEST", "EXTREMITY", ...
    view         "PA", "AP", "LATERAL", ...
    sex          "F", "M", "O"
    age_years    at the time of the study
    weight_kg, height_m  at the time of the study
    description  what the device called the study or series, lower case; never shown to strangers
    """

    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    sex: str = ""
    age_years: float | None = None
    manufacturer: str = ""
    device: str = ""
    description: str = ""
    bits_stored: int | None = None
    weight_kg: float | None = None
    height_m: float | None = None
