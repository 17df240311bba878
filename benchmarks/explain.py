"""Maps of real answers: what they cost, how many pass their checks, and what deleting what they mark does.

python benchmarks/explain.py NAME MODEL DATA CASES [WAY,WAY]

Writes benchmarks/explain-NAME.json. Cases are drawn (seed 0) from the test split, from all where there is none.
Deletion and insertion (Petsiuk et al. 2018, BMVC): the score while the most marked tenths of the picture are
hidden one after the other, or put back into the blurred picture. Told are the mean fall below the score of the
picture, and the mean rise above that of the blurred one, for the map and for the same map moved elsewhere.
"""

import random
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from record import keep

from osler.core.errors import OslerError
from osler.core.progress import silent
from osler.explain.blur import blurred, surroundings
from osler.explain.question import Question, ask_why, said, score
from osler.explain.table import WAYS, can
from osler.explain.why import explain
from osler.inference.predict import predict_prepared
from osler.lab.catalog.cases import load_pictures
from osler.lab.catalog.recognize import read_dataset
from osler.models.model import Model, load_model
from osler.models.prepare import prepare

TENTHS = 10


def main() -> None:
    name, folder, data, many, *more = sys.argv[1:]
    model = load_model(Path(folder))
    ways = [way for way in (more[0].split(",") if more else WAYS) if can(WAYS[way], model)]
    dataset = read_dataset(Path(data), task=model.card.task)
    cases = list(dataset.split("test").cases or dataset.cases)
    random.Random(0).shuffle(cases)
    kept: dict[str, list[dict[str, Any]]] = defaultdict(list)
    predicting = []
    for case in cases[: int(many)]:
        try:
            start = time.perf_counter()
            prepared = prepare(load_pictures(case), model.recipe)
            prediction = next(predict_prepared(model, [prepared]))
            predicting.append(time.perf_counter() - start)
        except OslerError as error:
            raise SystemExit(f"{case.id}: {error}") from error
        for target in said(prediction, model.trust.operating_point)[:1]:
            question = ask_why(model, prepared, target)
            for way in ways:
                made = explain(model, prepared, way=way, target=target)
                row: dict[str, Any] = {"seconds": made.seconds, "trouble": made.trouble, "shown": made.shown}
                if made.sanity is not None:
                    found = WAYS[way].make(model.members, question, silent)
                    row |= {
                        "learnt": made.sanity.learnt,
                        "likeness": made.sanity.likeness,
                        "faithful": made.sanity.faithful,
                        "fall": made.sanity.fall,
                        "elsewhere": mean(made.sanity.elsewhere),
                        "gap": made.gap,
                        "curves": curves(model, question, found),
                    }
                kept[way].append(row)
        sys.stderr.write(f"{case.id}\n")
    result = {
        "model": model.card.name,
        "task": model.card.task,
        "members": len(model.members),
        "size": list(model.recipe.size),
        "data": Path(data).name,
        "cases": len(predicting),
        "predict_seconds_median": round(median(predicting), 4),
        "ways": {way: summary(rows) for way, rows in kept.items()},
    }
    keep(f"explain-{name}", result, note="log-odds fall; pass: learnt (a), faithful (b), shown (both)")


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many passed, and means; n is the number of maps."""
    made = [row for row in rows if not row["trouble"]]
    told: dict[str, Any] = {
        "n": len(rows),
        "no_map": len(rows) - len(made),
        "learnt": sum(row["learnt"] is True for row in made),
        "faithful": sum(row["faithful"] for row in made),
        "shown": sum(row["shown"] for row in made),
        "seconds_median": round(median(row["seconds"] for row in rows), 3),
    }
    if not made:
        return told
    for number in ("likeness", "fall", "elsewhere", "gap"):
        values = [row[number] for row in made if row[number] is not None]
        if values:
            told[f"{number}_mean"] = round(mean(values), 4)
    for curve in ("deletion", "deletion_elsewhere", "insertion", "insertion_elsewhere"):
        told[curve] = round(median(row["curves"][curve] for row in made), 4)
    return told


def curves(model: Model, question: Question, found: np.ndarray) -> dict[str, float]:
    """Mean fall while deleting, mean rise while inserting: of the map (high is good), and of it moved away."""
    inside = found[question.inside]
    moved = np.roll(inside, [n // 2 for n in inside.shape], tuple(range(inside.ndim)))
    start = blurred(question.image)
    with torch.no_grad():
        ends = score(model.members, torch.stack([question.image, start]), question).tolist()
    areas = {}
    for where, numbers in (("", inside), ("_elsewhere", moved)):
        rank = np.empty(numbers.size, int)
        rank[np.argsort(-numbers, axis=None, kind="stable")] = np.arange(numbers.size)
        deleted, inserted = [], []
        for tenth in range(TENTHS + 1):
            part = np.zeros(question.spatial, bool)
            part[question.inside] = (rank < numbers.size * tenth / TENTHS).reshape(numbers.shape)
            deleted.append(surroundings(question.image, part) if tenth < TENTHS else start)
            inserted.append(torch.where(torch.from_numpy(part), question.image, start))
        with torch.no_grad():
            fell = [ends[0] - float(score(model.members, p[None], question)[0]) for p in deleted]
            rose = [float(score(model.members, p[None], question)[0]) - ends[1] for p in inserted]
        areas["deletion" + where] = float(np.trapezoid(fell, dx=1 / TENTHS))
        areas["insertion" + where] = float(np.trapezoid(rose, dx=1 / TENTHS))
    return areas


if __name__ == "__main__":
    main()
