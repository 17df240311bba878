"""What of a region is counted together: slices, directions, or everything (IBSI's aggregation methods)."""

from osler.core.arrays import Labels

# space -> aggregations of families that look along directions
DIRECTED = {
    "2D": ("2D, averaged", "2D, slice-merged"),
    "2.5D": ("2.5D, direction-merged", "2.5D, merged"),
    "3D": ("3D, averaged", "3D, merged"),
}


def group_of(aggregation: str, slice_of: Labels, direction: Labels, directions: int) -> Labels:
    """Which group each count belongs to; the features of the groups are averaged afterwards.

    slice_of, direction  (counts,) where each was made; directions  how many there are
    """
    if aggregation == "2D, averaged":
        return slice_of * directions + direction
    if aggregation in ("2D, slice-merged", "2D"):
        return slice_of
    if aggregation in ("2.5D, direction-merged", "3D, averaged"):
        return direction
    return slice_of * 0
