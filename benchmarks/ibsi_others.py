"""Seconds that MIRP or pyradiomics take on IBSI's phantoms; run by a Python that has them, called by ibsi.py.

PYTHON ibsi_others.py mirp|pyradiomics IMAGE MASK SETTINGS REPEATS       prints JSON
"""

import importlib
import importlib.metadata
import json
import logging
import sys
import time
import warnings

BY_SLICE = ("ibsi-a", "ibsi-b")
SPACING = {"ibsi-b": 2.0, "ibsi-c": 2.0, "ibsi-d": 2.0, "ibsi-e": 2.0}
BETWEEN = {
    "ibsi-a": [-500.0, 400.0],
    "ibsi-b": [-500.0, 400.0],
    "ibsi-c": [-1000.0, 400.0],
    "ibsi-e": [-1000.0, 400.0],
}
WIDTH = {"ibsi-digital": 1.0, "ibsi-a": 25.0, "ibsi-c": 25.0}


def with_mirp(image: str, mask: str, settings: str) -> int:
    """All of MIRP's features with the settings of one configuration; returns how many."""
    from mirp import extract_features

    directed = ["2d_average", "2d_slice_merge", "2.5d_direction_merge", "2.5d_volume_merge"]
    space = ["3d_average", "3d_volume_merge"]
    flat, solid = ["2d", "2.5d"], ["3d"]
    if settings == "ibsi-digital":
        lines, pieces = directed + space, flat + solid
    else:
        lines, pieces = (directed, flat) if settings in BY_SLICE else (space, solid)
    widths = (
        {"base_discretisation_method": "fixed_bin_size", "base_discretisation_bin_width": WIDTH[settings]}
        if settings in WIDTH
        else {"base_discretisation_method": "fixed_bin_number", "base_discretisation_n_bins": 32}
    )
    # The digital phantom's intensities are grey levels already.
    bins = {"base_discretisation_method": "none"} if settings == "ibsi-digital" else widths
    volume_bins = {
        "ibsi-c": {"ivh_discretisation_method": "fixed_bin_size", "ivh_discretisation_bin_width": 2.5},
        "ibsi-e": {"ivh_discretisation_method": "fixed_bin_number", "ivh_discretisation_n_bins": 1000},
    }
    found = extract_features(
        image=image,
        mask=mask,
        image_modality=None if settings == "ibsi-digital" else "ct",
        by_slice=settings in BY_SLICE,
        new_spacing=SPACING.get(settings),
        spline_order=3 if settings == "ibsi-e" else 1,
        anti_aliasing=False,
        resegmentation_intensity_range=BETWEEN.get(settings),
        resegmentation_sigma=3.0 if settings in ("ibsi-d", "ibsi-e") else None,
        base_feature_families="all",
        glcm_spatial_method=lines,
        glrlm_spatial_method=lines,
        glszm_spatial_method=pieces,
        gldzm_spatial_method=pieces,
        ngtdm_spatial_method=pieces,
        ngldm_spatial_method=pieces,
        **bins,
        **volume_bins.get(settings, {}),
    )
    # The first columns say what was read and how.
    described = ("sample", "image_", "filter", "mask_", "roi_", "date", "id", "modality", "date_time")
    return sum(not str(name).startswith(described) for name in found[0].columns)


def with_pyradiomics(image: str, mask: str, settings: str) -> int:
    """All of pyradiomics' features with settings as near as it has; returns how many. It has one aggregation."""
    from radiomics import featureextractor, setVerbosity

    setVerbosity(logging.ERROR)
    asked = {"force2D": settings in BY_SLICE, "correctMask": False}
    asked |= {"binWidth": WIDTH[settings]} if settings in WIDTH else {"binCount": 32}
    if settings in SPACING:
        asked["resampledPixelSpacing"] = [2.0, 2.0, 0.0 if settings in BY_SLICE else 2.0]
        asked["interpolator"] = "sitkBSpline" if settings == "ibsi-e" else "sitkLinear"
    if settings in BETWEEN:
        asked["resegmentRange"] = BETWEEN[settings]
    extractor = featureextractor.RadiomicsFeatureExtractor(**asked)
    extractor.disableAllFeatures()
    for family in ("shape", "firstorder", "glcm", "glrlm", "glszm", "ngtdm", "gldm"):
        extractor.enableFeatureClassByName(family)
    return sum(not name.startswith("diagnostics") for name in extractor.execute(image, mask, label=1))


def main() -> None:
    """Time one program on one phantom; its imports are not counted."""
    program, image, mask, settings, repeats = sys.argv[1:6]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    read = {"mirp": with_mirp, "pyradiomics": with_pyradiomics}[program]
    importlib.import_module({"mirp": "mirp", "pyradiomics": "radiomics"}[program])
    count, seconds = 0, []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        count = read(image, mask, settings)
        seconds.append(time.perf_counter() - start)
    told = {"version": importlib.metadata.version(program), "features": count, "seconds": seconds}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
