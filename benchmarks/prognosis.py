"""Prognosis: real patients (few), and made-up cohorts whose hazard is known.

    python benchmarks/prognosis.py COVID OUT [LIFELINES]

COVID      shared/data/covid-hannover
OUT        a folder for tables and models
LIFELINES  a Python that has lifelines (it pins pandas below ours, so it lives in an environment of its own)

QUICK=1 in the environment takes few repeats.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from record import keep, run

from osler.core.errors import BadDataset
from osler.lab.risk import metrics
from osler.lab.risk.cohort import Cohort, Columns, check_learnable, read_cohort
from osler.lab.risk.cox import fit_cox
from osler.lab.risk.evaluate import score, score_times
from osler.lab.risk.fit import fit_parts
from osler.models.risk.learner import interval

QUICK = bool(os.environ.get("QUICK"))
SIMULATIONS = 40 if QUICK else 400
COHORTS = {500: 2 if QUICK else 10, 2000: 1 if QUICK else 3}
TRUTH = np.array([0.5, -0.5, 0.3, 0.0, 0.8])
HORIZONS = (1.0, 2.0)
FRESH = 2000  # patients that nothing was fitted on


def main() -> None:
    covid, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {
        "covid_hannover": covid_hannover(covid, out),
        "coefficients": coefficients(),
        "simulated": {shape: simulated(shape) for shape in ("linear", "not linear")},
    }
    if len(sys.argv) > 3:
        result["lifelines"] = lifelines(sys.argv[3], out)
    keep(
        "prognosis",
        result,
        note="simulated: Weibull proportional hazards, shape 1.3, five columns, fresh patients",
    )


def covid_hannover(data: Path, out: Path) -> dict[str, Any]:
    """Intensive care, yes or no? The first picture of each patient, and its laboratory values."""
    rows = list(csv.DictReader((data / "data.csv").open()))
    rows.sort(key=lambda row: -float(row["admission_offset"]))  # days from the picture back to admission
    by_patient: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        by_patient[row["patient_id"]].append(row)
    facts = [name for name in rows[0] if name.endswith("_val")]
    table = out / "covid.csv"
    with table.open("w", newline="") as file:
        # "projection" is left out: all patients in intensive care have bedside films (ap); it tells the answer.
        writer = csv.writer(file)
        writer.writerow(["patient", "file", "icu", "died", "sex", *facts])
        for patient, studies in by_patient.items():
            first = studies[0]
            icu = int(any(one["icu_admission_offset"] for one in studies))
            died = int(any(one["death_offset"] for one in studies))
            picture = (data / "png" / f"{first['image_id']}.png").resolve()
            writer.writerow([patient, picture, icu, died, first["sex"], *(first[name] for name in facts)])
    wanted = ",".join(["sex", *facts])
    trained = run(
        ["risk", "train", str(table), "--event", "icu", "--facts", wanted, "--image", "file", "--model",
         "chest-pneumonia", "--title", "Intensive care", "--out", str(out / "covid-icu")]
    )  # fmt: skip
    answer = trained["answer"]
    try:
        check_learnable(read_cohort(table, Columns("died", facts=tuple(wanted.split(",")))))
        died = "learnt"
    except BadDataset as error:
        died = str(error)
    return {
        "command": trained["command"],
        "seconds": trained["seconds"],
        "n": answer["n"],
        "how": answer["how"],
        "few": answer["few"],
        "notes": answer["card"]["notes"],
        "chosen": answer["card"]["chosen"],
        "figures": answer["figures"],
        "differences": answer["differences"],
        "death": died,
        "mind": "8 of the 9 were admitted to intensive care on the day they were admitted to the hospital, the "
        "ninth a day later: this tells who is ill now rather than what will be. Age is withheld in the data. The "
        "image features come from children's radiographs.",
    }


def cohort(random: np.random.Generator, many: int, shape: str) -> tuple[Cohort, np.ndarray, np.ndarray]:
    """Patients with known hazard: the cohort, their true log hazard ratio, and their true risk at HORIZONS."""
    rows = random.normal(size=(many, 5))
    if shape == "linear":
        ratio = rows @ TRUTH
    else:
        ratio = 1.2 * rows[:, 0] * rows[:, 1] + 1.2 * (np.abs(rows[:, 2]) - 0.8) + 0.3 * rows[:, 4]
    lasted = (random.exponential(size=many) / (0.5 * np.exp(ratio))) ** (1 / 1.3)
    lost = random.uniform(0.2, 5.0, size=many)
    names = tuple("abcde")
    values = tuple(dict(zip(names, row.tolist(), strict=True)) for row in rows)
    true = 1 - np.exp(-0.5 * np.exp(ratio)[:, None] * np.array(HORIZONS) ** 1.3)
    who = tuple(f"P{n}" for n in range(many))
    made = Cohort(shape, who, values, names, "event", np.minimum(lasted, lost), lasted <= lost, "years")
    return made, ratio, true


def coefficients() -> dict[str, Any]:
    """Are the weights right, and do their 95 % intervals hold the truth 95 times in 100?"""
    found = {}
    for many in COHORTS:
        weights, held = [], []
        for seed in range(SIMULATIONS):
            made, _, _ = cohort(np.random.default_rng([seed, many]), many, "linear")
            rows = np.array([[one[name] for name in made.facts] for one in made.values], float)
            fit = fit_cox(rows, made.time, made.event)
            error = np.sqrt(np.diag(fit.covariance))
            weights.append(fit.weights)
            held.append(np.abs(fit.weights - TRUTH) <= 1.959964 * error)
        found[str(many)] = {
            "simulations": SIMULATIONS,
            "truth": TRUTH.tolist(),
            "mean_weight": np.mean(weights, 0).round(4).tolist(),
            "coverage_each": np.mean(held, 0).round(3).tolist(),
            "coverage": round(float(np.mean(held)), 3),
        }
    return found


def simulated(shape: str) -> dict[str, Any]:
    """Each kind learns from n patients and is tried on fresh ones; beside it the true hazard itself."""
    found: dict[str, Any] = {}
    for many, turns in COHORTS.items():
        kinds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        lost = []
        for seed in range(turns):
            made, _, _ = cohort(np.random.default_rng([seed, many, 1]), many, shape)
            fresh, ratio, true = cohort(np.random.default_rng([seed, many, 2]), FRESH, shape)
            lost.append(1 - made.events / many)
            one = np.ones((1, FRESH))
            kinds["true hazard"]["c_index"].append(float(metrics.harrell(fresh.time, fresh.event, ratio, one)[0]))
            times = score_times(fresh, HORIZONS)
            for kind in ("cox", "forest", "deep"):
                start = time.perf_counter()
                fitted = fit_parts(made, kind, seed=seed)
                kinds[kind]["seconds"].append(time.perf_counter() - start)
                learner = fitted.learners["facts"]
                rows = fitted.design.rows(fresh.values, None)
                risk = learner.risk(rows, times)
                figures = score(fresh, {"facts": risk}, HORIZONS, how="fresh patients")
                for name in ("c_index", "c_index_uno", "integrated_brier"):
                    kinds[kind][name].append(figures.find("facts", name).value)  # type: ignore[union-attr]
                for at in HORIZONS:
                    for name in ("auc", "brier", "slope", "observed_over_expected"):
                        value = figures.find("facts", name, at).value  # type: ignore[union-attr]
                        kinds[kind][f"{name} at {at:g}"].append(value)
                some = rows[:300]
                low, high = interval(
                    learner.risk(some, np.array(HORIZONS)),
                    learner.draws(some, np.array(HORIZONS)),
                    learner.shrink(some, np.array(HORIZONS)),
                )
                kinds[kind]["intervals_that_hold_the_true_risk"].append(
                    float(((low <= true[:300]) & (true[:300] <= high)).mean())
                )
                kinds[kind]["mean_distance_from_true_risk"].append(
                    float(np.abs(risk[:, : len(HORIZONS)] - true).mean())
                )
        found[str(many)] = {
            "cohorts": turns,
            "fresh_patients": FRESH,
            "lost": round(float(np.mean(lost)), 3),
            **{
                kind: {
                    name: {"mean": round(float(np.mean(v)), 4), "sd": round(float(np.std(v)), 4)}
                    for name, v in rows.items()
                }
                for kind, rows in kinds.items()
            },
        }
    return found


_ASKED = """
import sys, json, numpy as np, pandas as pd, lifelines
d = np.load(sys.argv[1])
df = pd.DataFrame(d["rows"], columns=list("abcde")); df["T"] = d["time"]; df["E"] = d["event"]
fit = lifelines.CoxPHFitter().fit(df, "T", "E", fit_options={"precision": 1e-12})
harrell = lifelines.utils.concordance_index(df["T"], -d["ratio"], df["E"])
km = lifelines.KaplanMeierFitter().fit(df["T"], df["E"])
print(json.dumps({"version": lifelines.__version__, "weights": fit.params_.tolist(),
    "errors": fit.standard_errors_.tolist(), "likelihood": float(fit.log_likelihood_), "c_index": harrell,
    "surviving": [float(km.predict(1.0)), float(km.predict(2.0))]}))
