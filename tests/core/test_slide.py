"""The facts of a slide, and cutting it into tiles."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.core.errors import AskedWrongly
from osler.core.slide import Level, Region, Slide
from osler.imaging.tiles import cover, part_inside, paste, touching

SIZES = some.integers(1, 90)


def test_a_slide_holds_no_pixels_and_cannot_change() -> None:
    slide = Slide(Path("a.svs"), (Level(100, 200, 1.0),))
    assert not any(isinstance(getattr(slide, name), np.ndarray) for name in slide.__dataclass_fields__)
    with pytest.raises(AttributeError):
        slide.vendor = "x"  # type: ignore[misc]


def test_the_scale_of_a_level_follows_its_size() -> None:
    levels = Level(1000, 2000, 1.0), Level(250, 501, 3.996)
    slide = Slide(Path("a.svs"), levels, microns_per_pixel=(0.5, 0.25))
    assert slide.microns_at(0) == (0.5, 0.25)
    assert slide.microns_at(1) == pytest.approx((2.0, 0.25 * 2000 / 501))
    assert Slide(Path("a.svs"), levels).microns_at(1) is None


def test_pictures_of_the_label_are_told_apart() -> None:
    slide = Slide(Path("a.svs"), (Level(1, 1, 1.0),), associated=("label", "macro", "overview", "thumbnail"))
    assert slide.may_name_somebody == ("label", "macro", "overview")


@given(SIZES, SIZES, some.integers(1, 40), some.integers(1, 40), some.integers(0, 39))
def test_tiles_cover_every_pixel_and_nothing_in_vain(
    rows: int, columns: int, height: int, width: int, overlap: int
) -> None:
    if overlap >= min(height, width):
        with pytest.raises(AskedWrongly):
            cover(rows, columns, (height, width), overlap=overlap)
        return
    seen = np.zeros((rows, columns), int)
    for tile in cover(rows, columns, (height, width), overlap=overlap):
        inside = part_inside(tile, rows, columns)
        assert inside.height and inside.width
        seen[inside.row : inside.row + inside.height, inside.column : inside.column + inside.width] += 1
    assert seen.min() >= 1
    if not overlap:
        assert seen.max() == 1
    for tile in cover(rows, columns, (height, width), overlap=overlap, whole_only=True):
        assert part_inside(tile, rows, columns) == tile


@given(SIZES, SIZES, some.integers(-50, 90), some.integers(-50, 90), SIZES, SIZES, some.integers(1, 30))
def test_a_picture_cut_into_tiles_and_pasted_is_the_picture(
    rows: int, columns: int, row: int, column: int, height: int, width: int, size: int
) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (rows, columns, 3)).astype(np.uint8)
    region = Region(row, column, height, width)
    inside = part_inside(region, rows, columns)
    canvas = np.full((height, width, 3), 255, np.uint8)
    for r, c in touching(inside, (size, size)) if inside.height and inside.width else ():
        piece = picture[r * size : (r + 1) * size, c * size : (c + 1) * size]
        paste(canvas, region, piece, r * size, c * size)
    wanted = np.full((height + rows + 300, width + columns + 300, 3), 255, np.uint8)
    wanted[150 : 150 + rows, 150 : 150 + columns] = picture
    wanted = wanted[150 + row : 150 + row + height, 150 + column : 150 + column + width]
    np.testing.assert_array_equal(canvas, wanted)
