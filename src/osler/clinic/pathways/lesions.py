"""From outlines to lesions: each piece is one, and keeps its name in every study of the patient."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.clinic.measure.change import match_lesions
from osler.clinic.measure.lesions import lesions_of
from osler.clinic.pathways.asking import Answer, Lesion
from osler.clinic.pathways.outlined import frame_of
from osler.core.arrays import Array
from osler.core.errors import OslerError
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.progress import Tell, silent
from osler.core.report import Problem
from osler.core.study import Study
from osler.core.volume import Volume
from osler.imaging.components import components
from osler.imaging.register import rigid_movement
from osler.results.sentences import english, say

LEAST_ML = 0.1  # what a model draws smaller than that is a speck; who outlines by hand means it
# Words in the name of an outline that say where in the body it lies; RECIST and PERCIST count lesions by organ.
SITES = {
    "lymph node": ("node", "nodes", "nodal", "lymph", "ln"),
    "liver": ("liver", "hepatic"),
    "lung": ("lung", "pulmonary", "lobe"),
    "bone": ("bone", "osseous", "vertebra", "rib"),
    "brain": ("brain", "cerebral"),
    "adrenal": ("adrenal",),
    "kidney": ("kidney", "renal"),
    "spleen": ("spleen", "splenic"),
    "pancreas": ("pancreas", "pancreatic"),
    "soft tissue": ("sarcoma", "muscle", "subcutaneous"),
    "pleura": ("pleura", "pleural"),
    "peritoneum": ("peritoneum", "peritoneal"),
}
# Healthy regions that uptake is compared with, which are no lesions: one of these words, with none but those.
REFERENCES = {"liver": ({"liver"}, {"right", "lobe"}), "blood": ({"blood", "aorta", "bloodpool"}, {"pool"})}
_PLAIN = re.compile(r"(outline|roi|label|lesion|foreground|tumou?r|mass|l)?[ _]?\d*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Studies of one patient with lesions that keep their names.

    read       (study, answer), oldest first
    movements  for each but the last: (4, 4) from places in the last study to places in that one, LPS mm; None
               where both share a frame of reference, or where they could not be laid over each other
    cautions   what to mind of it
    """

    read: tuple[tuple[Study, Answer], ...]
    movements: tuple[Array | None, ...]
    cautions: tuple[Problem, ...]


def by_lesion(answer: Answer) -> Answer:
    """The answer with a label for each piece of what was drawn, L1 the largest.

    Where several pictures of the study were outlined, what lies on the same place has the same name. What a model
    drew smaller than LEAST_ML is left out, and that is told.
    """
    least = LEAST_ML if answer.offer.folder.name else 0.0
    known: dict[tuple[int, int], Lesion] = {}
    cases: list[tuple[int, Prediction]] = []
    left_out = 0
    for index in dict.fromkeys(index for index, _ in answer.cases):
        drawn = [prediction for at, prediction in answer.cases if at == index]
        pieces, specks = _pieces(drawn, least)
        left_out += specks
        named = _named(pieces, cases, known)
        mask = _one_mask(pieces, named, drawn)
        for label, lesion in enumerate(_each(named), start=1):
            known[index, label] = lesion
        cases.append((index, Prediction("segmentation", tuple(mask.labels.values()), mask=mask)))
    cautions = answer.cautions
    if left_out:
        what = say("caution.specks", number=left_out, least=f"{LEAST_ML:g}")
        cautions = (*cautions, Problem(what, say("caution.specks.remedy"), "specks"))
    return replace(answer, cases=tuple(cases), lesions=known, cautions=cautions)


def site_of(name: str) -> str:
    """Where in the body an outline lies, by the words of its name; "" where they do not say.

    >>> site_of("GTV_Liver_met"), site_of("LN axillary left"), site_of("GTV_Mass_PET")
    ('liver', 'lymph node', '')
    """
    words = _words(name)
    return next((site for site, spelt in SITES.items() if words & set(spelt)), "")


def reference_of(name: str) -> str:
    """Which healthy reference an outline is: "liver", "blood"; "" for everything else.

    >>> reference_of("Liver reference"), reference_of("Liver met 1"), reference_of("Blood pool")
    ('liver', '', 'blood')
    """
    words = _words(english(name)) - {"reference", "ref", "healthy", "normal", "roi", "voi"}
    return next((what for what, (one, more) in REFERENCES.items() if words & one and words <= one | more), "")


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """One piece of an outline: its number in a mask of pieces."""

    of: str
    pieces: Mask
    number: int
    voxels: int

    @property
    def there(self) -> Array:
        return self.pieces.of(self.number)


