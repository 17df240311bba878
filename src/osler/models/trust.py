"""What was learnt on validation cases about how far the answers can be believed."""

from dataclasses import dataclass

from osler.models.likeness import Gate


@dataclass(frozen=True, slots=True)
class Calibration:
    """How answered probabilities become believable ones; `inference/calibrated.py` applies it.

    how       "none", "temperature", "vector", "beta" or "isotonic"
    numbers   one row for exclusive classes, grades and masks, one row a label for "multilabel"; what a row holds
              depends on `how`
    cases, patients  it was fitted on
    nll, ece  (before, after) on cases it was not fitted on, out of fold; () where there were too few
    note      why this one, in a sentence
    """

    how: str = "none"
    numbers: tuple[tuple[float, ...], ...] = ()
    cases: int = 0
    patients: int = 0
    nll: tuple[float, ...] = ()
    ece: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Conformal:
    """Thresholds with which sets and intervals hold the truth as often as promised; `inference/conformal.py`.

    how         "lac", "aps", "raps" (sets of classes), "grades" (neighbouring grades), "labels" (each label there,
                not there, or unsure), "distance" (a number, plus or minus), "doubt" and "share" (volumes, plus
                or minus so many times the voxels in doubt, or such a share of the mask)
    levels      the promised coverage, (0.8, 0.9, 0.95)
    thresholds  one row a level: one number for all, or one a class or label; None where so few cases promise
                nothing finite, so that everything is in the set
    penalty, rank  of RAPS
    cases, patients  it was fitted on; the patient is the unit
    note        what is to be said of it, "" for nothing
    """

    how: str
    levels: tuple[float, ...]
    thresholds: tuple[tuple[float | None, ...], ...]
    penalty: float = 0.0
    rank: int = 0
    cases: int = 0
    patients: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class MaskBounds:
    """Voxel probabilities that hold a label in, or keep others out, with a promised risk; `inference/bounds.py`.

    risks     the promised shares, (0.05, 0.1, 0.2)
    outer     one row a risk, one number a label: voxels at least as probable miss, in the expected patient, at
              most that share of the label; None where so few patients promise nothing: then the whole picture
    inner     the same for an inner mask: at most that share of it lies outside the label; None: nothing is sure
    patients  it was fitted on
    holding   how many of these have each label: the outer masks were fitted on them alone
    note      what is to be said of it, "" for nothing
    """

    risks: tuple[float, ...]
    outer: tuple[tuple[float | None, ...], ...]
    inner: tuple[tuple[float | None, ...], ...]
    patients: int = 0
    holding: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """Numbers fitted on validation predictions only, applied at every reading.

    operating_point  a binary finding is called present from this probability on
    flips            spatial axes (of the tensor, 0 = first) whose mirror images are averaged; () where
                     validation showed no gain
    gate             when a picture is unlike all that was seen; None where that is not known
    calibration      of the answered probabilities
    sets             of the answered class, grade, labels or number
    volumes          of measured volumes, a column a label
    bounds           of outlined labels
    prevalence       share of each class (or label) that the answered probabilities take for granted; () for
                     numbers and masks
    site             the same where the model reads now (`osler read --prevalence`), () where that is not said
    """

    operating_point: float = 0.5
    flips: tuple[int, ...] = ()
    gate: Gate | None = None
    calibration: Calibration = Calibration()
    sets: Conformal | None = None
    volumes: Conformal | None = None
    bounds: MaskBounds | None = None
    prevalence: tuple[float, ...] = ()
    site: tuple[float, ...] = ()
