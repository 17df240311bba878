"""Small regions with known grey levels."""

from collections.abc import Callable

import numpy as np
import pytest

from osler.clinic.measure.radiomics.feature import Feature
from osler.clinic.measure.radiomics.features import features
from osler.clinic.measure.radiomics.region import Region, region_of
from osler.clinic.measure.radiomics.settings import SPACES, Bins, Settings
from osler.core.arrays import Array
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume

AS_THEY_ARE = Settings(bins=Bins(size=1, start=1), volume_bins=None, spaces=SPACES)
MakeRegion = Callable[..., Region]
MeasureAll = Callable[..., dict[tuple[str, str], Feature]]


def picture(array: Array, inside: Array, spacing: tuple[float, float, float]) -> tuple[Volume, Mask]:
    grid = Geometry.from_spacing(array.shape, spacing)
    return Volume(array, grid), Mask(inside.astype(np.uint8), {1: "x"}, geometry=grid)


@pytest.fixture(scope="session")
def make_region() -> MakeRegion:
    """Whole numbers from 1 and where they count -> a region with these as its grey levels."""

    def make(
        array: Array, inside: Array | None = None, *, spacing=(1.0, 1.0, 1.0), settings=AS_THEY_ARE
    ) -> Region:
        inside = np.ones(array.shape, bool) if inside is None else inside
        volume, mask = picture(np.asarray(array, float), inside, spacing)
        return region_of(volume, mask, 1, settings)

    return make


@pytest.fixture(scope="session")
def measure() -> MeasureAll:
    """The same -> {(code, aggregation): feature}; of two features with one code, the first."""

    def all_of(array, inside=None, *, spacing=(1.0, 1.0, 1.0), settings=AS_THEY_ARE, **more):
        inside = np.ones(array.shape, bool) if inside is None else inside
        volume, mask = picture(np.asarray(array, float), inside, spacing)
        found: dict[tuple[str, str], Feature] = {}
        for one in features(volume, mask, 1, settings, **more):
            found.setdefault((one.code, one.aggregation), one)
        return found

    return all_of
