"""A number with its unit and, where it is known, its interval."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measured number.

    value      the best estimate
    unit       UCUM spelling: "mm", "ml" (written "mL" in UCUM output), "%", "1"
    low, high  the ends of the interval, None where it is not known

    >>> str(Quantity(12.42, "mm", low=11.1, high=13.6))
    '12.4 mm (11.1 to 13.6)'
    >>> str(Quantity(3, "ml"))
    '3 ml'
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        text = f"{short(self.value)} {self.unit}"
        if self.low is not None and self.high is not None:
            text += f" ({short(self.low)} to {short(self.high)})"
        return text


def short(value: float) -> str:
    """Three significant digits, the way a person writes a measurement."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
