"""Risk from many trees: a random survival forest (Ishwaran et al. 2008, Ann Appl Stat 2:841).

Every leaf holds the Kaplan-Meier risk of its patients at fixed times; a patient's risk is the mean over the trees.
Trees come in groups that share one half of the patients, which tells how far the forest would move with other
patients (the bootstrap of little bags: Sexton and Laake 2009; Athey, Tibshirani and Wager 2019, Ann Stat 47:1148).
"""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees as arrays, all of one length: node 0 is the root, a leaf has column -1.

    column  (trees, nodes) which column a node asks, -1 for a leaf
    limit   (trees, nodes) patients at or below go left
    left, right  (trees, nodes) the next node
    leaf    (trees, nodes, times) risk at each time in a leaf; 0 elsewhere
    times   (times,) rising
    groups  (trees,) which half of the patients a tree grew on
    """

    column: Array
    limit: Floats
    left: Array
    right: Array
    leaf: Floats
    times: Floats
    groups: Array
    kind = "forest"

    def trees(self, rows: Floats, days: Floats) -> Floats:
        """(trees, patients, times) what each tree says."""
        many, count = len(self.column), len(rows)
        tree = np.arange(many)[:, None]
        node = np.zeros((many, count), np.int64)
        patient = np.arange(count)[None]
        while True:
            asked = self.column[tree, node]
            inner = asked >= 0
            if not inner.any():
                break
            goes = rows[patient, np.maximum(asked, 0)] <= self.limit[tree, node]
            node = np.where(inner, np.where(goes, self.left[tree, node], self.right[tree, node]), node)
        # Risk is known at fixed times and straight between them, from 0 at the start.
        grid = np.concatenate([[0.0], self.times])
        place = np.clip(np.searchsorted(grid, days, side="right") - 1, 0, len(grid) - 2)
        share = np.clip((np.asarray(days) - grid[place]) / (grid[place + 1] - grid[place]), 0.0, 1.0)
        here = tree[..., None], node[..., None]  # only the times that are asked for: leaves hold many
        after = self.leaf[(*here, place)]  # (trees, patients, times)
        before = np.where(place > 0, self.leaf[(*here, np.maximum(place - 1, 0))], 0.0)
        found: Floats = before + share * (after - before)
        return found

    def risk(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) mean over the trees."""
        mean: Floats = self.trees(rows, days).mean(0)
        return mean

    def draws(self, rows: Floats, days: Floats) -> Floats:
        """(groups, patients, times) mean of each group of trees."""
        said = self.trees(rows, days)
        return np.stack([said[self.groups == one].mean(0) for one in np.unique(self.groups)])

    def shrink(self, rows: Floats, days: Floats) -> Floats:
        """(patients, times) what the spread of the groups is to be multiplied by.

        Groups differ by their patients and by the dice of their few trees; only the first counts.
        """
        said = self.trees(rows, days)
        inside = [said[self.groups == one] for one in np.unique(self.groups)]
        between = np.stack([one.mean(0) for one in inside]).var(0, ddof=1)
        dice = np.mean([one.var(0, ddof=1) / len(one) for one in inside], axis=0)
        left = np.clip(between - dice, 0.05 * between, None)  # noise may hide all of it: never none
        found: Floats = np.sqrt(np.divide(left, between, out=np.ones_like(between), where=between > 0))
        return found

    def arrays(self) -> dict[str, Array]:
        """What is stored of it."""
        return {
            "column": self.column,
            "limit": self.limit,
            "left": self.left,
            "right": self.right,
            "leaf": self.leaf,
            "times": self.times,
            "groups": self.groups,
        }
