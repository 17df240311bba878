"""What a net makes of a picture before it answers: its pooled features."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import AskedWrongly
from osler.core.progress import Tell, silent
from osler.core.study import Picture
from osler.inference.predict import predict
from osler.io.open import open_picture
from osler.models.model import Model


def pooled_features(model: Model, pictures: Sequence[Picture]) -> Floats:
    """(features,) of one case, pictures in the order of the model's channels.

    Raises AskedWrongly for a model without features, and as `predict` does.
    """
    found = predict(model, pictures).features
    if found is None:
        raise AskedWrongly(
            f"The model {model.card.name} gives no features of a picture.",
            remedy="Choose a model that Osler trained; a foreign one may hide them.",
        )
    return np.asarray(found, np.float64)


def features_of_files(model: Model, paths: Sequence[Path], *, tell: Tell = silent) -> Floats:
    """(files, features), one picture a file. Raises as `open_picture` and `pooled_features` do."""
    rows = []
    for done, path in enumerate(paths):
        tell("seeing", done, len(paths), "")
        rows.append(pooled_features(model, [open_picture(path)]))
    tell("seeing", len(paths), len(paths), "")
    return np.stack(rows)
