"""Does the model notice when it should be silent? Kept as gate.json.

python benchmarks/gate.py DATA CHEST RETINA HIPPOCAMPUS HIPPOCAMPUS-DATA [MOST]

DATA is the folder of shared data, the next three are model folders with a gate, then the data that the last of
them was trained on; MOST pictures of each set are looked at (150). Every model is fed its own test pictures, those
turned and spoilt, the other models' pictures, and what none of them reads.

declined        by the whole road of `osler read`: header, pixels, quality, gate, the card's policy
declined_alone  by the gate alone, as if every header had passed; of pictures that the model can take at all
auroc           of the gate's score against the model's own test pictures
"""

import importlib.metadata
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import keep
from scipy.stats import beta, betabinom

from osler.clinic.pathways.asking import declines, good_enough
from osler.clinic.pathways.choose import offers_for
from osler.clinic.reading import read_study
from osler.core.errors import OslerError
from osler.core.image import Image
from osler.core.study import Picture, Study
from osler.inference.gate import Likeness, judge, likeness, measures, scores_of
from osler.inference.look import quantiles
from osler.inference.predict import predict_prepared
from osler.io.open import open_picture, open_study
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.recognize import read_dataset
from osler.lab.evaluate.examine import chosen_cases
from osler.lab.trust.likeness import fit_scores
from osler.models.likeness import Gate
from osler.models.model import Model, load_model
from osler.models.prepare import prepare
from osler.models.shelf import Shelf

# Voxels after preparation from which a declined study is not also asked of the gate alone: bodies take minutes.
LARGEST = 1_000_000

Set = list[tuple[str, Study]]  # the patient (or the file's name), and what is fed


def main() -> None:
    data, chest, retina, hippocampus, boxes = (Path(word) for word in sys.argv[1:6])
    most = int(sys.argv[6]) if len(sys.argv) > 6 else 150
    models = {
        "chest": (load_model(chest), data / "chest-xray"),
        "retina": (load_model(retina), data / "medmnist" / "retinamnist.npz"),
        "hippocampus": (load_model(hippocampus), boxes),
    }
    own = {
        name: of_cases(chosen_cases(model, where, "test")[0].cases, 10**6)
        for name, (model, where) in models.items()
    }
    strangers: dict[str, Set] = {
        "knee-oa": of_cases(read_dataset(data / "knee-oa").cases, most),
        "pathology-tiles": of_cases(read_dataset(data / "pathology-tiles").cases, most),
        "covid-hannover": [
            (path.stem, study_of([open_picture(path)]))
            for path in sorted((data / "covid-hannover" / "png").glob("*.png"))
        ],
        "sarcoma": list(opened(sorted((data / "sarcoma" / "nifti").rglob("*.nii.gz")))),
        "pydicom-data": list(opened(package_files())),
    }
    told = {}
    for name, (model, where) in models.items():
        others = {f"{other} (test)": thin(own[other], most) for other in own if other != name}
        told[name] = of_model(name, model, where, own[name], others | strangers, most)
        print(name, told[name]["wrong"], told[name]["own"], flush=True)
    keep("gate", {"command": "python benchmarks/gate.py ...", "most": most, "models": told})


def of_model(name: str, model: Model, where: Path, own: Set, others: dict[str, Set], most: int) -> dict[str, Any]:
    """Everything that one model is fed."""
    gate = model.trust.gate
    assert gate is not None
    home = [ask(model, study) for _, study in own]
    scores = np.array([like.score for _, like in home if like is not None])
    cases = chosen_cases(model, where, "val")[0].cases
    pooled = [
        *zip(
            [case.patient for case in cases], [measured(model, load_pictures(case)) for case in cases], strict=True
        )
    ]
    pooled += [(who, measured(model, list(study.pictures))) for who, study in own]
    result: dict[str, Any] = {
        "reshuffled": reshuffled(pooled, len(gate.scores), gate.false_alarm),
        "model": model.card.name,
        "gate": {
            "promised": gate.false_alarm,
            "patients": gate.patients,
            "notices": dict(gate.notices),
            "note": gate.note,
        },
        "own": false_alarms(model, own, home),
        "turned": {},
        "others": {},
    }
    for way, turn in TURNS.items():
        some = [study_of([turned(picture, turn) for picture in study.pictures]) for _, study in thin(own, most)]
        result["turned"][way] = told([ask(model, study) for study in some], scores)
    wrong = []
    for other, fed in others.items():
        asked = [ask(model, study) for _, study in fed]
        result["others"][other] = told(asked, scores)
        result["others"][other]["read"] = [
            who for (who, _), (declined, _) in zip(fed, asked, strict=True) if not declined
        ][:12]
        if name == "chest" and other == "covid-hannover":
            continue  # the right kind, of another hospital and age
        # Four files of pydicom-data hold one radiograph of a chest, and say so.
        right = [name == "chest" and who.startswith("RG1") for who, _ in fed]
        wrong += [one for one, kind in zip(asked, right, strict=True) if not kind]
    result["wrong"] = {"n": len(wrong), "declined": round(float(np.mean([declined for declined, _ in wrong])), 4)}
    result["time"] = times(model, thin(own, 40))
    return result


