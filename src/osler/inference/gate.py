"""Is this picture like those the model has learnt from?

Three questions, cheapest first: are its plain facts (size, spacing, bits) in the range that was seen; does it look
like them without any net; do the net's features lie where theirs lie. The answers of the last two become one
score, and the score a conformal p-value (Vovk et al. 2005; Bates et al. 2023, Annals of Statistics 51:149): of
pictures like the validation ones at most the promised share is called unlike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import BadModel
from osler.core.image import Image
from osler.core.quantity import short
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.inference.look import INVERTED, plain_look, quantiles, turns_of
from osler.models.likeness import FeatureSpace, Gate, PlainLook, Span
from osler.models.model import Model
from osler.models.prepare import Prepared
from osler.results.sentences import phrase, say

FARTHEST = 1e6  # what infinitely unlike is stored as
NET, NEIGHBOURS, LOOK, GREYS = MEASURES = ("net", "neighbours", "look", "grey values")


@dataclass(frozen=True, slots=True)
class Rule:
    """How far beyond the seen range a plain fact may lie: by these factors; None says nothing on that side.

    unlike  from here on the picture is unlike all that was seen; the rest is only told
    """

    below: float | None
    above: float | None
    unlike_below: float | None = None
    unlike_above: float | None = None


# Size in pixels never makes a picture unlike: the recipe brings every picture to one size. What the net sees of a
# volume depends on millimetres, so these do. Bits and pixel sizes of flat pictures say which device it was.
RULES = {
    "rows": Rule(1.5, 4.0),
    "columns": Rule(1.5, 4.0),
    "slices": Rule(2.0, None, unlike_below=4.0),
    "rows by columns": Rule(1.5, 1.5, unlike_below=3.0, unlike_above=3.0),
    "bits": Rule(None, 1.0),
    "mm between pixels": Rule(2.0, 2.0),
    "mm between voxels": Rule(2.0, 2.0, unlike_below=5.0, unlike_above=5.0),
    "mm between slices": Rule(2.0, 2.0, unlike_below=5.0, unlike_above=5.0),
    "mm along the shortest side": Rule(1.5, 1.5, unlike_below=3.0, unlike_above=3.0),
    "mm along the longest side": Rule(1.5, 1.5, unlike_below=3.0, unlike_above=3.0),
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like the pictures a model learnt from a case is.

    p       conformal p-value; 1 where the model has no scores to compare with
    score   the largest score of the evidence, about 0 for a usual picture, 2 for an unusual one
    reason  what speaks loudest, as the end of a sentence, for people; "" where nothing does
    unlike  at most the promised share of such pictures would be called so; or a plain fact is far out of range
    sure    False where so few validation patients stand behind it that it may mark, and not decline
    odd     plain facts out of the range that was seen, a clause each
    """

    p: float
    score: float
    reason: str
    unlike: bool
    sure: bool
    odd: tuple[str, ...] = ()


def likeness(
    model: Model, pictures: Sequence[Picture], prepared: Prepared, features: Array | None
) -> Likeness | None:
    """How like the pictures of training a case is; None for a model that has no gate.

    pictures  as they came, one a channel; `prepared` of them; `features` of the prediction

    Raises BadModel when the model's trust data do not fit its net.
    """
    gate = model.trust.gate
    if gate is None:
        return None
    greys = np.stack([quantiles(one) for one in pictures])
    scores = scores_of(measures(model, prepared.array, greys, features), gate)
    judged = judge(scores, gate)
    far, odd = _out_of_range(pictures, gate)
    if far:
        return replace(judged, reason=far[0], unlike=True, sure=True, odd=odd)
    if not judged.unlike:
        return replace(judged, odd=odd)
    turn = _stands(prepared.array, greys, model)
    loudest = turn or max((one for one in scores if one in MEASURES), key=lambda one: scores[one], default=LOOK)
    return replace(judged, reason=say(f"unlike.{loudest}"), odd=odd)


