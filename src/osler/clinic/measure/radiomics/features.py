"""The story of image features: a region is made ready, then each family reads it."""

from collections.abc import Callable, Iterable

from osler.clinic.measure.radiomics.cooccurrence import cooccurrence
from osler.clinic.measure.radiomics.distance_zone import distance_zone
from osler.clinic.measure.radiomics.feature import Feature
from osler.clinic.measure.radiomics.grey_level_dependence import grey_level_dependence
from osler.clinic.measure.radiomics.grey_tone_difference import grey_tone_difference
from osler.clinic.measure.radiomics.histogram import histogram
from osler.clinic.measure.radiomics.local_intensity import local_intensity
from osler.clinic.measure.radiomics.morphology import morphology
from osler.clinic.measure.radiomics.region import Region, region_of
from osler.clinic.measure.radiomics.run_length import run_length
from osler.clinic.measure.radiomics.settings import Settings
from osler.clinic.measure.radiomics.size_zone import size_zone
from osler.clinic.measure.radiomics.statistics import statistics
from osler.clinic.measure.radiomics.volume_histogram import volume_histogram
from osler.core.mask import Mask
from osler.core.progress import Tell, silent
from osler.core.registry import Registry
from osler.core.volume import Volume

Family = Callable[[Region, Settings], tuple[Feature, ...]]

FAMILIES: Registry[Family] = Registry(
    "family of features",
    morphology=morphology,
    local_intensity=local_intensity,
    statistics=statistics,
    histogram=histogram,
    volume_histogram=volume_histogram,
    cooccurrence=cooccurrence,
    run_length=run_length,
    size_zone=size_zone,
    distance_zone=distance_zone,
    grey_tone_difference=grey_tone_difference,
    grey_level_dependence=grey_level_dependence,
)


def features(
    volume: Volume,
    mask: Mask,
    label: int,
    settings: Settings,
    *,
    families: Iterable[str] = tuple(FAMILIES),
    tell: Tell = silent,
) -> tuple[Feature, ...]:
    """All features of one label, in the order of the families and their tables.

    mask      on the volume's own grid
    settings  of SETTINGS, or `settings_from` a JSON object
    families  rows of FAMILIES; one that is not known raises UnknownChoice

    A feature that is not defined for this region has no value and says why. Raises BadGeometry for a mask on
    another grid, BadPixels for a label without voxels and for intensities that are no numbers, AskedWrongly for
    settings that cannot be used on this region.
    """
    readers = {name: FAMILIES[name] for name in families}
    region = region_of(volume, mask, label, settings)
    found: list[Feature] = []
    for done, (name, family) in enumerate(readers.items()):
        tell("features", done, len(readers), name.replace("_", " "))
        found += family(region, settings)
    tell("features", len(readers), len(readers), "")
    return tuple(found)
