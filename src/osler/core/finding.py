"""One thing said about a patient's picture."""

from dataclasses import dataclass

from osler.core.codes import Code
from osler.core.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Measurement:
    """A named quantity: "Volume" 3.1 ml."""

    name: str
    quantity: Quantity
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing said about a patient's picture.

    name          "Pneumonia", "Hippocampus, anterior", "Diabetic retinopathy grade"
    statement     the sentence a person reads, made from the other fields
    probability   of the finding being there, None where the finding is a measurement
    present       True: said to be there; False: said not to be there; None: a grade or a measurement
    grade         "2", for ordinal findings
    measurements  volumes, diameters
    picture       index of the study's picture it was found on
    distribution  class -> probability, in the order of the classes
    among         classes or grades that cannot be excluded: the truth is one of them with the promised `coverage`
    coverage      .9 where `among` or an interval of a measurement carries a promise, None where there is none
    label         which label of the mask on that picture it speaks of, None where nothing was drawn
    lesion        what a lesion is called across studies: "L1"; "" where it is none, or is not followed
    site          where in the body: "liver", "left lower lobe"; "" where that is not known
    centre_mm     its centre of mass (x, y, z), LPS; None where nothing was drawn in space
    """

    name: str
    statement: str
    code: Code | None = None
    probability: float | None = None
    present: bool | None = None
    grade: str = ""
    measurements: tuple[Measurement, ...] = ()
    picture: int = 0
    distribution: tuple[tuple[str, float], ...] = ()
    among: tuple[str, ...] = ()
    coverage: float | None = None
    label: int | None = None
    lesion: str = ""
    site: str = ""
    centre_mm: tuple[float, float, float] | None = None