def judge(scores: Mapping[str, float], gate: Gate) -> Likeness:
    """What the scores of the evidence say; no reason is given, and plain facts are left out."""
    score = max(scores.values(), default=0.0)
    p = p_value(score, gate.scores)
    enough = 1 / (len(gate.scores) + 1) <= gate.false_alarm
    beyond = p <= gate.false_alarm if enough else bool(gate.scores) and score > gate.scores[-1]
    return Likeness(p, score, "", beyond, enough)


def in_words(like: Likeness, gate: Gate) -> str:
    """That a picture is unlike those of training, why, and how often that is said of one that is not."""
    how = ""
    if like.p <= gate.false_alarm:
        how = say("unlike.how", p=f"{like.p:.3f}", alarm=f"{gate.false_alarm:.0%}", patients=gate.patients)
    elif not like.sure:
        how = say("unlike.few", patients=gate.patients)
    return say("unlike", reason=like.reason, how=how)


def _stands(array: Array, greys: Array, model: Model) -> str:
    """The one way of standing wrong that explains it all: undone, the picture looks as usual; "" for none."""
    look, gate = model.look, model.trust.gate
    if look is None or gate is None:
        return ""
    best, least = "", float("inf")
    usual = {one.name: one for one in gate.evidence}
    for name, turn in turns_of(array, model.recipe).items():
        if name not in look.turns:
            continue
        righted = turn(turn(turn(array)))  # three quarter turns undo one, and three flips are one
        numbers = 1 - greys[:, ::-1] if name == INVERTED else greys
        found = look_measures(plain_look(righted), numbers, look)
        score = max((found[one] - usual[one].mean) / usual[one].deviation for one in found if one in usual)
        if score < least:
            best, least = name, score
    return best if p_value(least, gate.scores) > gate.false_alarm else ""


def p_value(score: float, scores: Sequence[float]) -> float:
    """The conformal p-value of a score among those of validation patients, sorted.

    >>> p_value(2.5, (0.0, 1.0, 2.0, 3.0))
    0.4
    """
    return (1 + len(scores) - int(np.searchsorted(scores, score, side="left"))) / (len(scores) + 1)


def scores_of(found: Mapping[str, float], gate: Gate) -> dict[str, float]:
    """Each measure in deviations from what is usual, in the order of the gate's evidence."""
    scores = {}
    for one in gate.evidence:
        if one.name not in found:
            raise _unfit()
        score = (found[one.name] - one.mean) / one.deviation
        scores[one.name] = min(score, FARTHEST) if np.isfinite(score) else FARTHEST
    return scores


def measures(model: Model, array: Array, greys: Array, features: Array | None) -> dict[str, float]:
    """How unlike a case is by each measure; distances as logarithms, since they spread so.

    array     the prepared tensor; greys (channels, 33) quantile functions; features of the net or None
    """
    found: dict[str, float] = {}
    if model.look is not None:
        found |= look_measures(plain_look(array), greys, model.look)
    if model.space is not None:
        if features is None:
            raise _unfit()
        found |= feature_measures(features, model.space)
    return found


def look_measures(seen: Array, greys: Array, look: PlainLook) -> dict[str, float]:
    """By its plain look: as a whole, its grey values, and each way it may stand wrong.

    seen   (n,) descriptor; greys (channels, 33) quantile functions
    """
    away = np.log(_mahalanobis(seen, look.mean, look.whitening) + 1e-6)
    # Between one-dimensional distributions Wasserstein's distance is the area between the quantile functions.
    moved = np.log(float(np.abs(greys - look.quantiles).mean()) + 1e-3)
    towards = look.towards.astype(np.float64) @ (np.asarray(seen, np.float64) - look.mean)
    ways = {name: float(one) for name, one in zip(look.turns, towards, strict=True)}
    return {LOOK: float(away), GREYS: float(moved)} | ways


