"""How large a pixel is, believed only where it can be."""

import math
from typing import Any

_SMALLEST, _LARGEST = 0.01, 1000.0  # microns: finer than light can tell, coarser than a photograph of the glass


def scale(down: Any, right: Any) -> tuple[tuple[float, float] | None, str]:
    """Microns per pixel along (rows, columns) from what a header says, or None and the reason.

    >>> scale("0.499", 0.499)
    ((0.499, 0.499), '')
    >>> scale("0", None)
    (None, 'The file does not say how large a pixel is.')
    """
    found = _number(down), _number(right)
    if found[0] is None and found[1] is None:
        return None, "The file does not say how large a pixel is."
    if found[0] is None or found[1] is None:
        return None, "The file says how large a pixel is along one axis only."
    if not all(_SMALLEST <= one <= _LARGEST for one in found if one is not None):
        return None, f"The file says that a pixel is {found[0]:.4g} x {found[1]:.4g} microns, which cannot be."
    # Scanners have square pixels; two numbers that differ come from a size of the glass that somebody made up.
    if not 0.95 < found[0] / found[1] < 1.05:
        return None, f"The file says that a pixel is {found[0]:.4g} x {found[1]:.4g} microns, which is not square."
    return (found[0], found[1]), ""


def magnification(power: Any) -> float | None:
    """The objective's power, None where it is absent or cannot be."""
    found = _number(power)
    return found if found is not None and 0.1 <= found <= 400 else None


def _number(said: Any) -> float | None:
    try:
        value = float(said)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) and value > 0 else None
