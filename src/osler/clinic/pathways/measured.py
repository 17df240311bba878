"""Looking up and adding what was measured of a finding."""

from collections.abc import Sequence

from osler.clinic.pathways.seen import Earlier
from osler.core.codes import Code
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.results.page_lines import value_text
from osler.results.sentences import listed, say


def measurement(finding: Finding, code: Code, *, unit: str = "") -> Measurement | None:
    """The first measure of that kind; of that unit, where several are told apart by it."""
    return next(
        (one for one in finding.measurements if one.code == code and unit in ("", one.quantity.unit)), None
    )


def listed_measures(finding: Finding, *codes: Code) -> str:
    """The first measure of each kind for a sentence: "SUVpeak 10.1 SUV, longest diameter 62 mm"."""
    found = [one for code in codes if (one := measurement(finding, code)) is not None]
    return listed(f"{_within(one.name)} {value_text(one.quantity)}" for one in found)


def when_was(earlier: Earlier) -> str:
    """How long before this study an earlier one was made, for a sentence; only that it was, where nobody knows."""
    return say("burden.days", days=earlier.days) if earlier.days is not None else say("burden.earlier")


def summed(quantities: Sequence[Quantity]) -> Quantity:
    """The sum, with the sums of the intervals' ends, which holds however the errors hang together.

    >>> str(summed([Quantity(2, "ml", 1, 3), Quantity(4, "ml", 3, 6)]))
    '6 ml (4 to 9)'
    """
    value = sum(one.value for one in quantities)
    if any(one.low is None or one.high is None for one in quantities):
        return Quantity(value, quantities[0].unit)
    low, high = (
        sum(end or 0.0 for end in ends) for ends in zip(*((q.low, q.high) for q in quantities), strict=True)
    )
    return Quantity(value, quantities[0].unit, low, high)


def _within(name: str) -> str:
    """A name inside a sentence: "longest diameter in space", but "SUVpeak" as it is."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name
