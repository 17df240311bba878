"""What a model answers, before anybody makes a report of it."""

from dataclasses import dataclass

from osler.core.arrays import Array
from osler.core.mask import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One model's answer on one case.

    task           the task's name: "binary", "multiclass", "multilabel", "ordinal", "regression", "segmentation"
    classes        what each probability means; for segmentation the labels, background left out
    probabilities  (classes,) for classification and grades; for "binary" both classes are given
    value          the number of a regression, the expected grade of an ordinal answer
    mask           the labels of a segmentation, on the grid of the picture that came in
    mask_probability  (classes,) mean probability inside each label's mask, how sure the net is of what it drew
    voxel_probability  (classes, *shape of the mask) float16: how likely each voxel is each label
    disagreement   how far the members of an ensemble are apart: mutual information of their classes in nats
                   (Depeweg et al. 2018), the deviation of their numbers; None for one member
    features       (n,) pooled features of the net, for the out-of-distribution gate; None where there are none
    seconds        time in the net and its preparation
    """

    task: str
    classes: tuple[str, ...]
    probabilities: Array | None = None
    value: float | None = None
    mask: Mask | None = None
    mask_probability: Array | None = None
    voxel_probability: Array | None = None
    disagreement: float | None = None
    features: Array | None = None
    seconds: float = 0.0
