"""From facts and image features to the numbers that a learner takes: the same code trains and reads."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Floats
from osler.core.errors import AskedWrongly
from osler.models.risk.fact import Fact, Facts, fact_rows

IMAGE = "image"  # what the columns of the picture are called together
PARTS = ("facts", "image", "both")
_FURTHER = 1.5  # a picture this much further off than any training picture is unlike all of them


@dataclass(frozen=True, slots=True, eq=False)
class ImageStage:
    """Features of a net brought down to a few components, fitted on training patients only.

    mean, deviation  (features,) of training patients
    axes     (features, components) principal axes of the standardized features
    spread   (components,) deviation along each axis
    furthest  the largest distance of a training picture: among the components, and away from them
    """

    mean: Floats
    deviation: Floats
    axes: Floats
    spread: Floats
    furthest: tuple[float, float]

    @property
    def components(self) -> int:
        return int(self.axes.shape[1])

    def rows(self, features: Floats) -> Floats:
        """(patients, components) with unit deviations among training patients."""
        scaled: Floats = (np.asarray(features, np.float64) - self.mean) / self.deviation
        return scaled @ self.axes / self.spread

    def distances(self, features: Floats) -> tuple[Floats, Floats]:
        """How far pictures lie from the training mean: in deviations along the components, and away from them."""
        scaled = (np.asarray(features, np.float64) - self.mean) / self.deviation
        along = scaled @ self.axes
        away = np.linalg.norm(scaled - along @ self.axes.T, axis=1)
        return np.linalg.norm(along / self.spread, axis=1), away

    def unlike(self, features: Floats) -> bool:
        """Is one picture (features,) far from every training picture?"""
        along, away = self.distances(np.asarray(features)[None])
        return bool(along[0] > _FURTHER * self.furthest[0] or away[0] > _FURTHER * self.furthest[1] + 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """How a patient becomes a row: facts first, then the picture's components; every column mean 0, deviation 1.

    facts      () for a model of pictures alone
    mean, deviation  (columns of facts,) among training patients
    image      None for a model of facts alone
    """

    facts: tuple[Fact, ...]
    mean: Floats
    deviation: Floats
    image: ImageStage | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each column: "age", "sex=M", "crp missing", "image 1"."""
        pictured = self.image.components if self.image is not None else 0
        return (*(c for fact in self.facts for c in fact.columns), *(f"{IMAGE} {n + 1}" for n in range(pictured)))

    @property
    def groups(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What belongs together: each fact and the whole picture, with the places of their columns."""
        found: list[tuple[str, tuple[int, ...]]] = []
        place = 0
        for fact in self.facts:
            found.append((fact.name, tuple(range(place, place + len(fact.columns)))))
            place += len(fact.columns)
        if self.image is not None:
            found.append((IMAGE, tuple(range(place, place + self.image.components))))
        return tuple(found)

    def part(self, name: str) -> tuple[int, ...]:
        """The columns of one of PARTS; () where it has none."""
        drawn = tuple(c for group, places in self.groups if group == IMAGE for c in places)
        told = tuple(c for group, places in self.groups if group != IMAGE for c in places)
        if name == "both":
            return told + drawn if told and drawn else ()
        return told if name == "facts" else drawn

    def rows(self, values: Sequence[Facts], features: Floats | None) -> Floats:
        """(patients, columns); the picture's columns are 0 (the mean) where no features are given.

        Raises AskedWrongly for features of another length than the model learnt from, or that are not finite.
        """
        told = (fact_rows(self.facts, values) - self.mean) / self.deviation
        if self.image is None:
            return told
        if features is None:
            return np.concatenate([told, np.zeros((len(values), self.image.components))], axis=1)
        seen = np.asarray(features, np.float64)
        if seen.shape != (len(values), len(self.image.mean)) or not np.isfinite(seen).all():
            raise AskedWrongly(
                f"The model takes {len(self.image.mean)} finite image features a patient, not {seen.shape}.",
                remedy="Take them with the image model that the card names.",
            )
        return np.concatenate([told, self.image.rows(seen)], axis=1)
