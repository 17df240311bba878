"""How unlike the two sides of one patient are."""

import math

from osler.core.errors import AskedWrongly
from osler.core.finding import Measurement
from osler.core.quantity import Quantity
from osler.results.sentences import say


def asymmetry(left: Quantity, right: Quantity) -> Measurement:
    """200 (L - R) / (L + R) in percent: above 0 where the left side is larger, 200 where the right one is missing.

    Its interval follows from those of both sides by the delta method, their errors taken to be independent, and
    each arm of an interval used on the side where it acts; there is none where one of them has none.

    Raises AskedWrongly where units differ, a value is negative or no number, or both are 0.
    """
    total = left.value + right.value
    if left.unit != right.unit or not (left.value >= 0 and right.value >= 0 and 0 < total < math.inf):
        raise AskedWrongly(
            f"An asymmetry needs two measures in one unit, at least 0 and not both 0, not {left} and {right}.",
            remedy="Measure the same structure on both sides.",
        )
    index = 200 * (left.value - right.value) / total
    low = high = None
    if left.low is not None and left.high is not None and right.low is not None and right.high is not None:
        slope = 400 / total**2  # of the index: R times this along L, minus L times this along R
        down = math.hypot(right.value * (left.value - left.low), left.value * (right.high - right.value))
        up = math.hypot(right.value * (left.high - left.value), left.value * (right.value - right.low))
        low, high = max(-200.0, index - slope * down), min(200.0, index + slope * up)
    return Measurement(say("measure.asymmetry"), Quantity(index, "%", low, high))
