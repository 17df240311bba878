"""What was learnt on validation cases about how far the answers can be believed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """Numbers fitted on validation predictions only, applied at every reading.

    temperatures     the answered probabilities are tempered by it: one for all, or one a label of "multilabel"
    operating_point  a binary finding is called present from this probability on
    flips            spatial axes (of the tensor, 0 = first) whose mirror images are averaged; () where
                     validation showed no gain
    feature_mean, feature_scale  (n,) mean and deviation of the net's pooled features on validation cases
    feature_limit    distance beyond which a picture is unlike all that was seen; None: not known
    """

    temperatures: tuple[float, ...] = (1.0,)
    operating_point: float = 0.5
    flips: tuple[int, ...] = ()
    feature_mean: tuple[float, ...] = ()
    feature_scale: tuple[float, ...] = ()
    feature_limit: float | None = None