"""


def lifelines(python: str, out: Path) -> dict[str, Any]:
    """Weights, errors, likelihood, C-index and Kaplan-Meier beside lifelines, with many ties."""
    from osler.models.risk.survival import kaplan_meier

    made, ratio, _ = cohort(np.random.default_rng(7), 500, "linear")
    rows = np.array([[one[name] for name in made.facts] for one in made.values], float)
    rounded = np.ceil(made.time * 10) / 10
    file = out / "lifelines.npz"
    np.savez(file, rows=rows, time=rounded, event=made.event, ratio=ratio)
    said = json.loads(subprocess.run([python, "-c", _ASKED, str(file)], capture_output=True, check=True).stdout)
    fit = fit_cox(rows, rounded, made.event)
    curve = kaplan_meier(rounded, made.event)
    ours = {
        "weights": fit.weights.tolist(),
        "errors": np.sqrt(np.diag(fit.covariance)).tolist(),
        "likelihood": fit.likelihood,
        "c_index": float(metrics.harrell(rounded, made.event, ratio, np.ones((1, 500)))[0]),
        "surviving": [curve.at(1.0), curve.at(2.0)],
    }
    apart = {name: float(np.max(np.abs(np.array(ours[name]) - np.array(said[name])))) for name in ours}
    return {
        "patients": 500,
        "distinct_times": len(set(rounded.tolist())),
        "ours": ours,
        "lifelines": said,
        "largest_difference": apart,
    }


if __name__ == "__main__":
    main()
