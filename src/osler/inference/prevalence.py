"""Answers for a place where a finding is rarer or commoner than where the model learnt.

A probability takes a prevalence for granted. Where only the prevalence differs, and the sick look as sick as
before (label shift), Saerens, Latinne & Decaestecker 2002 (Neural Computation 14:21) give what it should be:
p'_k in proportion to p_k now_k / was_k. The same paper's EM estimates `now` from answers on unlabelled cases.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.errors import AskedWrongly
from osler.inference.conformal import by_class
from osler.models.trust import Trust

_STEPS = 500  # of EM; it moves less than a millionth long before that where the classes can be told apart at all


def at_prevalence(trust: Trust, now: Sequence[float], task: str) -> Trust:
    """The trust of a model that reads where the classes have the shares `now`, in the order of the classes.

    The operating point of a binary model moves along, so that the same pictures are called present: sensitivity
    and specificity stay what they were, probability and predictive values change. Promised sets are kept only
    where they hold for each class by itself. Raises AskedWrongly when the model's own prevalence is not known.
    """
    if len(trust.prevalence) != len(now):
        raise AskedWrongly(
            "The model does not say which prevalence it learnt at, so another cannot be put in.",
            remedy="Calibrate it with `osler models calibrate` on labelled cases, or leave --prevalence away.",
        )
    point = trust.operating_point
    if task == "binary":
        point = float(shifted(np.array([[1 - point, point]]), trust.prevalence, now)[0, 1])
    kept = trust.sets if trust.sets is not None and by_class(trust.sets, len(now)) else None
    return replace(trust, site=tuple(now), operating_point=point, sets=kept)


def at_site(probabilities: Array, trust: Trust, task: str) -> Floats:
    """Calibrated probabilities (cases, classes) for the place that `trust.site` describes."""
    if task != "multilabel":
        return shifted(probabilities, trust.prevalence, trust.site)
    p, was, now = np.asarray(probabilities, float), np.array(trust.prevalence), np.array(trust.site)
    there, absent = p * now / was, (1 - p) * (1 - now) / (1 - was)
    made: Floats = there / (there + absent)
    return made


def as_learnt(probabilities: Array, trust: Trust, task: str) -> Floats:
    """Probabilities (classes,) of an answer at the site, back at the prevalence that promised sets were fitted at.

    A promise for each class rests on scores that do not change with the prevalence.
    """
    p = np.asarray(probabilities, float)
    if not trust.site:
        return p
    back = replace(trust, prevalence=trust.site, site=trust.prevalence)
    return np.asarray(at_site(p[None], back, task)[0])


def shifted(probabilities: Array, was: Sequence[float] | Array, now: Sequence[float] | Array) -> Floats:
    """Probabilities (cases, classes) of exclusive classes at other shares of the classes.

    >>> shifted(np.array([[0.5, 0.5]]), (0.5, 0.5), (0.98, 0.02)).round(3).tolist()
    [[0.98, 0.02]]
    """
    weighted = np.asarray(probabilities, float) * (np.asarray(now, float) / np.asarray(was, float))
    made: Floats = weighted / weighted.sum(axis=1, keepdims=True)
    return made


def estimated_prevalence(probabilities: Array, was: Sequence[float]) -> Floats:
    """Shares of the classes (classes,) among unlabelled cases, from answers (cases, classes) calibrated for `was`.

    Saerens' EM: answer with the present guess, take the mean answer as the next, until it stands still.
    """
    p = np.asarray(probabilities, float)
    now: Floats = np.asarray(was, float)
    for _ in range(_STEPS):
        following = shifted(p, was, now).mean(axis=0)
        if np.abs(following - now).max() < 1e-7:
            return np.asarray(following)
        now = np.clip(following, 1e-9, 1)
    return now


def prevalence_interval(
    probabilities: Array, was: Sequence[float], *, resamples: int = 200, seed: int = 0
) -> tuple[Floats, Floats]:
    """The 95 % percentile interval of `estimated_prevalence`, cases drawn anew: low and high (classes,)."""
    random = np.random.default_rng(seed)
    p = np.asarray(probabilities, float)
    drawn = [estimated_prevalence(p[random.integers(len(p), size=len(p))], was) for _ in range(resamples)]
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return low, high


def predictive_values(sensitivity: float, specificity: float, prevalence: float) -> tuple[float, float]:
    """Positive and negative predictive value at a prevalence, by Bayes' theorem; NaN where nobody is called so.

    >>> ppv, npv = predictive_values(0.9, 0.9, 0.02)
    >>> round(ppv, 3), round(npv, 4)
    (0.155, 0.9977)
    """
    found, missed = sensitivity * prevalence, (1 - sensitivity) * prevalence
    alarms, spared = (1 - specificity) * (1 - prevalence), specificity * (1 - prevalence)
    positive = found / (found + alarms) if found + alarms > 0 else math.nan
    negative = spared / (spared + missed) if spared + missed > 0 else math.nan
    return positive, negative


def asked_prevalence(
    text: str, classes: Sequence[str], task: str, *, finding: int | None, was: Sequence[float]
) -> tuple[float, ...]:
    """The share of each class that "0.02", or "a=0.1,b=0.2", asks for.

    finding  which of two classes a bare number speaks of, None where neither is "the finding"
    was      shares the model takes for granted; classes that are not named divide what is left as they did there,
             labels of "multilabel" that are not named keep theirs

    Raises AskedWrongly for anything but shares between 0 and 1 of classes there are.

    >>> asked_prevalence("0.02", ("normal", "pneumonia"), "binary", finding=1, was=(0.3, 0.7))
    (0.98, 0.02)
    """
    if task not in ("binary", "multiclass", "multilabel", "ordinal") or not was:
        raise AskedWrongly(
            "A prevalence can be put in only where a model answers with classes and says which it learnt at.",
            remedy="Leave --prevalence away.",
        )
    named = _named(text, classes, finding if task == "binary" else None)
    if task == "multilabel":
        return tuple(named.get(name, before) for name, before in zip(classes, was, strict=True))
    left = 1 - sum(named.values())
    others = sum(before for name, before in zip(classes, was, strict=True) if name not in named)
    if len(named) < len(classes) and not (left > 0 and others > 0):
        raise AskedWrongly(
            f"The prevalences in '{text}' leave nothing for the classes that are not named.",
            remedy="Shares of exclusive classes add up to 1.",
        )
    if len(named) == len(classes) and abs(left) > 1e-6:
        raise AskedWrongly(
            f"The prevalences in '{text}' add up to {1 - left:.4g}, not to 1.",
            remedy="Give shares that add up to 1, or leave one class out: it gets what is left.",
        )
    return tuple(
        named[name] if name in named else round(before / others * left, 12)
        for name, before in zip(classes, was, strict=True)
    )


def _named(text: str, classes: Sequence[str], finding: int | None) -> Mapping[str, float]:
    """The shares in the text, by class."""
    lower = {name.lower(): name for name in classes}
    named: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (word.strip() for word in part.rpartition("="))
        if not equals and finding is None:
            raise AskedWrongly(
                f"'{text}' does not say of which class that is the share.",
                remedy=f"Write name=share, with one of: {', '.join(classes)}.",
            )
        called = classes[finding] if not equals and finding is not None else lower.get(name.lower(), "")
        if not called or called in named:
            raise AskedWrongly(
                f"'{name}' is named twice, or is no class of the model.",
                remedy=f"Name each of: {', '.join(classes)}.",
            )
        named[called] = _share(number)
    return named


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not 0 < share < 1:
        raise AskedWrongly(
            f"'{text}' is no prevalence.", remedy="Give a share above 0 and below 1, for example 0.02 (or 2%)."
        )
    return share