def ask(model: Model, study: Study) -> tuple[bool, Likeness | None]:
    """Is the study declined on the road of `osler read`? And what the gate alone says of its first picture."""
    shelf = Shelf((model.folder.parent,))
    offers, _ = offers_for(study, shelf, asked=str(model.folder))
    good = [good_enough(study, offer)[0] for offer in offers]
    cases = [case for offer in good for case in offer.cases]
    fitting = cases or [
        (n,) for n, one in enumerate(study.pictures) if isinstance(one, Image) == (model.recipe.dims == 2)
    ]
    likes = []
    for case in fitting:
        pictures = [study.pictures[n] for n in case]
        try:
            prepared = prepare(pictures, model.recipe)
            if not cases and prepared.array.size > LARGEST:
                continue
            answer = next(predict_prepared(model, [prepared]))
            likes.append(likeness(model, pictures, prepared, answer.features))
        except OslerError:
            continue
    like = likes[0] if likes else None
    if not cases:
        return True, like
    unlike = [
        one is not None and one.unlike and one.sure and declines(model.card, good[0].support) for one in likes
    ]
    return all(unlike), like


def told(asked: list[tuple[bool, Likeness | None]], home: np.ndarray) -> dict[str, Any]:
    """Shares of one set, each with its n."""
    likes = [like for _, like in asked if like is not None]
    made: dict[str, Any] = {
        "n": len(asked),
        "declined": share([declined for declined, _ in asked]),
        "taken": len(likes),
    }
    if likes:
        scores = np.array([like.score for like in likes])
        above = (scores[:, None] > home[None]).mean() + 0.5 * (scores[:, None] == home[None]).mean()
        made |= {"declined_alone": share([like.unlike for like in likes]), "auroc": round(float(above), 4)}
        reasons = [like.reason for like in likes if like.unlike]
        made["reasons"] = {
            one: reasons.count(one) for one in sorted(set(reasons), key=reasons.count, reverse=True)[:3]
        }
    return made


def false_alarms(model: Model, own: Set, asked: list[tuple[bool, Likeness | None]]) -> dict[str, Any]:
    """How often the model's own test pictures are called unlike, and between which numbers that must lie.

    With n validation patients the rate is Beta(l, n + 1 - l), l = floor(promised (n + 1)), and the alarms of m
    test patients, one picture each, are beta-binomial (Vovk 2012).
    """
    gate = model.trust.gate
    assert gate is not None
    called = np.array([like is not None and like.unlike for _, like in asked])
    patients = np.array([patient for patient, _ in own])
    order = np.random.default_rng(0).permutation(len(patients))
    one_each = [order[np.flatnonzero(patients[order] == patient)[0]] for patient in np.unique(patients)]
    n, m = len(gate.scores), len(one_each)
    rank = max(1, int(gate.false_alarm * (n + 1) + 1e-9))
    low, high = betabinom.interval(0.95, m, rank, n + 1 - rank)
    alarms = int(called[one_each].sum())
    exact = (beta.ppf(0.025, alarms, m - alarms + 1) if alarms else 0.0, beta.ppf(0.975, alarms + 1, m - alarms))
    return {
        "cases": len(called),
        "called_unlike": share(called),
        "declined": share([declined for declined, _ in asked]),
        "patients": m,
        "patients_called_unlike": alarms,
        "rate": round(alarms / m, 4),
        "interval": [round(float(end), 4) for end in exact],
        "expected_between": [round(float(low) / m, 4), round(float(high) / m, 4)],
        "inside": bool(low <= alarms <= high),
    }


def measured(model: Model, pictures: list[Picture]) -> dict[str, float]:
    prepared = prepare(pictures, model.recipe)
    answer = next(predict_prepared(model, [prepared]))
    return measures(model, prepared.array, np.stack([quantiles(one) for one in pictures]), answer.features)


