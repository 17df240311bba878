"""Cutting a picture that is too large for the memory into rectangles, and putting rectangles together again."""

from collections.abc import Iterator

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly
from osler.core.slide import Region


def cover(
    rows: int, columns: int, size: tuple[int, int], *, overlap: int = 0, whole_only: bool = False
) -> Iterator[Region]:
    """The rectangles that cover a picture of rows x columns pixels, row by row, each of `size` (rows, columns).

    overlap     pixels that neighbours share
    whole_only  leave out the rectangles that reach over the lower or right edge

    Nothing is read: these are positions only, made one at a time. Without `whole_only` every pixel is covered.
    Raises AskedWrongly for a size that is not positive, or an overlap that is negative or as large as the tile.

    >>> list(cover(300, 200, (256, 256)))
    [Region(row=0, column=0, height=256, width=256), Region(row=256, column=0, height=256, width=256)]
    """
    height, width = size
    if min(size) < 1 or not 0 <= overlap < min(size):
        raise AskedWrongly(
            f"Tiles of {height} x {width} pixels with an overlap of {overlap} cannot be.",
            remedy="Give a positive size, and an overlap from 0 to below it.",
        )
    # A tile is only needed where the one before it leaves pixels uncovered.
    last_row, last_column = max(rows - overlap, 1), max(columns - overlap, 1)
    return (
        Region(row, column, height, width)
        for row in range(0, last_row, height - overlap)
        for column in range(0, last_column, width - overlap)
        if not whole_only or (row + height <= rows and column + width <= columns)
    )


def part_inside(region: Region, rows: int, columns: int) -> Region:
    """The part of `region` that lies on a picture of rows x columns; 0 high or wide where it lies beside it.

    >>> part_inside(Region(-10, 90, 30, 30), 100, 100)
    Region(row=0, column=90, height=20, width=10)
    """
    top, left = max(region.row, 0), max(region.column, 0)
    bottom = min(region.row + region.height, rows)
    right = min(region.column + region.width, columns)
    return Region(top, left, max(bottom - top, 0), max(right - left, 0))


def touching(region: Region, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """(row, column) numbers of the stored tiles of `size` pixels, laid from the corner, that `region` touches.

    >>> list(touching(Region(200, 0, 100, 100), (256, 256)))
    [(0, 0), (1, 0)]
    """
    height, width = size
    for row in range(region.row // height, -(-(region.row + region.height) // height)):
        for column in range(region.column // width, -(-(region.column + region.width) // width)):
            yield row, column


def paste(canvas: Array, at: Region, piece: Array, row: int, column: int) -> None:
    """Lay `piece`, whose corner lies at (row, column), on `canvas`, which shows the region `at`; in place.

    canvas, piece  (rows, columns, 3); what of the piece lies beside the canvas is left out
    """
    there = Region(row - at.row, column - at.column, piece.shape[0], piece.shape[1])
    here = part_inside(there, at.height, at.width)
    top, left = here.row - there.row, here.column - there.column
    canvas[here.row : here.row + here.height, here.column : here.column + here.width] = piece[
        top : top + here.height, left : left + here.width
    ]
