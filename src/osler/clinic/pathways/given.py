"""An answer made of outlines that somebody else drew: it goes the same road as a model's."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from osler.clinic.pathways.asking import Answer, good_enough
from osler.clinic.pathways.findings import Speaker
from osler.clinic.pathways.header import regions_of, same_modality
from osler.clinic.pathways.lesions import reference_of
from osler.clinic.pathways.outlined import Outlines, read_outlines
from osler.clinic.pathways.pathway import Offer, Pathway
from osler.clinic.pathways.sides import side_of
from osler.clinic.pathways.table import PATHWAYS
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.report import Problem
from osler.core.study import Study
from osler.models.card import ModelCard, Sees
from osler.models.trust import Trust
from osler.results.sentences import listed, say

# RT ROI Interpreted Types (PS3.3 C.8.8.8.1) of what is drawn for planning and is no lesion.
NO_LESIONS = frozenset(
    {"ORGAN", "EXTERNAL", "PTV", "CTV", "ITV", "TREATED_VOLUME", "IRRAD_VOLUME", "AVOIDANCE", "BOLUS", "SUPPORT",
     "FIXATION", "DOSE_REGION", "CONTROL", "MARKER", "ISOCENTER", "REGISTRATION", "CONTRAST_AGENT", "CAVITY"}
)  # fmt: skip


def given_answer(study: Study, paths: Sequence[Path], *, asked: str = "") -> Answer | tuple[Problem, ...]:
    """What was outlined by others, as an answer; or the problems of a picture that is not good enough.

    asked  the clinical use, by name; "" takes the one that fits the study and the names of the outlines

    Raises what `read_outlines` raises, UnknownChoice for an unknown use, AskedWrongly for one that does not read
    outlines or does not fit the study, and for an outline of the other side of the body than the picture's.
    """
    outlines = read_outlines(study, paths)
    refuse_other_side(study, outlines)
    pathway = _named(study, outlines, asked) if asked else fitting(study, outlines)
    card = ModelCard(
        name=say("outlines.given"),
        version="",
        title=pathway.title,
        task="segmentation",
        classes=outlines.names,
        sees=Sees(say("outlines.given"), 3),
        limits=(say("outlines.given.limit"),),
        digest=outlines.digest,
    )
    cases = tuple(dict.fromkeys((index,) for index, _ in outlines.layers))
    offer, problems = good_enough(
        study, Offer(pathway, card, Path(), cases, support=2, cautions=outlines.cautions)
    )
    if not offer.cases:
        return problems
    good = {index for (index,) in offer.cases}
    layers, left_out = lesions_only(outlines) if pathway.lesions else (outlines.layers, ())
    drawn = tuple((index, _as_prediction(mask)) for index, mask in layers if index in good)
    cautions = (*offer.cautions, *_supposed(study, pathway), *left_out)
    return Answer(offer, drawn, Speaker(pathway, card, Trust()), cautions)


def lesions_only(outlines: Outlines) -> tuple[tuple[tuple[int, Mask], ...], tuple[Problem, ...]]:
    """The layers without organs and planning volumes, and a caution that names those; all where nothing else is.

    What a structure is for stands in its RT ROI Interpreted Type; a healthy reference for uptake stays.
    """
    layers: list[tuple[int, Mask]] = []
    left: list[str] = []
    for index, mask in outlines.layers:
        gone = [
            label
            for label, name in mask.labels.items()
            if outlines.kinds.get((index, label), "") in NO_LESIONS and not reference_of(name)
        ]
        left += [mask.labels[label] for label in gone]
        kept = {label: name for label, name in mask.labels.items() if label not in gone}
        if kept:
            layers.append(
                (index, replace(mask, array=np.where(np.isin(mask.array, gone), 0, mask.array), labels=kept))
            )
    if not any(not reference_of(name) for _, mask in layers for name in mask.labels.values()):
        return outlines.layers, ()
    if not left:
        return tuple(layers), ()
    what = say("outlines.left_out", names=listed(left))
    return tuple(layers), (Problem(what, say("outlines.left_out.remedy"), "outlines"),)


def fitting(study: Study, outlines: Outlines) -> Pathway:
    """The first use in the table that these outlines' names speak for; else the first that reads any outlines.

    Raises AskedWrongly where none fits.
    """
    may = [one for one in PATHWAYS.values() if one.outlines and not _against(study, one)]
    said = " ".join(outlines.names).lower()
    named = [one for one in may if any(word in said for word in one.needs.words)]
    sure = [one for one in may if one.needs.modalities and not one.needs.words and not _supposed(study, one)]
    whatever = [one for one in may if not one.needs.modalities]
    best = next(iter((*named, *sure, *whatever)), None)
    if best is None:
        raise AskedWrongly(
            "No clinical use reads such outlines of such a study.",
            remedy=f"Say which is meant: --pathway {', '.join(n for n, one in PATHWAYS.items() if one.outlines)}.",
        )
    return best


def refuse_other_side(study: Study, outlines: Outlines) -> None:
    """Raises AskedWrongly where an outline is named for one side of the body and its picture shows the other."""
    for index, mask in outlines.layers:
        shown = study.pictures[index].facts.laterality
        for name in mask.labels.values():
            side = side_of(name)
            if side and shown in ("L", "R") and side != shown:
                raise AskedWrongly(
                    f"The outline '{name}' is of the {_SIDES[side]}, its picture of the {_SIDES[shown]} side.",
                    remedy="Make sure that outlines and picture belong together.",
                )


_SIDES = {"L": "left", "R": "right"}


def _named(study: Study, outlines: Outlines, asked: str) -> Pathway:
    if asked not in PATHWAYS:
        raise UnknownChoice.among("pathway", asked, PATHWAYS)
    pathway = PATHWAYS[asked]
    against = say("outlines.not_read", pathway=asked) if not pathway.outlines else _against(study, pathway)
    if against:
        able = ", ".join(name for name, one in PATHWAYS.items() if one.outlines and not _against(study, one))
        raise AskedWrongly(against, remedy=f"For such a study there is: {able or 'none'}.")
    return pathway


def _against(study: Study, pathway: Pathway) -> str:
    """Why a use may not read the study, "" when nothing speaks against it."""
    held = {picture.facts.modality for picture in study.pictures}
    for wanted in pathway.needs.modalities:
        if "" not in held and not any(same_modality(one, wanted) for one in held):
            return say("outlines.modality", pathway=pathway.name, wanted=wanted)
    if pathway.needs.body_parts:
        shown = frozenset[str]().union(*(regions_of(picture.facts)[0] for picture in study.pictures))
        if shown and not shown & {*pathway.needs.body_parts, "WHOLEBODY"}:
            return say("outlines.body_part", pathway=pathway.name, shown=", ".join(sorted(shown)))
    return ""


def _supposed(study: Study, pathway: Pathway) -> tuple[Problem, ...]:
    """A caution where no header says that the study holds what the use needs."""
    held = [picture.facts.modality for picture in study.pictures]
    silent = [one for one in pathway.needs.modalities if not any(same_modality(said, one) for said in held)]
    if not silent:
        return ()
    sees = " + ".join(silent)
    return (Problem(say("caution.supposed", sees=sees), say("caution.supposed.remedy"), "header"),)


def _as_prediction(mask: Mask) -> Prediction:
    return Prediction("segmentation", tuple(mask.labels.values()), mask=mask)