def reshuffled(pooled: list[tuple[str, dict[str, float]]], patients: int, promised: float) -> dict[str, Any]:
    """The false alarms where validation and test patients are truly alike: both shuffled together, 100 times.

    A data set's own test folder may come from elsewhere than its training folder; this one cannot.
    """
    of = {who: [found for one, found in pooled if one == who] for who, _ in pooled}
    names, rates, inside = sorted(of), [], 0
    random = np.random.default_rng(3)
    for _ in range(100):
        order = random.permutation(names)
        drawn = [of[who][random.integers(len(of[who]))] for who in order]
        evidence, scores = fit_scores(drawn[:patients])
        gate = Gate(promised, scores, evidence, patients=patients)
        called = sum(judge(scores_of(found, gate), gate).unlike for found in drawn[patients:])
        m, rank = len(drawn) - patients, max(1, int(promised * (patients + 1) + 1e-9))
        low, high = betabinom.interval(0.95, m, rank, patients + 1 - rank)
        rates.append(called / m)
        inside += bool(low <= called <= high)
    return {
        "times": len(rates),
        "patients": [patients, len(names) - patients],
        "expected": round(rank / (patients + 1), 4),
        "mean_rate": round(float(np.mean(rates)), 4),
        "inside": inside,
    }


def times(model: Model, some: Set) -> dict[str, Any]:
    """Seconds of a reading's parts, medians: preparing and predicting, the gate, and `read_study` as a whole."""
    parts = []
    for _, study in some:
        pictures = list(study.pictures)
        start = time.perf_counter()
        prepared = prepare(pictures, model.recipe)
        answer = next(predict_prepared(model, [prepared]))
        predicted = time.perf_counter()
        likeness(model, pictures, prepared, answer.features)
        gated = time.perf_counter()
        report = read_study(study, Shelf((model.folder.parent,)), pathway=str(model.folder))
        if not report.declined:
            parts.append((predicted - start, gated - predicted, sum(seconds for _, seconds in report.seconds)))
    predicting, gating, reading = np.median(np.array(parts), axis=0)
    return {
        "n": len(parts),
        "predict_ms": round(float(predicting) * 1e3, 2),
        "gate_ms": round(float(gating) * 1e3, 2),
        "read_ms": round(float(reading) * 1e3, 2),
        "share_of_predicting": round(float(gating / (predicting + gating)), 4),
        "share_of_reading": round(float(gating / reading), 4),
    }


RANDOM = np.random.default_rng(7)


def _noise(array: np.ndarray) -> np.ndarray:
    made = RANDOM.normal(array.mean(), array.std(), array.shape).clip(array.min(), array.max())
    return made.astype(array.dtype)


# Rows are the first axis of a flat picture and the second of a volume; colours come last.
TURNS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "upside down": lambda array, rows: np.flip(array, rows),
    "mirrored": lambda array, rows: np.flip(array, rows + 1),
    "turned by 180": lambda array, rows: np.flip(array, (rows, rows + 1)),
    "inverted": lambda array, rows: array.max() - array + array.min(),
    "blank": lambda array, rows: np.full_like(array, array.mean()),
    "noise": lambda array, rows: _noise(array),
}


def turned(picture: Picture, turn: Callable[[np.ndarray, int], np.ndarray]) -> Picture:
    return picture.with_array(np.ascontiguousarray(turn(picture.array, 0 if isinstance(picture, Image) else 1)))


def of_cases(cases: Iterable[Any], most: int) -> Set:
    made: Set = [(case.patient, study_of(load_pictures(case))) for case in _thin(list(cases), most)]
    return made


def thin(fed: Set, most: int) -> Set:
    return _thin(fed, most)


def _thin(things: list[Any], most: int) -> list[Any]:
    places = np.random.default_rng(0).permutation(len(things))[:most]
    return [things[place] for place in sorted(places)]


def study_of(pictures: list[Picture]) -> Study:
    return Study(tuple(pictures), pictures[0].facts, name="a study")


def opened(paths: Iterable[Path]) -> Iterator[tuple[str, Study]]:
    """Every file that Osler can read, as a study."""
    for path in paths:
        try:
            study = open_study(path)
        except OslerError:
            continue
        if study.pictures:
            yield path.name, replace(study, name=path.name)


def package_files() -> list[Path]:
    files = importlib.metadata.files("pydicom-data") or []
    return sorted(Path(str(one.locate())) for one in files if one.name.endswith(".dcm"))


def share(flags: Any) -> float:
    return round(float(np.mean(flags)), 4) if len(flags) else float("nan")


if __name__ == "__main__":
    main()
