"""Do masks and volumes keep their promises? Patients a model was not trained on, reshuffled into two halves.

    python benchmarks/masks.py NAME MODEL DATA CACHE [RESHUFFLES]

NAME   of the record: benchmarks/masks-NAME.json
MODEL  a folder of a segmentation model; its validation and test cases of DATA are pooled
CACHE  a folder for what the model said of each voxel, so that it is asked once

A patient's voxels are calibrated by what other patients said (five folds). In each reshuffle one half promises and
the other half is looked at. The interval of a mean goes over patients: each one's own mean over the reshuffles in
which it was looked at.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from record import keep

from osler.core.arrays import Array
from osler.inference.predict import voxel_shares
from osler.lab.catalog.cases import load_mask, load_pictures
from osler.lab.evaluate.examine import chosen_cases
from osler.lab.evaluate.run import in_order_of
from osler.lab.trust.conformal import LEVELS
from osler.lab.trust.masks import (
    RISKS,
    THRESHOLDS,
    Curves,
    curves_of,
    fit_bounds,
    fit_volumes,
    fit_voxels,
    gathered,
    mean_by_patient,
    sample_borders,
)
from osler.models.model import Model, load_model
from osler.models.prepare import prepare


def asked(model: Model, data: Path, cache: Path) -> Iterator[tuple[str, Array, Array]]:
    """(patient, uncalibrated shares, true classes) of each validation and test case."""
    cache.mkdir(parents=True, exist_ok=True)
    for split in ("val", "test"):
        dataset = in_order_of(model, chosen_cases(model, data, split)[0])
        for number, case in enumerate(dataset.cases):
            path = cache / f"{split}-{number:04d}.npz"
            if not path.is_file():
                shares, _ = voxel_shares(model, prepare(load_pictures(case), model.recipe))
                np.savez_compressed(path, shares=shares, truth=load_mask(case, dataset).array)
            with np.load(path) as kept:
                yield case.patient, kept["shares"], kept["truth"]


def sizes_of(shares: Array, temperature: float) -> Array:
    """(labels, thresholds) voxels at least so probable."""
    from osler.inference.bounds import tempered_voxels

    calibrated = tempered_voxels(shares, temperature) if temperature != 1 else shares
    said = [np.sort(p.ravel()) for p in calibrated[1:].astype(np.float16)]
    return np.stack([p.size - np.searchsorted(p, THRESHOLDS.astype(np.float16)) for p in said])


def some(curves: Curves, places: Array) -> Curves:
    """The curves of some of the cases."""
    return Curves(
        curves.missed[places],
        curves.mistaken[places],
        curves.voxels[places],
        curves.true[places],
        curves.doubt[places],
    )


def over_patients(seen: Array) -> dict[str, float]:
    """Mean, and its 95 % interval over patients; (reshuffles, patients), NaN where one was not looked at."""
    each = np.nanmean(seen, axis=0)
    each = each[np.isfinite(each)]
    away = 1.96 * each.std(ddof=1) / np.sqrt(len(each))
    return {
        name: round(float(v), 4)
        for name, v in zip(
            ("mean", "low", "high"), (each.mean(), each.mean() - away, each.mean() + away), strict=True
        )
    }


def reshuffled(curves: Curves, sizes: Array, owner: Array, labels: tuple[str, ...], many: int) -> dict[str, Any]:
    """What was promised by one half and kept in the other, over `many` reshuffles."""
    from scipy.stats import betabinom

    patients = int(owner.max()) + 1
    half = patients // 2
    rank = {level: int(np.ceil((half + 1) * level - 1e-9)) for level in LEVELS}
    dice = np.random.default_rng(0)
    kinds = ("missed", "mistaken", "outer_size", "inner_size")
    seen = {kind: np.full((len(labels), len(RISKS), many, patients), np.nan) for kind in kinds}
    held = np.full((len(labels), len(LEVELS), many, patients), np.nan)
    width = np.full_like(held, np.nan)
    how: list[str] = []
    for turn in range(many):
        order = dice.permutation(patients)
        known, new = (np.flatnonzero(np.isin(owner, side)) for side in (order[:half], order[half:]))
        bounds = fit_bounds(some(curves, known), owner[known], labels)
        volumes = fit_volumes(some(curves, known), owner[known], labels)
        how.append(volumes.how)
        who = np.unique(owner[new])
        for label in range(len(labels)):
            there = new[curves.true[new, label] > 0]
            for row in range(len(RISKS)):
                outer, inner = bounds.outer[row][label], bounds.inner[row][label]
                if outer is not None:
                    at = np.searchsorted(THRESHOLDS, outer)
                    lost = mean_by_patient(curves.missed[there, label, at : at + 1], owner[there])
                    seen["missed"][label, row, turn, np.unique(owner[there])] = lost[:, 0]
                    drawn = np.maximum(curves.voxels[there, label : label + 1], 1)
                    grown = mean_by_patient(sizes[there, label, at : at + 1] / drawn, owner[there])
                    seen["outer_size"][label, row, turn, np.unique(owner[there])] = grown[:, 0]
                if inner is not None:
                    at = np.searchsorted(THRESHOLDS, inner)
                    wrong = mean_by_patient(curves.mistaken[new, label, at : at + 1], owner[new])
                    seen["mistaken"][label, row, turn, who] = wrong[:, 0]
                    drawn = np.maximum(curves.voxels[new, label : label + 1], 1)
                    shrunk = mean_by_patient(sizes[new, label, at : at + 1] / drawn, owner[new])
                    seen["inner_size"][label, row, turn, who] = shrunk[:, 0]
            for row in range(len(LEVELS)):
                times = volumes.thresholds[row][label]
                if times is None:
                    continue
                scale = curves.doubt if volumes.how == "doubt" else curves.voxels
                reach = times * scale[new, label]
                inside = np.abs(curves.true[new, label] - curves.voxels[new, label]) <= reach + 1e-9
                held[label, row, turn, who] = [inside[owner[new] == one].all() for one in who]
                low = np.maximum(0, curves.voxels[new, label] - reach)
                full = (curves.voxels[new, label] + reach - low) / np.maximum(curves.voxels[new, label], 1)
                width[label, row, turn, who] = mean_by_patient(full[:, None], owner[new])[:, 0]
    looked = patients - half
    out: dict[str, Any] = {"calibration_patients": half, "test_patients": looked, "reshuffles": many}
    out["volume_scale"] = {kind: how.count(kind) for kind in sorted(set(how))}
    for label, name in enumerate(labels):
        masks = {}
        for row, risk in enumerate(RISKS):
            if np.isnan(seen["missed"][label, row]).all():
                masks[str(risk)] = f"{half} patients promise nothing at this risk"
                continue
            masks[str(risk)] = {
                "outer_missed": over_patients(seen["missed"][label, row]),
                "outer_times_mask": over_patients(seen["outer_size"][label, row])["mean"],
            }
            if not np.isnan(seen["mistaken"][label, row]).all():
                masks[str(risk)] |= {
                    "inner_mistaken": over_patients(seen["mistaken"][label, row]),
                    "inner_times_mask": over_patients(seen["inner_size"][label, row])["mean"],
                }
        intervals = {}
        for row, level in enumerate(LEVELS):
            share = np.nanmean(held[label, row], axis=1) if np.isfinite(held[label, row]).any() else None
            if share is None or rank[level] > half:
                intervals[str(level)] = f"{half} patients promise nothing at this level"
                continue
            law = betabinom(looked, rank[level], half + 1 - rank[level])
            low, high = (float(x) / looked for x in law.ppf([0.025, 0.975]))
            intervals[str(level)] = {
                "covered": round(float(share.mean()), 4),
                "expected": round(rank[level] / (half + 1), 4),
                "one_reshuffle_lies_between": [round(low, 3), round(high, 3)],
                "reshuffles_inside": round(float(((share >= low) & (share <= high)).mean()), 3),
                "width_over_volume": round(float(np.nanmean(width[label, row])), 3),
            }
        out[name] = {"masks": masks, "volumes": intervals}
    return out


def main() -> None:
    name, folder, data, cache, *more = sys.argv[1:]
    model = load_model(folder)
    labels = model.card.classes
    dice = np.random.default_rng(0)
    samples, patients = [], []
    for patient, shares, truth in asked(model, Path(data), Path(cache)):
        samples.append(sample_borders(shares, truth, many=500, dice=dice))
        patients.append(patient)
    owner = np.unique(patients, return_inverse=True)[1]
    calibration, temperatures = fit_voxels(samples, owner)
    kept, sizes = [], []
    for (_, shares, truth), temperature in zip(asked(model, Path(data), Path(cache)), temperatures, strict=True):
        kept.append(curves_of(shares, truth, float(temperature)))
        sizes.append(sizes_of(shares, float(temperature)))
    curves = gathered(kept)
    drawn, true = curves.voxels.mean(0), curves.true.mean(0)
    result: dict[str, Any] = {
        "n": {"cases": len(owner), "patients": int(owner.max()) + 1},
        "voxels_near_borders": {
            "temperature": calibration.numbers[0][0] if calibration.numbers else None,
            "nll": calibration.nll,
            "ece": calibration.ece,
            "note": calibration.note,
        },
        "mask_over_reference": {k: round(float(a / b), 4) for k, a, b in zip(labels, drawn, true, strict=True)},
        "whole": {
            "bounds": fit_bounds(curves, owner, labels).note,
            "volumes": fit_volumes(curves, owner, labels).note,
        },
    }
    if int(owner.max()) + 1 >= 20:
        result["reshuffled"] = reshuffled(curves, np.stack(sizes), owner, labels, int(more[0]) if more else 200)
    else:
        result["reshuffled"] = f"{int(owner.max()) + 1} patients are too few to reshuffle"
    keep(f"masks-{name}", result, note="validation and test patients of the model's training, pooled")


if __name__ == "__main__":
    main()
