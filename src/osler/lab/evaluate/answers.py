"""What a model said on a set of cases, beside the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadDataset

CaseScore = Mapping[str, Mapping[str, float]]  # label -> metric -> number, as `segmentation.score_case` gives it

CLASSIFICATION = ("binary", "multiclass", "multilabel", "ordinal")
TASKS = (*CLASSIFICATION, "regression", "segmentation")


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a model said on a set of cases, beside the truth. Cases keep one order in all fields.

    task           "binary", "multiclass", "multilabel", "ordinal", "regression" or "segmentation"
    classes        what each probability means; segmentation: the labels without background; () for regression
    ids, patients  one a case; patients are the unit of the intervals
    probabilities  (cases, classes) for classification and grades; "binary" has both classes
    values         (cases,) the numbers of a regression
    truth          (cases,) class numbers, grades or numbers; (cases, classes) of 0 and 1 for "multilabel"
    masks          segmentation: what `score_case` said of each case, so that masks need not be kept

    Raises BadDataset when the lengths do not fit, and AskedWrongly for a task that has no metrics.
    """

    task: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    patients: tuple[str, ...]
    probabilities: Array | None = None
    values: Array | None = None
    truth: Array | None = None
    masks: tuple[CaseScore, ...] = ()

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise AskedWrongly(
                f"There are no metrics for the task '{self.task}'.", remedy=f"Choose one of: {', '.join(TASKS)}."
            )
        if not self.ids:
            raise BadDataset(
                "There are no cases to score.", remedy="Choose a split that holds labelled cases, or label some."
            )
        cases, classes = len(self.ids), len(self.classes)
        shapes = {
            "patients": (np.shape(self.patients), (cases,)),
            "probabilities": (np.shape(self._needed("probabilities")), (cases, classes)),
            "values": (np.shape(self._needed("values")), (cases,)),
            "truth": (
                np.shape(self._needed("truth")),
                (cases, classes) if self.task == "multilabel" else (cases,),
            ),
            "masks": ((len(self.masks),), (cases,)),
        }
        for field in _FIELDS[self.task]:
            found, expected = shapes[field]
            if found != expected:
                raise BadDataset(
                    f"The answers' {field} have the shape {found}, where {expected} is needed.",
                    remedy="Give one row a case, in the order of the ids.",
                )
        for field in {"probabilities", "values", "truth"} & set(_FIELDS[self.task]):
            if not np.isfinite(np.asarray(getattr(self, field), float)).all():
                raise BadDataset(
                    f"The answers' {field} hold NaN or infinite numbers.",
                    remedy="Leave out the cases without a label; a model that answers NaN must be trained again.",
                )
        if self.task in CLASSIFICATION:
            most = 1 if self.task == "multilabel" else classes - 1
            wrong = np.setdiff1d(self._needed("truth"), np.arange(most + 1))
            if len(wrong):
                raise BadDataset(
                    f"The true labels hold {wrong[0]:g}, which is none of 0 to {most}.",
                    remedy="Give the labels as class numbers in the order of the classes.",
                )

    def _needed(self, field: str) -> Array:
        value = getattr(self, field)
        return np.empty(0) if value is None else np.asarray(value)

    @property
    def chances(self) -> Array:
        """The probabilities as float64 (cases, classes)."""
        return self._needed("probabilities").astype(np.float64)

    @property
    def labels(self) -> Array:
        """The truth as integers: class numbers (cases,), or 0 and 1 (cases, classes)."""
        return self._needed("truth").astype(np.int64)

    @property
    def indicators(self) -> Array:
        """The truth as 0.0 and 1.0, (cases, classes)."""
        if self.task == "multilabel":
            return self.labels.astype(np.float64)
        hot: Array = self.labels[:, None] == np.arange(len(self.classes))
        return hot.astype(np.float64)


_FIELDS = {
    "binary": ("patients", "probabilities", "truth"),
    "multiclass": ("patients", "probabilities", "truth"),
    "multilabel": ("patients", "probabilities", "truth"),
    "ordinal": ("patients", "probabilities", "truth"),
    "regression": ("patients", "values", "truth"),
    "segmentation": ("patients", "masks"),
}
