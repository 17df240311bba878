"""Why a model said so: maps that pass their checks, and the training cases that were most like the picture."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from osler.clinic.pathways.asking import Answer
from osler.clinic.pathways.findings import Speaker
from osler.core.errors import UnknownChoice
from osler.core.prediction import Prediction
from osler.core.report import KeyPicture, Reason
from osler.core.study import Picture, Study
from osler.core.volume import Volume
from osler.imaging.heat import best_slices, heated, strengths
from osler.results.captions import drawn_sentence
from osler.results.sentences import joined, listed, say

if TYPE_CHECKING:
    from osler.explain.similar import Similar
    from osler.explain.why import Explanation
    from osler.models.model import Model

USUAL = "finer,gradcam,similar"  # of a reading; the second map is made only where the first failed its checks
MOST_TARGETS = 3  # labels of one picture that are explained


@dataclass(frozen=True, slots=True, eq=False)
class Why:
    """Reasons, and the pictures they show: `Reason.pictures` are indices among these."""

    reasons: tuple[Reason, ...] = ()
    pictures: tuple[KeyPicture, ...] = ()


def ways_named(text: str) -> tuple[str, ...]:
    """The ways of "gradcam,similar", in this order; () for "no". Raises UnknownChoice, proposing the near one."""
    known = ("gradcam", "finer", "gradients", "occlusion", "similar")
    asked = [word.strip() for word in text.split(",") if word.strip()]
    if asked == ["no"]:
        return ()
    for name in asked:
        if name not in known:
            raise UnknownChoice.among("way to explain", name, (*known, "no"))
    return tuple(dict.fromkeys(asked))


def reasons_of(study: Study, answer: Answer, model: "Model", ways: Sequence[str], *, first: int) -> Why:
    """Why the model answered so, for every case of a reading; of masks nothing: the outline shows itself.

    ways   those of `ways_named`; of several maps the first that passes its checks is shown, and the rest not made
    first  how many key pictures the report has before these
    """
    if model.task.pixels or not ways:
        return Why()
    from osler.explain.question import said
    from osler.explain.table import SIMILAR, WAYS, can
    from osler.explain.why import explain
    from osler.models.prepare import prepare

    reasons: list[Reason] = []
    pictures: list[KeyPicture] = []
    maps = [way for way in ways if way in WAYS and can(WAYS[way], model)]
    for index, prediction in answer.cases:
        prepared = prepare([study.pictures[n] for n in case_of(answer, model, index)], model.recipe)
        numbered = say("picture.numbered", number=index + 1, side="")
        where = say("join.title", title=numbered) if len(answer.cases) > 1 else ""
        for target in said(prediction, model.trust.operating_point)[:MOST_TARGETS]:
            about = about_target(answer.speaker, prediction, target)
            for way in maps:
                made = explain(model, prepared, way=way, target=target)
                shown = drawn(study.pictures[index], made, about) if made.shown else ()
                numbers = tuple(first + len(pictures) + n for n in range(len(shown)))
                statement = where + map_statement(made, about, model.recipe.target_std)
                reasons.append(Reason(way, about, statement, numbers, figures_of(made)))
                pictures += [KeyPicture(where + picture.title, picture.pixels) for picture in shown]
                if shown:
                    break
            if SIMILAR in ways and (like := like_it(model, prediction)) is not None:
                reason = similar_reason(like, answer.speaker, prediction, target)
                reasons.append(replace(reason, statement=where + reason.statement))
    return Why(tuple(reasons), tuple(pictures))


def case_of(answer: Answer, model: "Model", index: int) -> tuple[int, ...]:
    """Indices of the pictures, one a channel, of the case whose answer lies on the picture `index`."""
    return next(case for case in answer.offer.cases if case[model.recipe.reference] == index)


def like_it(model: "Model", prediction: Prediction) -> "Similar | None":
    """The nearest training cases by what is stored with the model; None where nothing is."""
    from osler.explain.similar import nearest

    space = model.space
    if space is None or prediction.features is None or not len(space.features):
        return None
    return nearest(prediction.features, space.features, space.labels, whitening=space.whitening)


def about_target(speaker: Speaker, prediction: Prediction, target: int | None) -> str:
    """What is explained, as the report calls it: "Pneumonia", "Grade 2 or worse", the name of a number."""
    if target is None:
        return speaker.name(prediction.classes[0]) if prediction.classes else speaker.finding
    if prediction.task == "segmentation":
        return speaker.name(prediction.classes[target - 1])
    name = speaker.name(prediction.classes[target])
    worse = prediction.task == "ordinal" and 0 < target < len(prediction.classes) - 1
    return say("why.or_worse", grade=name) if worse else name


def drawn(picture: Picture, made: "Explanation", about: str) -> tuple[KeyPicture, ...]:
    """The map over its picture, at most three slices of a volume."""
    if made.map is None:
        return ()
    title = say("why.picture" if made.shown else "why.failed", way=say(f"why.way.{made.way}"), about=about)
    low, high = drawn_sentence("why.less"), drawn_sentence("why.more", about=about)
    strength = strengths(made.map)
    if not isinstance(picture, Volume):
        return (KeyPicture(title, heated(picture, strength, low=low, high=high)),)
    slices = picture.array.shape[0]
    return tuple(
        KeyPicture(
            say("why.slice", title=title, number=n + 1, slices=slices),
            heated(picture, strength, slice_index=n, low=low, high=high),
        )
        for n in best_slices(made.map)
    )


def map_statement(made: "Explanation", about: str, deviation: float) -> str:
    """What a map shows and what its checks gave, in sentences.

    deviation  of the training numbers of a regression
    """
    sanity = made.sanity
    if sanity is None:
        return say(f"why.{made.trouble}", about=about)
    tries, share = len(sanity.elsewhere), f"{sanity.share:.0%}"
    middle, most = float(np.mean(sanity.elsewhere)), max(sanity.elsewhere)
    if made.unit == "log-odds":
        numbers = [_factor(x) for x in (sanity.fall, middle, most)]
        kind = "odds"
    else:
        size = deviation if made.unit == "deviations" else 1.0
        numbers = [f"{x * size:.3g}" for x in (sanity.fall, middle, most)]
        kind = "number" if made.unit == "deviations" else "voxels"
    marked, mean, worst = numbers
    checked = say(
        f"why.hidden.{kind}", about=about, share=share, marked=marked, mean=mean, worst=worst, tries=tries
    )
    parts = [say("why.shown" if made.shown else "why.not_shown", about=about), checked]
    if not sanity.faithful:
        parts.append(say("why.weak" if sanity.fall > max(0.0, *sanity.elsewhere) else "why.unfaithful"))
    if sanity.likeness is not None:
        key = "why.learnt" if sanity.learnt else "why.not_learnt"
        parts.append(say(key, likeness=f"{sanity.likeness:.2f}", tries=sanity.redraws))
    return joined(*parts)


def figures_of(made: "Explanation") -> tuple[tuple[str, float], ...]:
    """The checks of a map in numbers, for machines."""
    sanity = made.sanity
    if sanity is None:
        return (("seconds", made.seconds),)
    found = [
        ("share_hidden", sanity.share),
        ("fall_marked", sanity.fall),
        ("fall_elsewhere_mean", float(np.mean(sanity.elsewhere))),
        ("fall_elsewhere_most", max(sanity.elsewhere)),
        ("elsewhere", float(len(sanity.elsewhere))),
        ("faithful", float(sanity.faithful)),
    ]
    if sanity.likeness is not None:
        found += [("likeness_redrawn", sanity.likeness), ("redraws", float(sanity.redraws))]
    if made.gap is not None:
        found.append(("completeness_gap", made.gap))
    return (*found, ("seconds", made.seconds))


def similar_reason(like: "Similar", speaker: Speaker, prediction: Prediction, target: int | None) -> Reason:
    """How the nearest training cases were labelled, and how near they are; never who they are."""
    about = about_target(speaker, prediction, target)
    near, far = (f"{distance:.2g}" for distance in (like.distances[0], like.distances[-1]))
    values: dict[str, object] = {"count": len(like.indices), "cases": like.cases, "near": near, "far": far}
    figures = [("neighbours", float(len(like.indices))), ("training_cases", float(like.cases))]
    figures += [(f"distance_{n + 1}", distance) for n, distance in enumerate(like.distances)]
    labels = like.labels
    agree = None if target is None else like.agreeing(target)
    if labels is None:
        statement = say("why.similar.unlabelled", **values)
    elif target is None or agree is None:
        numbers = listed(f"{float(x):.4g}" for x in labels)
        statement = say("why.similar.numbers", numbers=numbers, **values)
    else:
        figures.append(("agreeing", float(agree)))
        values |= {"agree": agree, "name": speaker.name(prediction.classes[target])}
        if labels.ndim == 1:
            held = Counter(speaker.name(prediction.classes[int(k)]) for k in labels)
            each = (say("join.times", many=many, name=name) for name, many in held.most_common())
            values["others"] = say("join.clauses").join(each)
        statement = say("why.similar.classes" if labels.ndim == 1 else "why.similar.label", **values)
    return Reason("similar", about, statement, (), tuple(figures))


def _factor(fall: float) -> str:
    """By how much odds are divided where their logarithm falls by so much.

    >>> _factor(0.0), _factor(2.0), _factor(-0.7)
    ('1.00', '7.4', '0.50')
    """
    factor = float(np.exp(np.clip(fall, -20, 20)))
    return f"{factor:.0f}" if factor >= 9.95 else f"{factor:.1f}" if factor >= 1.95 else f"{factor:.2f}"