def _pieces(drawn: Sequence[Prediction], least_ml: float) -> tuple[list[_Piece], int]:
    """Every piece of every label, the largest first; and how many were too small."""
    found: list[_Piece] = []
    specks = 0
    for mask in (prediction.mask for prediction in drawn if prediction.mask is not None):
        for label, of in mask.labels.items():
            if reference_of(of):
                cut = Mask(mask.of(label).astype(np.uint8), {1: of}, geometry=mask.geometry)
            else:
                cut = lesions_of(mask, label, least_ml=least_ml)
                specks += components(mask.of(label))[1] - len(cut.labels) if least_ml else 0
            counts = np.bincount(cut.array[cut.array > 0], minlength=len(cut.labels) + 1)
            found += [_Piece(of, cut, number, int(counts[number])) for number in cut.labels]
    return sorted(found, key=lambda piece: -piece.voxels), specks  # stable: equal ones as they came


def _named(
    pieces: Sequence[_Piece], before: Sequence[tuple[int, Prediction]], known: Mapping[tuple[int, int], Lesion]
) -> list[Lesion]:
    """A lesion for each piece: that of the piece on another picture that it lies on, else a new one."""
    named: list[Lesion] = []
    taken = len({lesion.name for lesion in known.values() if lesion.name})
    for piece in pieces:
        if reference_of(piece.of):
            named.append(Lesion("", piece.of))
            continue
        same = next((known[index, at] for index, one in before if (at := _under(piece, one.mask))), None)
        if same is None:
            taken += 1
            same = Lesion(say("measure.lesion", number=taken), piece.of, site_of(piece.of))
        named.append(same)
    return named


def _under(piece: _Piece, other: Mask | None) -> int:
    """The label of another picture's mask that most of a piece's voxels lie on; 0 where there is none."""
    grid = piece.pieces.geometry
    if other is None or other.geometry is None or grid is None:
        return 0
    index = np.rint(other.geometry.to_index(grid.to_world(np.argwhere(piece.there)))).astype(int)
    inside = ((index >= 0) & (index < other.array.shape)).all(axis=1)
    labels = other.array[tuple(index[inside].T)]
    counts = np.bincount(labels[labels > 0], minlength=1)
    return int(counts.argmax()) if counts.any() else 0


def _one_mask(pieces: Sequence[_Piece], named: Sequence[Lesion], drawn: Sequence[Prediction]) -> Mask:
    """All pieces on one grid, a label for each lesion, called as the report calls it."""
    like = next(one.mask for one in drawn if one.mask is not None)
    array = np.zeros(like.array.shape, np.uint8 if len(pieces) < 256 else np.uint16)
    each = _each(named)
    for piece, lesion in zip(pieces, named, strict=True):
        array[piece.there & (array == 0)] = each.index(lesion) + 1
    labels = {number: _called(lesion) for number, lesion in enumerate(each, start=1)}
    return replace(like, array=array, labels=labels)


def _each(named: Sequence[Lesion]) -> list[Lesion]:
    """Each lesion once, in the order of the labels."""
    return list(dict.fromkeys(named))


def _called(lesion: Lesion) -> str:
    """What the report calls a lesion: with the name of its outline, where that says more than that it is one."""
    if not lesion.name:
        return lesion.of
    if _PLAIN.fullmatch(lesion.of):
        return say("lesion.name", lesion=lesion.name)
    return say("lesion.name_of", lesion=lesion.name, of=lesion.of)


def _words(name: str) -> set[str]:
    return set(re.split(r"[^a-z0-9]+", name.lower())) - {""}


def followed(read: Sequence[tuple[Study, Answer]], *, tell: Tell = silent) -> Followed:
    """The answers of one patient's studies, oldest first, with each lesion called as when it was first seen.

    A lesion that fell into pieces leaves its name to the largest, the others are called "L1b", "L1c"; lesions that
    grew together are called "L1+L2". New ones get the next number.
    """
    done: list[tuple[Study, Answer]] = []
    cautions: list[Problem] = []
    known: set[str] = set()
    movements: list[Array | None] = []
    for study, answer in read:
        names: dict[str, str] = {}  # as the lesion is called now -> as it was called
        movements = []
        for then, one in reversed(done):  # the latest first; what it does not show, an older one may
            movements.insert(0, _onto(study, answer, then, one, cautions, tell))
            names |= _names(_without(answer, names), one, movements[0], set(names.values()))
        for lesion in answer.lesions.values():
            if lesion.name and lesion.name not in names:
                names[lesion.name] = _next(known | set(names.values()))
        known |= {part for name in names.values() for part in lineage(name)}
        done.append((study, _renamed(answer, names)))
    return Followed(tuple(done), tuple(movements), tuple(dict.fromkeys(cautions)))


