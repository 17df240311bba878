"""How sure the net is of what it drew."""

from osler.core.finding import Measurement
from osler.core.prediction import Prediction
from osler.core.quantity import Quantity
from osler.results.sentences import say


def mean_probability(prediction: Prediction, label: int) -> Measurement | None:
    """The mean probability inside the outline of `label`; None where the net does not give it."""
    if prediction.mask_probability is None:
        return None
    return Measurement(say("measure.probability"), Quantity(float(prediction.mask_probability[label - 1]), "1"))
