"""The colours in which DICOM objects ask to be shown: CIELab with the white point D50, in 16 bits.

Sources: DICOM PS3.3 C.10.7.1.1 (encoding of CIELab values); IEC 61966-2-1 (sRGB); Bradford adaptation D65 to D50,
matrices of B. Lindbloom (brucelindbloom.com).
"""

import numpy as np

_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)  # linear sRGB to XYZ at D50
_WHITE = _TO_XYZ.sum(axis=1)
_KNEE = 6 / 29


def to_cielab(rgb: tuple[int, int, int]) -> list[int]:
    """Red, green, blue (0 to 255) as DICOM stores CIELab: three numbers, 0 to 65535.

    >>> to_cielab((255, 255, 255)), to_cielab((0, 0, 0))
    ([65535, 32896, 32896], [0, 32896, 32896])
    """
    share = np.array(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    ratio = _TO_XYZ @ linear / _WHITE
    bent = np.where(ratio > _KNEE**3, np.cbrt(ratio), ratio / (3 * _KNEE**2) + 4 / 29)
    lab = 116 * bent[1] - 16, 500 * (bent[0] - bent[1]), 200 * (bent[1] - bent[2])
    stored = lab[0] / 100, (lab[1] + 128) / 255, (lab[2] + 128) / 255
    return [round(min(max(one, 0.0), 1.0) * 65535) for one in stored]


def from_cielab(stored: tuple[float, ...]) -> tuple[int, int, int]:
    """The nearest red, green and blue of a stored CIELab value.

    >>> from_cielab(tuple(to_cielab((230, 159, 0))))
    (230, 159, 0)
    """
    light, a, b = stored[0] / 65535 * 100, stored[1] / 65535 * 255 - 128, stored[2] / 65535 * 255 - 128
    middle = (light + 16) / 116
    bent = np.array([middle + a / 500, middle, middle - b / 200])
    ratio = np.where(bent > _KNEE, bent**3, 3 * _KNEE**2 * (bent - 4 / 29))
    linear = np.clip(np.linalg.inv(_TO_XYZ) @ (ratio * _WHITE), 0, 1)
    share = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (int(x) for x in np.rint(share * 255))
    return red, green, blue