def lineage(name: str) -> frozenset[str]:
    """The lesions that one stems from, as they were called when they were first seen.

    >>> sorted(lineage("L1+L2b"))
    ['L1', 'L2']
    """
    return frozenset(part.rstrip("bcdefghijklmnopqrstuvwxyz") for part in name.split("+"))


def _names(answer: Answer, one: Answer, movement: Array | None, taken: set[str]) -> dict[str, str]:
    """What lesions of the answer are called on an earlier study, where they are found there."""
    now, before = _outlined(answer), _outlined(one)
    if now is None or before is None:
        return {}
    found: dict[str, str] = {}
    for match in match_lesions(now[1], before[1], onto=movement):
        if not match.now or not match.earlier:
            continue
        called = "+".join(dict.fromkeys(one.lesions[before[0], label].name for label in match.earlier))
        voxels = {label: int(now[1].of(label).sum()) for label in match.now}
        for n, label in enumerate(sorted(voxels, key=lambda label: -voxels[label])):
            name = called if n == 0 else f"{called}{chr(ord('a') + min(n, 25))}"
            if name not in taken:
                found[answer.lesions[now[0], label].name] = name
    return found


def _onto(
    study: Study, answer: Answer, then: Study, one: Answer, cautions: list[Problem], tell: Tell
) -> Array | None:
    """From places in the study to places in the earlier one; None where both share a frame of reference.

    Registered on CT or MR where both studies hold such a picture in the frame of what was outlined: it shows more
    of the body than a PET does. Where that fails, the places are taken as they are, and that is told.
    """
    fixed, moving = study.pictures[answer.cases[0][0]], then.pictures[one.cases[0][0]]
    if not isinstance(fixed, Volume) or not isinstance(moving, Volume):
        return None
    frames = frame_of(fixed), frame_of(moving)
    if frames[0] and frames[0] == frames[1]:
        return None
    for modality in ("CT", "MR"):
        both = [_beside(one, picture, modality) for one, picture in ((study, fixed), (then, moving))]
        if both[0] is not None and both[1] is not None:
            fixed, moving = both[0], both[1]
            break
    try:
        return rigid_movement(fixed, moving, tell=tell).matrix
    except OslerError as error:
        what = say("earlier.not_registered", study=then.name, why=error.problem)
        cautions.append(Problem(what, say("earlier.not_registered.remedy"), "registration"))
        return None


def _beside(study: Study, picture: Volume, modality: str) -> Volume | None:
    """A volume of that modality in the picture's frame of reference; in files without frames, any of the study."""
    frame = frame_of(picture)
    return next(
        (
            one
            for one in (picture, *study.pictures)
            if isinstance(one, Volume) and one.facts.modality == modality and frame_of(one) == frame
        ),
        None,
    )


def _outlined(answer: Answer) -> tuple[int, Mask] | None:
    """The picture on which most lesions are outlined, and its mask without the healthy references."""
    drawn = []
    for index, one in answer.cases:
        if one.mask is not None:
            healthy = [label for label in one.mask.labels if not answer.lesions[index, label].name]
            drawn.append((index, _emptied(one.mask, healthy)))
    return max((one for one in drawn if one[1].array.any()), key=lambda one: len(one[1].labels), default=None)


def _emptied(mask: Mask, labels: Sequence[int]) -> Mask:
    return replace(mask, array=np.where(np.isin(mask.array, labels), 0, mask.array)) if labels else mask


def _without(answer: Answer, names: Mapping[str, str]) -> Answer:
    """The answer without the lesions that have a name already."""
    cases = []
    for index, one in answer.cases:
        if one.mask is not None and names:
            gone = [
                label for (at, label), lesion in answer.lesions.items() if at == index and lesion.name in names
            ]
            one = replace(one, mask=_emptied(one.mask, gone))
        cases.append((index, one))
    return replace(answer, cases=tuple(cases))


def _next(known: set[str]) -> str:
    number = 1
    while (name := say("measure.lesion", number=number)) in known:
        number += 1
    return name


def _renamed(answer: Answer, names: Mapping[str, str]) -> Answer:
    lesions = {place: replace(lesion, name=names.get(lesion.name, "")) for place, lesion in answer.lesions.items()}
    cases = []
    for index, one in answer.cases:
        if one.mask is not None:
            labels = {label: _called(lesions[index, label]) for label in one.mask.labels}
            one = replace(one, mask=replace(one.mask, labels=labels), classes=tuple(labels.values()))
        cases.append((index, one))
    return replace(answer, cases=tuple(cases), lesions=lesions)
