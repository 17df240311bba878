"""Surface, volume, axes and autocorrelation against closed forms and loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from osler.clinic.measure.radiomics import autocorrelation
from osler.clinic.measure.radiomics.autocorrelation import moran_and_geary
from osler.clinic.measure.radiomics.mesh import CORNERS, mesh_of, surface_of

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=3, max_dims=3, max_side=5)).filter(np.any)
SPACINGS = st.tuples(*[st.sampled_from((0.5, 1.0, 3.0))] * 3)


@settings(max_examples=40)
@given(MASKS, SPACINGS)
def test_the_surface_is_closed_and_holds_the_volume_that_it_says(inside, spacing):
    """The triangles of all cubes laid out: each edge as often one way as the other; area and volume as counted."""
    padded = np.pad(inside, 1)
    edges: dict[tuple[tuple[float, ...], tuple[float, ...]], float] = {}
    area = volume = 0.0
    for place in np.ndindex(*(n - 1 for n in padded.shape)):
        kind = sum(int(padded[tuple(np.add(place, corner))]) << n for n, corner in enumerate(CORNERS))
        for triangle, share in zip(*surface_of(kind), strict=True):
            points = [tuple(point) for point in triangle + place]
            for a, b in zip(points, points[1:] + points[:1], strict=True):
                edges[a, b] = edges.get((a, b), 0) + share
            one, two, three = (np.array(point) * spacing for point in points)
            area += share * float(np.linalg.norm(np.cross(two - one, three - one))) / 2
            volume += share * float(one @ np.cross(two, three)) / 6
    assert all(edges.get((b, a)) == pytest.approx(many) for (a, b), many in edges.items())
    found = mesh_of(inside, spacing)
    assert (found.area, found.volume) == (pytest.approx(area), pytest.approx(volume))
    assert found.volume > 0


def test_the_corners_of_the_surface_lie_between_inside_and_outside():
    found = mesh_of(np.ones((1, 1, 1), bool), (4, 2, 1))
    assert sorted(map(tuple, found.corners)) == sorted(
        [(-2, 0, 0), (2, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -0.5), (0, 0, 0.5)]
    )
    # an octahedron with half axes 2, 1 and .5
    assert found.volume == pytest.approx(4 / 3 * 2 * 1 * 0.5)


def test_a_box_loses_only_its_edges():
    """Marching cubes bevels the edges and corners of a box by half a voxel."""
    a, b, c = 6, 7, 8
    found = mesh_of(np.ones((a, b, c), bool), (1, 1, 1))
    # what is left: whole cubes inside, half of one at each face, an eighth at each edge, a tetrahedron at a corner
    edges = 4 * ((a - 1) + (b - 1) + (c - 1))
    corner = 1 / 48
    core = (a - 1) * (b - 1) * (c - 1)
    faces = 2 * ((a - 1) * (b - 1) + (a - 1) * (c - 1) + (b - 1) * (c - 1)) / 2
    assert found.volume == pytest.approx(core + faces + edges / 8 + 8 * corner)
    flat = 2 * ((a - 1) * (b - 1) + (a - 1) * (c - 1) + (b - 1) * (c - 1))
    assert found.area == pytest.approx(flat + edges * np.sqrt(0.5) + 8 * np.sqrt(3) / 8)


def test_a_ball(measure):
    radius, spacing = 10.0, (1.0, 0.5, 0.5)
    steps = [np.arange(-12, 12 + step / 2, step) for step in spacing]
    s, r, c = np.meshgrid(*steps, indexing="ij")
    inside = s**2 + r**2 + c**2 <= radius**2
    array = np.ones(inside.shape)
    array[s > 0] = 3
    found = measure(array, inside, spacing=spacing, families=["morphology"])

    def value(code):
        return found[code, ""].value

    assert value("YEKZ") == pytest.approx(inside.sum() * 0.25)
    assert value("RNU0") == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.01)
    # The steps of voxels make a ball's surface rougher, but not twice its own.
    assert 1 < value("C0JK") / (4 * np.pi * radius**2) < 1.12
    assert value("L0JK") == pytest.approx(2 * radius + 1, abs=0.01)  # half a voxel of 1 mm at each end
    # a solid ball spreads by radius / sqrt 5 along each axis
    for code in ("TDIC", "P9VJ", "7J51"):
        assert value(code) == pytest.approx(4 * radius / np.sqrt(5), rel=0.01)
    assert value("Q3CK") == pytest.approx(1, abs=0.01) and value("N17B") == pytest.approx(1, abs=0.01)
    # spherical disproportion, sphericity and asphericity say the same thing
    assert value("KRCK") == pytest.approx(1 / value("QCFX")) == pytest.approx(value("25C7") + 1)
    # three times as bright above the middle: the centre moves up by (3 - 1) / (3 + 1) of 3/8 of the radius
    assert value("KLMA") == pytest.approx(0.5 * 3 / 8 * radius, rel=0.06)


def test_a_long_thin_box_has_its_axes_and_no_third_one(measure):
    found = measure(np.arange(1.0, 13).reshape(1, 2, 6), families=["morphology"])
    spread = [np.std(np.arange(6), ddof=0), 0.5]
    # IBSI's reference values take the sample's deviation: 12 voxels, 11 degrees of freedom
    wanted = [4 * one * np.sqrt(12 / 11) for one in spread]
    assert [found[code, ""].value for code in ("TDIC", "P9VJ", "7J51")] == pytest.approx([*wanted, 0])
    assert found["N17B", ""].value == 0
    for code in ("6BDE", "RDD2"):
        assert found[code, ""].value is None and "one voxel thick" in found[code, ""].why


@given(
    arrays.arrays(float, arrays.array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.integers(-50, 50)),
    SPACINGS,
    st.integers(0, 1000),
)
def test_autocorrelation_is_that_of_all_pairs(intensity, spacing, seed):
    inside = np.random.default_rng(seed).random(intensity.shape) < 0.7
    inside.flat[0] = True
    x, places = intensity[inside], np.argwhere(inside) * spacing
    found = moran_and_geary(intensity, inside, spacing)
    assert found is not None
    if np.ptp(x) == 0:
        assert np.isnan(found).all()
        return
    centred, total, product, apart = x - x.mean(), 0.0, 0.0, 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                weight = 1 / np.linalg.norm(places[i] - places[j])
                total += weight
                product += weight * centred[i] * centred[j]
                apart += weight * (x[i] - x[j]) ** 2
    squares = (centred**2).sum()
    n = len(x)
    assert found == pytest.approx((n / total * product / squares, (n - 1) / (2 * total) * apart / squares))


def test_too_large_a_region_says_so(measure, monkeypatch):
    monkeypatch.setattr(autocorrelation, "MOST_CELLS", 100)
    found = measure(np.arange(1.0, 126).reshape(5, 5, 5), families=["morphology"])
    for code in ("N365", "NPT7"):
        assert found[code, ""].value is None and "too many" in found[code, ""].why
    assert found["RNU0", ""].value is not None
