"""Texture against loops over voxels, written as IBSI's manual reads."""

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from osler.clinic.measure.radiomics.cooccurrence import features_of_pairs, pairs
from osler.clinic.measure.radiomics.counted import cells_of, features_of_counts
from osler.clinic.measure.radiomics.distance_zone import depths
from osler.clinic.measure.radiomics.grey_level_dependence import dependences
from osler.clinic.measure.radiomics.grey_tone_difference import differences
from osler.clinic.measure.radiomics.levels import IN_SLICE, IN_SPACE, levels_of
from osler.clinic.measure.radiomics.run_length import runs_along
from osler.clinic.measure.radiomics.zones import zones

# 0 is outside the region
LEVELS = arrays.arrays(
    np.int64, arrays.array_shapes(min_dims=3, max_dims=3, max_side=4), elements=st.integers(0, 3)
).filter(lambda array: array.any())


def grid_of(array):
    inside = array > 0
    return levels_of(inside, array[inside], int(array.max()))


def at(array, place):
    inside = all(0 <= p < n for p, n in zip(place, array.shape, strict=True))
    return int(array[tuple(place)]) if inside else 0


def voxels(array):
    return [tuple(int(p) for p in place) for place in np.argwhere(array > 0)]


def moved(place, direction, times=1):
    return tuple(p + times * d for p, d in zip(place, direction, strict=True))


@given(LEVELS, st.sampled_from(IN_SPACE))
def test_pairs_are_those_of_a_loop(array, direction):
    grid = grid_of(array)
    (found,) = pairs(grid.at, grid.grid.astype(int), [grid.step(direction)], 3)
    wanted = np.zeros((3, 3))
    for place in voxels(array):
        beside = at(array, moved(place, direction))
        if beside:
            wanted[at(array, place) - 1, beside - 1] += 1
    assert (found == wanted).all()


@given(LEVELS, st.sampled_from(IN_SPACE))
def test_runs_are_those_of_a_walk(array, direction):
    slice_of, level, length = runs_along(grid_of(array), direction)
    filled = {int(s): n for n, s in enumerate(np.flatnonzero((array > 0).any(axis=(1, 2))))}
    wanted: Counter[tuple[int, int, int]] = Counter()
    for place in voxels(array):
        here = at(array, place)
        if at(array, moved(place, direction, -1)) == here:
            continue  # not the first of its run
        many = 1
        while at(array, moved(place, direction, many)) == here:
            many += 1
        wanted[filled[place[0]], here, many] += 1
    assert Counter(zip(slice_of.tolist(), level.tolist(), length.tolist(), strict=True)) == wanted


@given(LEVELS, st.booleans())
def test_zones_are_those_of_a_flood(array, in_space):
    zone, count = zones(grid_of(array), in_space=in_space)
    reach = IN_SPACE if in_space else IN_SLICE
    places = voxels(array)
    left, wanted = set(places), []
    while left:
        flood, stack = set(), [min(left)]
        while stack:
            place = stack.pop()
            if place in flood:
                continue
            flood.add(place)
            for direction, sign in itertools.product(reach, (1, -1)):
                beside = moved(place, direction, sign)
                if beside in left and at(array, beside) == at(array, place):
                    stack.append(beside)
        left -= flood
        wanted.append(flood)
    parts = defaultdict(set)
    for place, number in zip(places, zone.tolist(), strict=True):
        parts[number].add(place)
    assert count == len(wanted)
    assert sorted(map(sorted, parts.values())) == sorted(map(sorted, wanted))


@given(LEVELS, st.booleans())
def test_neighbours_are_those_of_a_loop(array, in_space):
    grid = grid_of(array)
    has, difference = differences(grid, in_space=in_space)
    alike = dependences(grid, in_space=in_space)
    half = IN_SPACE if in_space else IN_SLICE
    reach = [*half, *(moved((0, 0, 0), direction, -1) for direction in half)]
    for n, place in enumerate(voxels(array)):
        beside = [level for d in reach if (level := at(array, moved(place, d)))]
        assert alike[n] == 1 + sum(level == at(array, place) for level in beside)
        assert bool(has[n]) == bool(beside)
        if beside:
            assert difference[n] == pytest.approx(abs(at(array, place) - np.mean(beside)))


@given(LEVELS, st.booleans())
def test_depth_is_the_shortest_way_out(array, in_space):
    shape = array > 0
    found = depths(shape, in_space=in_space)
    steps = [(0, 1, 0), (0, 0, 1), (1, 0, 0)][: 3 if in_space else 2]
    # A wave from outside: what is left after n layers are taken off is deeper than n.
    left, layer = set(voxels(array)), 0
    while left:
        layer += 1
        edge = {p for p in left if any(moved(p, s, sign) not in left for s in steps for sign in (1, -1))}
        assert all(found[p] == layer for p in edge)
        left -= edge


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.integers(1, 5)), min_size=1, max_size=30))
def test_features_of_counts_follow_their_formulae(counted):
    group, level, size = (np.array(part) for part in zip(*counted, strict=True))
    voxels_of = np.full(3, 40)
    found = features_of_counts(cells_of(group, level, size), voxels_of)
    for one in range(3):
        mine = [(i, j) for g, i, j in counted if g == one]
        if not mine:
            assert np.isnan(found[one]).all()
            continue
        n = len(mine)
        cells, by_level, by_size = Counter(mine), Counter(i for i, _ in mine), Counter(j for _, j in mine)
        p = {cell: many / n for cell, many in cells.items()}
        i_mean, j_mean = sum(i for i, _ in mine) / n, sum(j for _, j in mine) / n
        wanted = [
            sum(share / j**2 for (_, j), share in p.items()),
            sum(share * j**2 for (_, j), share in p.items()),
            sum(share / i**2 for (i, _), share in p.items()),
            sum(share * i**2 for (i, _), share in p.items()),
            sum(share / (i * j) ** 2 for (i, j), share in p.items()),
            sum(share * i**2 / j**2 for (i, j), share in p.items()),
            sum(share * j**2 / i**2 for (i, j), share in p.items()),
            sum(share * (i * j) ** 2 for (i, j), share in p.items()),
            sum(many**2 for many in by_level.values()) / n,
            sum(many**2 for many in by_level.values()) / n**2,
            sum(many**2 for many in by_size.values()) / n,
            sum(many**2 for many in by_size.values()) / n**2,
            n / 40,
            sum(share * (i - i_mean) ** 2 for (i, _), share in p.items()),
            sum(share * (j - j_mean) ** 2 for (_, j), share in p.items()),
            -sum(share * np.log2(share) for share in p.values()),
            sum(share**2 for share in p.values()),
        ]
        assert found[one] == pytest.approx(wanted, abs=1e-9)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=20))
