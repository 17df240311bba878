"""Outlines to voxels and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from osler.core.contours import Contour
from osler.core.errors import BadGeometry
from osler.core.geometry import Geometry
from osler.core.origin import Origin
from osler.imaging.contours import outlines, rasterize, trace, within


def oblique(seed: int, shape: tuple[int, int, int], *, tilted: bool = False, mirrored: bool = False) -> Geometry:
    draw = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(draw.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * draw.uniform(0.5, 4, 3)
    if mirrored:
        affine[:3, 0] *= -1
    if tilted:
        affine[:3, 0] += affine[:3, 1] * draw.uniform(-1, 1) + affine[:3, 2] * draw.uniform(-1, 1)
    affine[:3, 3] = draw.uniform(-300, 300, 3)
    return Geometry(shape, affine)


def polygon(seed: int, count: int, geometry: Geometry, n: float) -> np.ndarray:
    """A crooked line on slice n that may cross itself."""
    draw = np.random.default_rng(seed)
    flat = draw.uniform(-3, (geometry.shape[1] + 2, geometry.shape[2] + 2), (count, 2))
    return geometry.to_world(np.column_stack([np.full(count, n), flat]))


masks = arrays.arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)))


@given(masks, st.integers(0, 9), st.booleans(), st.booleans())
def test_tracing_and_rasterizing_gives_the_mask_back(mask, seed, tilted, mirrored):
    geometry = oblique(seed, mask.shape, tilted=tilted, mirrored=mirrored)
    contours = trace(mask, geometry)
    np.testing.assert_array_equal(rasterize(contours, geometry), mask)
    np.testing.assert_array_equal(
        rasterize(contours, geometry, apart_mm=contours[0].thickness_mm if contours else 1), mask
    )


@given(masks)
def test_the_area_inside_the_outlines_is_the_area_of_the_pixels(mask):
    def area(line: np.ndarray) -> float:
        ends = np.roll(line, -1, axis=0)
        return abs(float((line[:, 0] * ends[:, 1] - line[:, 1] * ends[:, 0]).sum())) / 2

    for flat in mask:
        assert sum(area(line) for line in outlines(flat)) == flat.sum()


@given(masks)
def test_there_is_one_outline_for_each_piece(mask):
    from scipy import ndimage

    for flat in mask:
        assert len(outlines(flat)) == ndimage.label(flat)[1]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(3, 12), st.booleans())
def test_filling_agrees_with_asking_every_voxel(seed, count, tilted):
    geometry = oblique(seed % 7, (3, 11, 13), tilted=tilted)
    lines = [polygon(seed + n, count, geometry, 1) for n in range(2)]
    inside = rasterize([Contour(line) for line in lines], geometry)
    rows, columns = np.mgrid[:11, :13]
    centres = np.column_stack([rows.ravel(), columns.ravel()])
    expected = np.zeros(len(centres), bool)
    for line in lines:  # brute force: how often a ray to the right crosses the line
        corners = geometry.to_index(line)[:, 1:]
        for p, (r, c) in enumerate(centres):
            for (r0, c0), (r1, c1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                if (r0 <= r) != (r1 <= r) and c0 + (r - r0) * (c1 - c0) / (r1 - r0) > c:
                    expected[p] ^= True
    np.testing.assert_array_equal(inside[1].ravel(), expected)
    assert not inside[[0, 2]].any()


def test_a_disc_has_the_area_of_a_disc():
    geometry = Geometry.from_spacing((1, 200, 200), (2, 0.5, 0.25))
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    points = np.column_stack([25 + 20 * np.cos(angle), 50 + 20 * np.sin(angle), np.zeros(400)])
    inside = rasterize([Contour(points)], geometry)
    assert inside.sum() * 0.5 * 0.25 == pytest.approx(np.pi * 400, rel=4e-3)
    left, back, _ = geometry.to_world(np.argwhere(inside)).mean(axis=0)
    assert (left, back) == pytest.approx((25, 50), abs=0.02)  # half a pixel off would be 0.125 and 0.25


def test_simpleitk_finds_the_same_place():
    """A square from 10 to 20 mm holds the centres that ITK says lie there."""
    import SimpleITK

    geometry = Geometry.from_spacing((1, 40, 40), (1, 0.8, 0.6), (3, 4, 5))
    corners = np.array([[10, 10, 5], [20, 10, 5], [20, 20, 5], [10, 20, 5]], float)
    inside = rasterize([Contour(corners)], geometry)
    image = SimpleITK.Image(40, 40, 1, SimpleITK.sitkUInt8)
    image.SetSpacing((0.6, 0.8, 1))
    image.SetOrigin((3, 4, 5))
    for _, row, column in np.argwhere(inside).tolist():
        left, back, _ = image.TransformIndexToPhysicalPoint((column, row, 0))
        assert 10 <= left <= 20 and 10 <= back <= 20
    assert inside.sum() == pytest.approx(100 / 0.48, rel=0.05)


@pytest.mark.parametrize("keyhole", [False, True])
def test_holes_are_holes_either_way(keyhole):
    geometry = Geometry.from_spacing((1, 12, 12), (1, 1, 1))
    outer = [[0.5, 0.5, 0], [10.5, 0.5, 0], [10.5, 10.5, 0], [0.5, 10.5, 0]]
    inner = [[3.5, 3.5, 0], [3.5, 7.5, 0], [7.5, 7.5, 0], [7.5, 3.5, 0]]
    if keyhole:
        lines = [Contour(np.array([*outer, outer[0], inner[0], *inner[1:], inner[0], outer[0]]))]
    else:
        lines = [Contour(np.array(outer)), Contour(np.array(inner), "CLOSEDPLANAR_XOR")]
    inside = rasterize(lines, geometry)
    expected = np.zeros((1, 12, 12), bool)
    expected[0, 1:11, 1:11] = True
    expected[0, 4:8, 4:8] = False
    np.testing.assert_array_equal(inside, expected)


def square(place: float, **more: object) -> Contour:
    corners = np.array([[0.5, 0.5], [4.5, 0.5], [4.5, 4.5], [0.5, 4.5]])
    return Contour(np.column_stack([corners, np.full(4, place)]), **more)


def slices_of(contours: list[Contour], spacing: float = 1.0, count: int = 12, **more: float) -> list[int]:
    geometry = Geometry.from_spacing((count, 6, 6), (spacing, 1, 1))
    inside = rasterize(contours, geometry, **more)
    assert set(inside.reshape(count, -1).sum(axis=1).tolist()) <= {0, 16}
    return np.flatnonzero(inside.any(axis=(1, 2))).tolist()


def test_planes_fill_the_slices_between_them_and_leave_gaps():
    assert slices_of([square(z) for z in (2, 3, 4)]) == [2, 3, 4]
    assert slices_of([square(z) for z in (2, 5, 8)]) == [1, 2, 3, 4, 5, 6, 7, 8, 9]  # a finer grid
    assert slices_of([square(z) for z in (2, 3, 4, 8, 9)]) == [2, 3, 4, 8, 9]  # a gap
    assert slices_of([square(z) for z in (2, 4, 6)]) == [1, 2, 3, 4, 5, 6]  # what lies between counts once
    assert slices_of([square(z) for z in (2.04, 3.02, 4.05)]) == [2, 3, 4]  # not quite on the slices
    assert slices_of([square(z) for z in (2.4, 3.4)]) == [2, 3]  # between them
    assert slices_of([square(3.3)]) == [3]
    assert slices_of([square(z) for z in range(10)], spacing=2.5, count=4) == [0, 1, 2, 3]  # a coarser grid


def test_how_thick_a_plane_is_may_be_said():
    apart = [square(z) for z in (2, 5, 8)]
    assert slices_of(apart, apart_mm=1) == [2, 5, 8]
    assert slices_of([square(z, thickness_mm=1.0) for z in (2, 5, 8)]) == [2, 5, 8]


def test_contours_turned_against_the_grid():
    """Sagittal outlines on an axial grid: the same box."""
    geometry = Geometry.from_spacing((20, 20, 20), (1, 1, 1))
    box = np.array([[4.5, 5.5], [12.5, 5.5], [12.5, 9.5], [4.5, 9.5]])
    sagittal = [Contour(np.column_stack([np.full(4, x), box])) for x in range(3, 8)]
    expected = np.zeros((20, 20, 20), bool)
    expected[6:10, 5:13, 3:8] = True
    np.testing.assert_array_equal(rasterize(sagittal, geometry), expected)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_contours_of_one_grid_on_another(seed):
    """A thick ellipsoid outlined on slices of any direction fills the voxels whose centres it holds."""
    source, target = oblique(seed, (24, 24, 24)), Geometry.from_spacing((20, 20, 20), (2.5, 2, 2))
    affine = source.affine.copy()
    affine[:3, :3] *= 1.6 / np.array(source.spacing)
    middle = target.to_world(np.array([[9.5, 9.5, 9.5]]))[0]
    affine[:3, 3] = middle - affine[:3, :3] @ np.full(3, 11.5)
    source = Geometry((24, 24, 24), affine)

    def ball(geometry: Geometry) -> np.ndarray:
        index = np.argwhere(np.ones(geometry.shape, bool))
        away = np.linalg.norm(geometry.to_world(index) - middle, axis=1)
        return (away < 14).reshape(geometry.shape)

    found, expected = rasterize(trace(ball(source), source), target), ball(target)
    both = 2 * (found & expected).sum() / (found.sum() + expected.sum())
    # Two grids that stand in step count a few per cent more or less.
    assert both > 0.92 and found.sum() == pytest.approx(expected.sum(), rel=0.1)


def test_the_two_ways_of_asking_agree():
    line = np.random.default_rng(1).uniform(0, 30, (9, 2))
    points = np.argwhere(np.ones((30, 30), bool))
    geometry = Geometry.from_spacing((1, 30, 30), (1, 1, 1))
    filled = rasterize([Contour(geometry.to_world(np.column_stack([np.zeros(9), line])))], geometry)
    np.testing.assert_array_equal(within(points, [line]), filled[0].ravel())


def test_what_encloses_nothing_is_left_out():
    geometry = Geometry.from_spacing((2, 4, 4), (1, 1, 1))
    lines = [Contour(np.zeros((1, 3)), "POINT"), Contour(np.ones((5, 3)), "OPEN_PLANAR"), Contour(np.ones((2, 3)))]
    assert not rasterize(lines, geometry).any()
    assert trace(np.zeros((2, 4, 4), bool), geometry) == ()


def test_a_contour_that_is_not_flat_is_refused():
    geometry = Geometry.from_spacing((9, 9, 9), (1, 1, 1))
    with pytest.raises(BadGeometry, match="parallel planes"):
        rasterize([Contour(np.random.default_rng(0).uniform(0, 8, (9, 3)))], geometry)
    with pytest.raises(BadGeometry, match="finite"):
        Contour(np.full((3, 3), np.nan))


def test_contours_remember_the_slice_they_lie_on(tmp_path):
    geometry = Geometry.from_spacing((3, 2, 2), (2, 1, 1))
    origins = [Origin(f"1.2.{n}", "1.2", tmp_path, n + 1) for n in range(3)]
    contours = trace(np.array([0, 1, 1])[:, None, None] * np.ones((3, 2, 2)), geometry, origins)
    assert [(one.instance_uid, one.frame, one.thickness_mm) for one in contours] == [
        ("1.2.1", 2, 2),
        ("1.2.2", 3, 2),
    ]
    assert [one.points[:, 2].tolist() for one in contours] == [[2] * 4, [4] * 4]
