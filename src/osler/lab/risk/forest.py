"""Growing a random survival forest: splits by the log-rank statistic, leaves with Kaplan-Meier risks.

Ishwaran et al. 2008 (Ann Appl Stat 2:841), on half-samples of patients in groups of trees, see
`models/risk/forest.py`. Times are told apart at no more than 50 times of events.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats
from osler.models.risk.forest import Forest

GROUPS, TREES_EACH = 25, 8
_MOST_TIMES = 50
_CUTS = 10  # limits tried for a column at a node
_SMALLEST_LEAF = 6
_SHARE = 0.9  # of its half that a tree grows on


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    column: int
    limit: float
    left: int
    right: int
    leaf: Floats


def grow_forest(
    rows: Floats,
    time: Floats,
    event: Array,
    *,
    seed: int,
    groups: int = GROUPS,
    each: int = TREES_EACH,
    tell: Callable[[int, int], None] | None = None,
) -> tuple[Forest, str]:
    """A forest for rows (patients, columns), and how its size was decided.

    tell(done, total) after each group of trees
    """
    event = np.asarray(event, bool)
    distinct = np.unique(time[event])
    if len(distinct) > _MOST_TIMES:
        distinct = np.unique(np.quantile(distinct, np.linspace(0, 1, _MOST_TIMES), method="higher"))
    times = distinct[distinct > 0] if (distinct > 0).any() else np.array([max(float(time.max()), 1.0)])
    before = np.concatenate([[-1.0], times[:-1]])
    came = (event[:, None] & (time[:, None] > before) & (time[:, None] <= times)).astype(np.float32)
    there = np.maximum((time[:, None] >= times).astype(np.float32), came)  # (patients, times) at risk
    random = np.random.default_rng(seed)
    half = max(len(rows) // 2, 2)
    smallest = max(min(_SMALLEST_LEAF, half // 4), 2)
    grown: list[list[_Node]] = []
    group_of: list[int] = []
    for group in range(groups):
        mine = random.permutation(len(rows))[:half]
        for _ in range(each):
            # Inside the half every tree takes its own share, without which the trees of a group were too alike.
            some = mine[random.permutation(half)[: max(int(_SHARE * half), 2)]] if half > 20 else mine
            grown.append(_grow(rows, came, there, some, random, smallest))
            group_of.append(group)
        if tell is not None:
            tell(group + 1, groups)
    because = (
        f"{groups} groups of {each} trees, each group on one half of the patients; leaves of {smallest} or more"
    )
    return _packed(grown, times, np.array(group_of)), because


def log_rank(inside: Floats, came: Floats, there: Floats) -> Floats:
    """(splits,) squared log-rank statistics of those inside against those outside; 0 where one cannot be had.

    inside  (splits, patients) 0 and 1; came, there (patients, times) events and patients at risk
    Mantel 1966, Cancer Chemother Rep 50:163.
    """
    events, risk = came.sum(0), there.sum(0)
    mine_came, mine = inside @ came, inside @ there
    share = mine / np.maximum(risk, 1)
    gap = (mine_came - events * share).sum(1)
    spread = (events * share * (1 - share) * np.maximum(risk - events, 0) / np.maximum(risk - 1, 1)).sum(1)
    found: Floats = np.divide(gap**2, spread, out=np.zeros(len(gap)), where=spread > 1e-9)
    return found


def _grow(
    rows: Floats, came: Floats, there: Floats, some: Array, random: np.random.Generator, smallest: int
) -> list[_Node]:
    nodes: list[_Node] = []
    columns = min(rows.shape[1], max(2, int(np.ceil(np.sqrt(rows.shape[1])))))

    def add(inside: Array) -> int:
        place = len(nodes)
        leaf = _risk(came[inside], there[inside])
        nodes.append(_Node(-1, 0.0, 0, 0, leaf))
        split = _best(rows[inside], came[inside], there[inside], columns, random, smallest)
        if split is not None:
            column, limit = split
            below = rows[inside, column] <= limit
            left, right = add(inside[below]), add(inside[~below])
            nodes[place] = _Node(column, limit, left, right, leaf)
        return place

    add(some)
    return nodes


def _best(
    rows: Floats, came: Floats, there: Floats, columns: int, random: np.random.Generator, smallest: int
) -> tuple[int, float] | None:
    """The column and limit that part the patients of a node best; None where it stays a leaf."""
    if len(rows) < 2 * smallest or came.sum() < 2:
        return None
    tried = random.permutation(rows.shape[1])[:columns]
    asked: list[tuple[int, float]] = []
    inside: list[Array] = []
    for column in tried:
        values = np.sort(rows[:, column])
        limits = values[smallest - 1 : len(values) - smallest]
        limits = np.unique(limits)
        if len(limits) > _CUTS:
            limits = np.sort(random.choice(limits, _CUTS, replace=False))
        for limit in limits:
            below = rows[:, column] <= limit
            if smallest <= int(below.sum()) <= len(rows) - smallest:
                asked.append((int(column), float(limit)))
                inside.append(below)
    if not asked:
        return None
    found = log_rank(np.array(inside, np.float32), came, there)
    best = int(np.argmax(found))
    return asked[best] if found[best] > 0 else None


def _risk(came: Floats, there: Floats) -> Floats:
    """(times,) one minus Kaplan-Meier."""
    risk = there.sum(0)
    share = np.divide(came.sum(0), risk, out=np.zeros(came.shape[1], np.float32), where=risk > 0)
    gone: Floats = 1 - np.cumprod(1 - share)
    return gone


def _packed(trees: list[list[_Node]], times: Floats, groups: Array) -> Forest:
    longest = max(len(tree) for tree in trees)
    shape = (len(trees), longest)
    column, left, right = np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    limit, leaf = np.zeros(shape), np.zeros((*shape, len(times)), np.float32)
    for t, tree in enumerate(trees):
        for n, node in enumerate(tree):
            column[t, n], limit[t, n], left[t, n], right[t, n] = node.column, node.limit, node.left, node.right
            if node.column < 0:
                leaf[t, n] = node.leaf
    return Forest(column, limit, left, right, leaf, times, groups.astype(np.int32))