def test_features_of_pairs_follow_their_formulae(met):
    levels, count = np.array([1, 2, 3, 4]), 6
    matrix = np.zeros((1, 4, 4), int)
    for i, j in met:
        matrix[0, i - 1, j - 1] += 1
    (found,) = features_of_pairs(matrix, levels, count)
    cells = Counter(met) + Counter((j, i) for i, j in met)
    total = sum(cells.values())
    p = {cell: many / total for cell, many in cells.items()}
    edge: Counter[int] = Counter()
    gap: defaultdict[int, float] = defaultdict(float)
    both: defaultdict[int, float] = defaultdict(float)
    for (i, j), share in p.items():
        edge[i] += share
        gap[abs(i - j)] += share
        both[i + j] += share
    mean = sum(i * share for i, share in edge.items())
    variance = sum((i - mean) ** 2 * share for i, share in edge.items())
    gap_mean = sum(k * share for k, share in gap.items())

    def entropy(shares):
        return -sum(share * np.log2(share) for share in shares)

    def total_of(weight):
        return sum(weight(i, j) * share for (i, j), share in p.items())

    hx, hxy = entropy(edge.values()), entropy(p.values())
    hxy1 = -sum(share * np.log2(edge[i] * edge[j]) for (i, j), share in p.items())
    hxy2 = -sum(a * b * np.log2(a * b) for a in edge.values() for b in edge.values())
    wanted = [
        max(p.values()),
        mean,
        variance,
        hxy,
        gap_mean,
        sum((k - gap_mean) ** 2 * share for k, share in gap.items()),
        entropy(gap.values()),
        sum(k * share for k, share in both.items()),
        sum((k - 2 * mean) ** 2 * share for k, share in both.items()),
        entropy(both.values()),
        sum(share**2 for share in p.values()),
        total_of(lambda i, j: (i - j) ** 2),
        total_of(lambda i, j: abs(i - j)),
        total_of(lambda i, j: 1 / (1 + abs(i - j))),
        total_of(lambda i, j: 1 / (1 + abs(i - j) / count)),
        total_of(lambda i, j: 1 / (1 + (i - j) ** 2)),
        total_of(lambda i, j: 1 / (1 + ((i - j) / count) ** 2)),
        total_of(lambda i, j: 1 / (i - j) ** 2 if i != j else 0),
        total_of(lambda i, j: (i - mean) * (j - mean)) / variance if variance > 1e-9 else np.nan,
        total_of(lambda i, j: i * j),
        total_of(lambda i, j: (i + j - 2 * mean) ** 2),
        total_of(lambda i, j: (i + j - 2 * mean) ** 3),
        total_of(lambda i, j: (i + j - 2 * mean) ** 4),
        (hxy - hxy1) / hx if hx > 1e-9 else np.nan,
        np.sqrt(max(1 - np.exp(-2 * (hxy2 - hxy)), 0)),
    ]
    # The last one is a root, which makes much of rounding near 0.
    assert found == pytest.approx(wanted, abs=1e-6, nan_ok=True)


def test_many_matrices_are_worked_on_in_parts(monkeypatch):
    from osler.clinic.measure.radiomics import cooccurrence

    counts = np.random.default_rng(3).integers(0, 9, (7, 5, 5))
    levels = np.arange(1, 6)
    whole = features_of_pairs(counts, levels, 5)
    monkeypatch.setattr(cooccurrence, "_CELLS", 60)  # two at a time
    assert features_of_pairs(counts, levels, 5) == pytest.approx(whole)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 400)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_cells_count_equal_entries_however_far_sizes_are_apart(entries, times):
    parts = [np.array(part) for part in zip(*entries, strict=True)]
    found = cells_of(*parts, np.full(len(entries), times))
    counted = zip(found.group, found.level, found.size, found.count, strict=True)
    assert {(g, i, j): n for g, i, j, n in counted} == {key: n * times for key, n in Counter(entries).items()}


def test_a_slice_without_pairs_is_left_out_of_the_mean(measure):
    array = np.ones((2, 3, 3))
    array[0] = [[1, 2, 1], [2, 1, 2], [1, 2, 1]]
    inside = np.ones((2, 3, 3), bool)
    inside[1] = False
    alone = measure(array, inside)
    inside[1, 1, 1] = True
    beside = measure(array, inside)
    assert beside["60VM", "2D, slice-merged"].value == pytest.approx(alone["60VM", "2D, slice-merged"].value)
