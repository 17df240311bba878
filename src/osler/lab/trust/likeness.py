"""What the pictures a model learnt from look like, and from where on another one is unlike them.

    training pictures -> where features lie, what they look like, how a turned one would look
    validation patients -> how unlike is usual, and the scores that make a p-value

Validation pictures are never among those that a distance is measured to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.arrays import Array, Floats
from osler.core.progress import Tell, silent
from osler.inference.gate import (
    FARTHEST,
    RULES,
    feature_measures,
    judge,
    look_measures,
    plain_facts,
    scores_of,
)
from osler.inference.look import INVERTED, plain_look, quantiles, turns_of
from osler.inference.predict import predict_prepared
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.dataset import Case, Dataset
from osler.models.likeness import Evidence, FeatureSpace, Gate, PlainLook, Span
from osler.models.model import Model
from osler.models.prepare import prepare

FALSE_ALARM = 0.05  # promised share of pictures like the validation ones that are called unlike
MOST, WORK = 1000, 200_000_000  # training pictures looked at, and numbers of prepared pictures in all
LEAST = 60  # looked at however large they are; and through a net that draws masks
FEWEST = 10  # training pictures, and
FEWEST_PATIENTS = 3  # of validation, below which nothing but plain facts is learnt
WIDEST = 2048  # features; of wider nets (a linear one: the pixels themselves) the plain look says as much
TOLD = 0.9  # area under the curve from which on a way of standing wrong can be told
BATCH = 32  # flat pictures opened at a time
NOTICED = 60  # validation pictures that are turned and spoilt to see what the gate notices


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What is kept of one case after it was opened.

    features  (n,) of the net, None where it has none
    look      (n,) descriptor; greys (channels, 33); facts one mapping a channel
    turned    turn -> descriptor of the picture turned so, where that was asked for
    """

    patient: str
    label: object
    features: Array | None
    look: Floats
    greys: Floats
    facts: tuple[Mapping[str, float], ...]
    turned: Mapping[str, Floats]


