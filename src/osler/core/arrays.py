"""Array types, named once. Axes are (slices, rows, columns) for volumes and (rows, columns) for images."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]
