"""What was learnt on validation cases about how far the answers can be believed."""

from dataclasses import dataclass

from osler.core.arrays import Array


@dataclass(frozen=True, slots=True)
class Trust:
    """Numbers fitted on validation predictions only, applied at every reading.

    temperatures     the answered probabilities are tempered by it: one for all, or one a label of "multilabel"
    operating_point  a binary finding is called present from this probability on
    flips            spatial axes (of the tensor, 0 = first) whose mirror images are averaged; () where
                     validation showed no gain
    feature_limit    distance in the model's FeatureSpace beyond which a picture is unlike all that was seen; None
                     where that is not known
    """

    temperatures: tuple[float, ...] = (1.0,)
    operating_point: float = 0.5
    flips: tuple[int, ...] = ()
    feature_limit: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSpace:
    """Where the net's pooled features of training pictures lie; stored in features.safetensors.

    mean       (n,) of the features
    whitening  (n, n): whitening @ (features - mean) has unit deviations and no correlations on such pictures
    """

    mean: Array
    whitening: Array
