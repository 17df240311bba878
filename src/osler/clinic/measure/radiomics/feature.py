"""One feature of a region, and the tables that features are named in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.results.sentences import say

Row = tuple[str, str, str]
"""(code, name, unit) of a feature; in the unit, {i} stands for the unit of the picture's intensities."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One number that describes a region.

    code         IBSI's permanent identifier, "RNU0"; a few stand for two features, told apart by the name
    name         as IBSI calls it, "Volume (mesh)"
    family       "morphology", "cooccurrence", ...: a row of `features.FAMILIES`
    value        None where it is not defined for this region
    unit         "mm3", "HU2"; "1" for a plain number and where intensities have no unit
    aggregation  "3D, merged", "2D, averaged", ... for texture; "" elsewhere
    why          why there is no value; "" where there is one
    """

    code: str
    name: str
    family: str
    value: float | None
    unit: str
    aggregation: str = ""
    why: str = ""


def named(
    family: str,
    rows: Sequence[Row],
    values: Sequence[float] | Array,
    *,
    unit: str,
    aggregation: str = "",
    why: str | Mapping[str, str] = "radiomics.undefined",
) -> tuple[Feature, ...]:
    """The features of a table with their values, NaN and infinity standing for: not defined.

    unit  of the picture's intensities, "" where they have none
    why   the key of the sentence that says why a value is missing, or one a code
    """
    found = []
    for (code, name, spelled), value in zip(rows, values, strict=True):
        missing = not math.isfinite(float(value))
        key = why if isinstance(why, str) else why.get(code, "radiomics.undefined")
        found.append(
            Feature(
                code,
                name,
                family,
                None if missing else float(value),
                _unit(spelled, unit),
                aggregation,
                say(key) if missing else "",
            )
        )
    return tuple(found)


def mean_where_defined(values: Array) -> Array:
    """(groups, features) -> (features,): the mean over the groups that have the feature; NaN where none has."""
    defined = np.isfinite(values)
    count = defined.sum(axis=0)
    total = np.where(defined, values, 0).sum(axis=0)
    mean: Array = np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean


def _unit(spelled: str, intensity: str) -> str:
    """
    >>> _unit("{i}2", "HU"), _unit("{i}2", ""), _unit("{i}.mm3", ""), _unit("mm3", "")
    ('HU2', '1', 'mm3', 'mm3')
    """
    if intensity or "{i}" not in spelled:
        return spelled.format(i=intensity)
    kept = [part for part in spelled.split(".") if "{i}" not in part]
    return ".".join(kept) or "1"
