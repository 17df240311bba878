"""What the pictures a model learnt from look like, so that others can be told from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osler.core.arrays import Array


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measure of how unlike a picture is, and what is usual; `inference/gate.py` measures it.

    name       "net", "neighbours", "look", "grey values", "upside down", "inverted", ...
    mean, deviation  of the measure on validation pictures; a picture's score is (measure - mean) / deviation
    """

    name: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Span:
    """The range of one plain fact among the training and validation pictures.

    name       "rows", "columns", "slices", "bits", "mm between slices", ...; the rules of `inference/gate.py`
    low, high  least and largest seen
    cases      pictures whose file told the fact
    """

    name: str
    low: float
    high: float
    cases: int


@dataclass(frozen=True, slots=True)
class Gate:
    """When a picture is unlike all that a model has seen; fitted on validation cases, stored in trust.json.

    false_alarm  the promised share of pictures like the training ones that are called unlike
    scores       of validation pictures, one a patient, smallest first: with n of them, a picture with the score s
                 has the conformal p-value (1 + number of scores >= s) / (n + 1)
    evidence     the measures; the largest of their scores is the picture's
    spans        per channel of the recipe, the range of plain facts
    patients     whose pictures the scores come from, n
    notices      share of validation pictures called unlike when they are turned or spoilt: "upside down" -> 0.98
    note         what is to be said of it, "" for nothing
    """

    false_alarm: float
    scores: tuple[float, ...]
    evidence: tuple[Evidence, ...]
    spans: tuple[tuple[Span, ...], ...] = ()
    patients: int = 0
    notices: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSpace:
    """Where the net's pooled features of training pictures lie; stored in features.safetensors.

    mean       (n,) of the features
    whitening  (n, n): whitening @ (features - mean) has unit deviations and no correlations on such pictures
    features   (cases, n) of training pictures, for the nearest of them; stored as float16
    labels     (cases,) their classes or grades, (cases, labels) for "multilabel", numbers for "regression"; None
               for masks
    """

    mean: Array
    whitening: Array
    features: Array
    labels: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PlainLook:
    """What prepared training pictures look like without any net; stored in features.safetensors.

    mean       (n,) of their descriptors, `inference/look.py`
    whitening  (n, n) as of FeatureSpace
    quantiles  (channels, 33) the mean quantile function of the numbers of a picture as it came
    turns      how a picture may stand wrong, ("upside down", "inverted"): only those that can be told here
    towards    (turns, n): descriptor @ towards grows as the picture looks more like one that stands wrong so
    """

    mean: Array
    whitening: Array
    quantiles: Array
    turns: tuple[str, ...]
    towards: Array