def feature_measures(features: Array, space: FeatureSpace) -> dict[str, float]:
    """By the net's features: Mahalanobis distance, and distance to the k-th nearest training picture."""
    away = float(np.log(feature_distance(features, space) + 1e-6))
    stored = np.asarray(space.features, np.float32)
    seen = np.asarray(features, np.float32).ravel()
    lengths = np.linalg.norm(stored, axis=1) * np.linalg.norm(seen)
    cosines = np.sort(stored @ seen / np.maximum(lengths, 1e-12))
    nearest = cosines[-neighbours(len(stored))]
    return {NET: away, NEIGHBOURS: float(np.log(np.sqrt(max(2 - 2 * float(nearest), 0.0)) + 1e-3))}


def neighbours(cases: int) -> int:
    """Which neighbour is asked: one for few pictures, the tenth from 500 on."""
    return max(1, min(10, cases // 50))


def feature_distance(features: Array | Sequence[float], space: FeatureSpace) -> float:
    """How far a net's pooled features lie from those of its training pictures; about 1 for pictures like them.

    features  (n,) of one picture

    The Mahalanobis distance of Lee et al. 2018 (NeurIPS) with one Gaussian, divided by the root of n so that
    nets of any width compare. Infinite for numbers that are not finite. Raises BadModel when the numbers are not
    the same in count.
    """
    return _mahalanobis(features, space.mean, space.whitening)


def _mahalanobis(features: Array | Sequence[float], mean: Array, whitening: Array) -> float:
    seen, middle = (np.asarray(numbers, np.float64).ravel() for numbers in (features, mean))
    fits = seen.size and seen.shape == middle.shape and whitening.shape == (seen.size, seen.size)
    if not fits or not np.isfinite(middle).all() or not np.isfinite(whitening).all():
        raise _unfit(f": {middle.size} stored features, {seen.size} given")
    if not np.isfinite(seen).all():
        return float("inf")
    apart = (seen - middle).astype(whitening.dtype)  # a matrix of another kind would be copied at every reading
    return float(np.linalg.norm(whitening @ apart) / np.sqrt(seen.size))


def plain_facts(picture: Picture) -> dict[str, float]:
    """What the file says of a picture, or its array does; a fact that is not known is left out."""
    shape = picture.array.shape
    found: dict[str, float] = {}
    if isinstance(picture, Volume):
        spacing = picture.geometry.spacing
        sides = [n * mm for n, mm in zip(shape, spacing, strict=True)]
        found |= {"slices": shape[0], "mm between slices": spacing[0], "mm between voxels": spacing[1]}
        found |= {"mm along the shortest side": min(sides), "mm along the longest side": max(sides)}
        rows, columns = shape[1:]
    else:
        rows, columns = shape[:2]
        if isinstance(picture, Image) and picture.spacing_mm is not None:
            found["mm between pixels"] = picture.spacing_mm[0]
    bits = picture.facts.bits_stored or (8 if picture.array.dtype == np.uint8 else None)
    if bits is not None:
        found["bits"] = bits
    found |= {"rows": rows, "columns": columns, "rows by columns": rows / columns}
    return {name: float(value) for name, value in found.items() if value > 0}


def _out_of_range(pictures: Sequence[Picture], gate: Gate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Facts so far out that the picture is unlike all that was seen, and all that are out of range, as clauses."""
    far, odd = [], []
    for picture, spans in zip(pictures, gate.spans, strict=False):
        facts = plain_facts(picture)
        for span in spans:
            if span.name not in facts or span.name not in RULES:
                continue
            rule, value = RULES[span.name], facts[span.name]
            if _beyond(value, span, rule.below, rule.above):
                low, high = short(span.low), short(span.high)
                said = low if span.low == span.high else say("page.range", low=low, high=high)
                clause = say("unlike.fact", value=short(value), name=phrase(span.name), seen=said)
                odd.append(clause)
                if _beyond(value, span, rule.unlike_below, rule.unlike_above):
                    far.append(clause)
    return tuple(far), tuple(odd)


def _beyond(value: float, span: Span, below: float | None, above: float | None) -> bool:
    return (below is not None and value * below < span.low) or (above is not None and value > span.high * above)


def _unfit(why: str = "") -> BadModel:
    return BadModel(
        f"The model's trust data do not fit its net{why}.",
        remedy="Train the model again; features.safetensors belongs to other weights.",
    )
