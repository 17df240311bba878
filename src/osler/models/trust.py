"""What was learnt on validation cases about how far the answers can be believed."""

from dataclasses import dataclass

from osler.core.arrays import Array


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
                not there, or unsure), "distance" (a number, plus or minus), "ratio" (volumes, by a factor)
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
    note      what is to be said of it, "" for nothing
    """

    risks: tuple[float, ...]
    outer: tuple[tuple[float | None, ...], ...]
    inner: tuple[tuple[float | None, ...], ...]
    patients: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """Numbers fitted on validation predictions only, applied at every reading.

    temperatures     the answered probabilities are tempered by it: one for all, or one a label of "multilabel"
    operating_point  a binary finding is called present from this probability on
    flips            spatial axes (of the tensor, 0 = first) whose mirror images are averaged; () where
                     validation showed no gain
    feature_limit    distance in the model's FeatureSpace beyond which a picture is unlike all that was seen; None
                     where that is not known
    calibration      of the answered probabilities
    sets             of the answered class, grade, labels or number
    volumes          of measured volumes, a column a label
    bounds           of outlined labels
    prevalence       share of each class among the training cases, () for numbers and masks
    """

    temperatures: tuple[float, ...] = (1.0,)
    operating_point: float = 0.5
    flips: tuple[int, ...] = ()
    feature_limit: float | None = None
    calibration: Calibration = Calibration()
    sets: Conformal | None = None
    volumes: Conformal | None = None
    bounds: MaskBounds | None = None
    prevalence: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSpace:
    """Where the net's pooled features of training pictures lie; stored in features.safetensors.

    mean       (n,) of the features
    whitening  (n, n): whitening @ (features - mean) has unit deviations and no correlations on such pictures
    """

    mean: Array
    whitening: Array