def fit_gate(
    model: Model, validation: Dataset, seen: Dataset, *, tell: Tell = silent
) -> tuple[Gate, FeatureSpace | None, PlainLook | None]:
    """The gate of a model, and what it measures distances to.

    seen  the cases it was trained on, in the order of the model's classes; where they are the validation cases
          themselves (a net from elsewhere), one half of the patients is learnt from and the other compared
    """
    cases = tuple(case for case in seen.cases if case.id not in {one.id for one in validation.cases})
    against = validation.cases
    if not cases:
        cases, against = _halves(validation.cases)
    lean = lean_model(model)
    first = prepare(load_pictures((against or cases)[0]), model.recipe).array
    most = int(np.clip(WORK // first.size, LEAST, MOST))
    known = _sights(lean, _drawn(cases, most), tell=tell, stage="looking at training pictures", learning=True)
    ours = _sights(lean, _drawn(against, most), tell=tell, stage="looking at validation pictures")
    spans = _spans([*known, *ours])
    patients = len({sight.patient for sight in ours})
    if len(known) < FEWEST or patients < FEWEST_PATIENTS:
        note = (
            f"{len(known)} training pictures and {patients} validation patients are too few to compare more than"
            " plain facts."
        )
        return Gate(FALSE_ALARM, (), (), spans, patients, note=note), None, None
    space, look = fit_space(known, model.card.task), fit_look(known)
    one_each = _one_a_patient(ours)
    evidence, scores = fit_scores([_measured(sight, space, look) for sight in one_each])
    gate = Gate(FALSE_ALARM, scores, evidence, spans, len(scores), note=_note(len(scores)))
    notices = _notices(lean, gate, space, look, _drawn(against, NOTICED))
    return replace(gate, notices=notices), space, look


def lean_model(model: Model) -> Model:
    """The model with its first member only and no mirror images: its features are the same, and come faster."""
    return replace(model, members=model.members[:1], trust=replace(model.trust, flips=()))


def fit_space(known: Sequence[Sight], task: str) -> FeatureSpace | None:
    """Where the net's features of training pictures lie; None for nets without features, or with dead ones."""
    rows = [sight for sight in known if sight.features is not None and np.isfinite(sight.features).all()]
    if len(rows) < FEWEST:
        return None
    features = np.stack([np.asarray(sight.features, np.float64) for sight in rows])
    if features.shape[1] > WIDEST or features.std(axis=0).max() <= 1e-9:
        return None
    mean, whitening = gaussian(features)
    labels = None if task == "segmentation" else np.array([sight.label for sight in rows])
    if labels is not None:
        labels = labels.astype(np.float32 if task == "regression" else np.int16)
    return FeatureSpace(mean, whitening, features.astype(np.float16), labels)


def fit_look(known: Sequence[Sight]) -> PlainLook:
    """What training pictures look like, and which ways of standing wrong can be told from how they stand."""
    looks = np.stack([sight.look for sight in known]).astype(np.float64)
    mean, whitening = gaussian(looks)
    kept: dict[str, Floats] = {}
    half = len(known) // 2
    for name in known[0].turned:
        wrong = np.stack([sight.turned[name] for sight in known]).astype(np.float64)
        trial = _towards(looks[:half], wrong[:half])
        if trial is None or _area(looks[half:] @ trial, wrong[half:] @ trial) < TOLD:
            continue
        towards = _towards(looks, wrong)
        if towards is not None:
            kept[name] = towards
    greys = np.mean([sight.greys for sight in known], axis=0)
    directions = np.stack(list(kept.values())) if kept else np.zeros((0, looks.shape[1]))
    return PlainLook(mean, whitening, greys.astype(np.float32), tuple(kept), directions.astype(np.float32))


def gaussian(rows: Array) -> tuple[Floats, Floats]:
    """Mean (n,) and whitening (n, n) of rows (cases, n), both float32.

    The covariance is shrunk as Ledoit & Wolf 2004 (J Multivar Anal 88:365) do, since numbers outnumber pictures
    easily; without the correlations a knee passes for a chest.
    """
    from sklearn.covariance import LedoitWolf

    rows = np.asarray(rows, np.float64)
    # A hair of noise-free ridge keeps numbers that never change from being infinitely telling.
    ridge = 1e-4 * max(float(rows.var(axis=0).mean()), 1e-12)
    covariance = LedoitWolf().fit(rows).covariance_ + ridge * np.eye(rows.shape[1])
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    return rows.mean(axis=0).astype(np.float32), np.ascontiguousarray(root.T.astype(np.float32))


def fit_scores(measured: Sequence[Mapping[str, float]]) -> tuple[tuple[Evidence, ...], tuple[float, ...]]:
    """What is usual of each measure, and the score of each validation patient, smallest first.

    A patient's own score takes what is usual from the other patients: else it would look more usual than a new
    patient does, and the promise would be broken by a little.
    """
    evidence, columns = [], []
    for name in measured[0]:
        numbers = np.array([one[name] for one in measured], float)
        finite = np.isfinite(numbers)
        if finite.sum() < FEWEST_PATIENTS or numbers[finite].std() <= 1e-9:
            continue  # what is the same for all says nothing
        evidence.append(Evidence(name, *(round(float(x), 6) for x in _usual(numbers[finite]))))
        without = []
        for place in range(len(numbers)):
            others = np.delete(numbers, place)[np.delete(finite, place)]
            mean, deviation = _usual(others)
            without.append((numbers[place] - mean) / deviation if np.isfinite(numbers[place]) else FARTHEST)
        columns.append(without)
    if not columns:
        return (), ()
    scores = np.sort(np.minimum(np.max(columns, axis=0), FARTHEST))
    return tuple(evidence), tuple(round(float(score), 5) for score in scores)


def spoilt(array: Array) -> dict[str, Array]:
    """The prepared picture spoilt in ways that nothing was learnt from, as a fair trial of the gate."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(0)
    rows, columns = array.shape[-2:]
    blur = (0.0,) * (array.ndim - 2) + (rows / 14, columns / 14)
    part = array[..., rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
    enlarged = part.repeat(2, -2).repeat(2, -1)[..., :rows, :columns]
    mean, deviation = float(array.mean()), float(array.std())
    return {
        "noise only": random.normal(mean, deviation, array.shape).astype(np.float32),
        "noisy": array + random.normal(0, deviation, array.shape).astype(np.float32),
        "blurred": gaussian_filter(array, blur),
        "its middle enlarged": enlarged,
    }


def _sights(model: Model, cases: Sequence[Case], *, tell: Tell, stage: str, learning: bool = False) -> list[Sight]:
    """What is kept of each case.

    learning  of training cases: turned ones too; and a net that draws masks takes long, so it is asked about few
    """
    sights: list[Sight] = []
    many = LEAST if learning and model.task.pixels else len(cases)
    asked = set(np.random.default_rng(1).permutation(len(cases))[:many].tolist())
    for first in range(0, len(cases), step := 1 if model.task.pixels else BATCH):
        some = cases[first : first + step]
        pictures = [load_pictures(case) for case in some]
        prepared = [prepare(ones, model.recipe) for ones in pictures]
        features: list[Array | None] = [None] * len(some)
        if first in asked or not model.task.pixels:
            features = [answer.features for answer in predict_prepared(model, prepared)]
        for case, ones, ready, pooled in zip(some, pictures, prepared, features, strict=True):
            turns = turns_of(ready.array, model.recipe) if learning else {}
            turned = {name: plain_look(turn(ready.array)) for name, turn in turns.items()}
            greys = np.stack([quantiles(one) for one in ones])
            facts = tuple(plain_facts(one) for one in ones)
            look = plain_look(ready.array)
            sights.append(Sight(case.patient, case.label, pooled, look, greys, facts, turned))
        tell(stage, len(sights), len(cases), "")
    return sights


def _measured(sight: Sight, space: FeatureSpace | None, look: PlainLook) -> dict[str, float]:
    found = look_measures(sight.look, sight.greys, look)
    if space is not None and sight.features is not None:
        found |= feature_measures(sight.features, space)
    return found


def _usual(numbers: Array) -> tuple[float, float]:
    return float(numbers.mean()), max(float(numbers.std(ddof=1)), 1e-9)


def _towards(looks: Array, wrong: Array) -> Floats | None:
    """Fisher's discriminant from pictures as they are towards those that stand wrong; None where there is none."""
    from sklearn.covariance import LedoitWolf

    apart = wrong.mean(axis=0) - looks.mean(axis=0)
    if np.abs(apart).max() <= 1e-9:
        return None
    within = np.concatenate([looks - looks.mean(axis=0), wrong - wrong.mean(axis=0)])
    covariance = LedoitWolf(assume_centered=True).fit(within).covariance_
    ridge = 1e-4 * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    found: Floats = np.linalg.solve(covariance + ridge * np.eye(len(covariance)), apart)
    return found


def _area(usual: Array, wrong: Array) -> float:
    """Chance that a picture that stands wrong lies above one that does not."""
    return float((wrong[:, None] > usual[None]).mean() + 0.5 * (wrong[:, None] == usual[None]).mean())


def _notices(
    model: Model, gate: Gate, space: FeatureSpace | None, look: PlainLook, cases: Sequence[Case]
) -> dict[str, float]:
    """Share of validation pictures, turned and spoilt, that the gate calls unlike.

    A net that draws masks takes long for each, so it is left out there: it could only notice more.
    """
    if model.task.pixels:
        space = None
    found: dict[str, list[bool]] = {}
    for case in cases:
        pictures = load_pictures(case)
        prepared = prepare(pictures, model.recipe)
        greys = np.stack([quantiles(picture) for picture in pictures])
        wrong = {name: turn(prepared.array) for name, turn in turns_of(prepared.array, model.recipe).items()}
        wrong |= spoilt(prepared.array)
        arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in wrong.items()}
        features: list[Array | None] = [None] * len(arrays)
        if space is not None:
            ready = [replace(prepared, array=array) for array in arrays.values()]
            features = [answer.features for answer in predict_prepared(model, ready)]
        for (name, array), pooled in zip(arrays.items(), features, strict=True):
            measured = look_measures(plain_look(array), 1 - greys[:, ::-1] if name == INVERTED else greys, look)
            if space is not None and pooled is not None:
                measured |= feature_measures(pooled, space)
            asked = replace(gate, evidence=tuple(one for one in gate.evidence if one.name in measured))
            found.setdefault(name, []).append(judge(scores_of(measured, asked), asked).unlike)
    return {name: round(float(np.mean(called)), 3) for name, called in found.items()}


def _one_a_patient(sights: Sequence[Sight]) -> list[Sight]:
    """One picture of each patient, drawn: the promise is for a new patient, and holds exactly for one picture."""
    order = np.random.default_rng(0).permutation(len(sights))
    chosen = {sights[place].patient: place for place in order}
    return [sights[place] for place in sorted(chosen.values())]


def _spans(sights: Sequence[Sight]) -> tuple[tuple[Span, ...], ...]:
    made = []
    for facts in zip(*(sight.facts for sight in sights), strict=True):
        told = {name: [fact[name] for fact in facts if name in fact] for name in RULES}
        made.append(
            tuple(
                Span(name, round(min(told[name]), 6), round(max(told[name]), 6), len(told[name]))
                for name in RULES
                if 2 * len(told[name]) >= len(facts)  # what few files tell is not known of the others
            )
        )
    return tuple(made)


def _note(patients: int) -> str:
    if 1 / (patients + 1) <= FALSE_ALARM:
        return ""
    return (
        f"{patients} patients are too few to promise {FALSE_ALARM:.0%} false alarms (the smallest p-value is"
        f" {1 / (patients + 1):.2f}): pictures farther out than all of theirs are marked, none is declined."
    )


def _drawn(cases: Sequence[Case], most: int) -> list[Case]:
    places = np.random.default_rng(0).permutation(len(cases))[:most]
    return [cases[place] for place in sorted(places)]


def _halves(cases: Sequence[Case]) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The cases of every second patient, and those of the others."""
    patients = list(dict.fromkeys(case.patient for case in cases))
    learnt = set(np.random.default_rng(0).permutation(np.array(patients, object))[::2])
    first = tuple(case for case in cases if case.patient in learnt)
    return first, tuple(case for case in cases if case.patient not in learnt)
