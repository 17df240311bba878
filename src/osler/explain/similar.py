"""The training cases that a net finds most like a picture."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadModel

NEAREST = 5


@dataclass(frozen=True, slots=True, eq=False)
class Similar:
    """The nearest training cases, nearest first, and never who they are.

    indices    their places among the training cases
    distances  in deviations a feature, about 1.4 between any two training cases; 1 - cosine, 0 to 2, where no
               deviations are known
    labels     (n,) classes, grades or numbers; (n, labels) for several findings; None where none are stored
    cases      how many training cases were compared
    """

    indices: tuple[int, ...]
    distances: tuple[float, ...]
    labels: Array | None
    cases: int

    def agreeing(self, target: int) -> int | None:
        """How many of them have the class, grade or finding `target`; None where labels are not known."""
        if self.labels is None:
            return None
        named = self.labels[:, target] == 1 if self.labels.ndim == 2 else self.labels == target
        return int(np.count_nonzero(named))


def nearest(
    seen: Array, features: Array, labels: Array | None, *, whitening: Array | None = None, count: int = NEAREST
) -> Similar:
    """The training cases whose pooled features lie nearest to those of a picture.

    seen       (n,) of the picture
    features   (cases, n) of the training cases
    labels     one row a case, or None
    whitening  (n, n) that makes training features uncorrelated with unit deviations: distances are then those of
               Mahalanobis over the root of n; None compares directions (cosine)

    Raises BadModel where the numbers do not fit each other or are not finite.
    """
    stored = np.asarray(features, np.float32)
    asked = np.asarray(seen, np.float32).ravel()
    fits = stored.ndim == 2 and len(stored) and stored.shape[1] == asked.size
    if not fits or (labels is not None and len(labels) != len(stored)) or not np.isfinite(stored).all():
        raise BadModel(
            f"The stored features of training cases do not fit the net: {stored.shape}, {asked.size} given.",
            remedy="Train the model again; features.safetensors belongs to other weights.",
        )
    if not np.isfinite(asked).all():
        raise BadModel(
            "The net's features of this picture are not numbers.",
            remedy="Evaluate the model again with `osler evaluate`; its weights are damaged.",
        )
    if whitening is not None:
        apart = np.linalg.norm((stored - asked) @ np.asarray(whitening, np.float32).T, axis=1) / np.sqrt(
            asked.size
        )
    else:
        lengths = np.maximum(np.linalg.norm(stored, axis=1) * np.linalg.norm(asked), 1e-12)
        apart = 1 - stored @ asked / lengths
    order = np.argsort(apart, kind="stable")[:count]
    return Similar(
        tuple(int(n) for n in order),
        tuple(float(apart[n]) for n in order),
        None if labels is None else np.asarray(labels)[order],
        len(stored),
    )
