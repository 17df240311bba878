"""`osler predict`: a model's answers on files, as tables and masks."""

import argparse
import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, add_device, add_files, add_model, new_parser

if TYPE_CHECKING:
    from osler.core.mask import Mask
    from osler.core.prediction import Prediction
    from osler.core.study import Picture
    from osler.models.model import Model

SUMMARY = """A model's answers on files: predictions.csv and predictions.json, and for segmentation a mask a file
(NIfTI for volumes, PNG for flat pictures). A model of several channels takes its pictures joined by commas.
A picture unlike those the model learnt from is marked, or declined where the card's gate says so.
With each answer goes what cannot be excluded with 90 % confidence, and how far an ensemble's members are apart.
MODEL is a folder or a name from `osler models list`."""

EXAMPLE = """
osler predict my-model a.png b.png --out answers
osler predict pet-ct ct.nii.gz,pet.nii.gz --out answers --json
osler predict retinopathy "retinamnist.npz[test_images:12]" --out answers
osler predict chest-pneumonia *.png --prevalence 0.02 --out answers
"""

FEWEST_TO_ESTIMATE = 50  # files from which on their own prevalence is estimated


def parser() -> Parser:
    """The words of `osler predict`."""
    made = new_parser("predict", SUMMARY, EXAMPLE)
    add_model(made)
    add_files(made)
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the answers go")
    made.add_argument(
        "--prevalence",
        default="",
        metavar="S",
        help="correct for the share of the finding here: 0.02, or name=share,name=share (as the model learnt)",
    )
    add_device(made)
    return made


def run(arguments: argparse.Namespace) -> int:
    """Predict every file; writes all answers or none."""
    from osler.cli.folders import filling
    from osler.cli.progress import watched
    from osler.inference.device import choose_device
    from osler.io.files import write_json
    from osler.models.model import load_model
    from osler.models.shelf import Shelf

    model = load_model(Shelf.default().find(arguments.model), device=choose_device(arguments.device))
    if arguments.prevalence:
        model = at_asked_prevalence(model, arguments.prevalence)
    out: Path = arguments.out
    names = unique_names(arguments.files)
    rows: list[dict[str, Any]] = []
    said: list[Prediction] = []
    with filling(out) as folder, watched() as progress:
        for number, (given, name) in enumerate(zip(arguments.files, names, strict=True)):
            progress("predicting", number, len(names), "")
            prediction, gated = gated_answer(model, open_case(given))
            if "declined" in gated:
                rows.append({"file": given, **gated})
                continue
            said.append(replace(prediction, mask=None, voxel_probability=None, features=None))
            row = {"file": given, **row_of(model, prediction), **gated}
            if prediction.mask is not None:
                row["mask"] = write_mask(prediction.mask, folder / "masks", name).relative_to(folder).as_posix()
            rows.append(row)
        progress("predicting", len(names), len(names), "")
        answer = {
            "model": model.card.name,
            "task": model.card.task,
            "classes": model.card.classes,
            "predictions": rows,
            **prevalence_of(model, said),
        }
        write_json(folder / "predictions.json", answer)
        write_table(rows, folder / "predictions.csv")
    if arguments.json:
        output.say_json(answer | {"written": out})
    else:
        lines = [f"{row['file']}: {_in_words(row)}" for row in rows]
        output.say("\n".join([*lines, "", f"Written: {out / 'predictions.csv'}"]))
    return output.GOOD


def gated_answer(model: "Model", pictures: "list[Picture]") -> "tuple[Prediction, dict[str, Any]]":
    """The answer, and what the gate says of it: "p_like", "unlike" and why.

    The reason is called "declined" where the card's gate declines, and no answer may be told then; else "why". A
    picture whose header would have to speak for it is marked: who names model and file has spoken for it.
    """
    from osler.inference.gate import in_words, likeness
    from osler.inference.predict import predict_prepared
    from osler.models.prepare import prepare

    prepared = prepare(pictures, model.recipe)
    prediction = next(predict_prepared(model, [prepared]))
    like, gate = likeness(model, pictures, prepared, prediction.features), model.trust.gate
    if like is None or gate is None:
        return prediction, {}
    gated: dict[str, Any] = {"p_like": round(like.p, 6), "unlike": like.unlike}
    if like.unlike:
        declined = like.sure and model.card.gate == "decline"
        gated["declined" if declined else "why"] = in_words(like, gate)
    return prediction, gated


def at_asked_prevalence(model: "Model", text: str) -> "Model":
    """The model corrected for the prevalence that was asked for. Raises AskedWrongly where that cannot be."""
    from osler.clinic.pathways.findings import positive_class
    from osler.inference.prevalence import asked_prevalence, at_prevalence

    classes, task, trust = model.card.classes, model.card.task, model.trust
    finding = positive_class(classes) if task == "binary" else None
    now = asked_prevalence(text, classes, task, finding=finding, was=trust.prevalence)
    return replace(model, trust=at_prevalence(trust, now, task))


def prevalence_of(model: "Model", said: "list[Prediction]") -> dict[str, Any]:
    """Which prevalence the probabilities are for, and which these files seem to have, for machines.

    "prevalence": {"learnt": {class: share}, "here": {class: share}}, here only where it was asked for
    "estimated_prevalence": {"n": files, class: {"value", "low", "high"}}, from 50 files on, of exclusive classes
    """
    trust, classes = model.trust, model.card.classes
    if not trust.prevalence:
        return {}
    told: dict[str, Any] = {"prevalence": {"learnt": dict(zip(classes, trust.prevalence, strict=True))}}
    if trust.site:
        told["prevalence"]["here"] = dict(zip(classes, trust.site, strict=True))
    if model.card.task == "multilabel" or len(said) < FEWEST_TO_ESTIMATE:
        return told
    import numpy as np

    from osler.inference.prevalence import estimated_prevalence, prevalence_interval

    shares = np.array([prediction.probabilities for prediction in said])
    taken = trust.site or trust.prevalence
    low, high = prevalence_interval(shares, taken)
    each = {
        name: {"value": round(float(v), 4), "low": round(float(a), 4), "high": round(float(b), 4)}
        for name, v, a, b in zip(classes, estimated_prevalence(shares, taken), low, high, strict=True)
    }
    return told | {"estimated_prevalence": {"n": len(said), **each}}


def open_case(given: str) -> list["Picture"]:
    """The pictures of "a.png", "ct.nii.gz,pet.nii.gz" or "set.npz[test_images:12]".

    Raises as `osler.io.open.open_picture` does.
    """
    from osler.io.open import open_picture

    pictures = []
    # A comma may be part of one file's own name.
    for part in [given] if Path(given).exists() else given.split(","):
        item = re.fullmatch(r"(.+)\[([^\[\]]+)\]", part)
        if item and not Path(part).exists():
            pictures.append(open_picture(Path(item[1]), item[2]))
        else:
            pictures.append(open_picture(Path(part)))
    return pictures


def row_of(model: "Model", prediction: "Prediction") -> dict[str, Any]:
    """One answer as plain values: what is said, and how sure."""
    from osler.statistics.grades import median_grade

    row: dict[str, Any] = {}
    classes = prediction.classes
    if prediction.probabilities is not None:
        shares = [float(p) for p in prediction.probabilities]
        if prediction.task == "multilabel":
            row["answer"] = [name for name, p in zip(classes, shares, strict=True) if p >= 0.5]
        elif prediction.task == "binary":
            row["answer"] = classes[int(shares[1] >= model.trust.operating_point)]
        elif prediction.task == "ordinal":
            row["answer"] = classes[median_grade(prediction.probabilities)]
        else:
            row["answer"] = classes[shares.index(max(shares))]
        row["probabilities"] = {name: round(p, 6) for name, p in zip(classes, shares, strict=True)}
    if prediction.value is not None:
        row["value"] = round(prediction.value, 6)
    row |= _promised(model, prediction, row)
    if prediction.disagreement is not None:
        row["disagreement"] = round(prediction.disagreement, 6)
    if prediction.mask is not None:
        row |= _sizes(prediction.mask)
    return row


def write_mask(mask: "Mask", folder: Path, name: str) -> Path:
    """The mask as NIfTI for a volume, PNG for a flat picture. Returns where it was written."""
    import numpy as np

    from osler.io import nifti, raster

    if mask.geometry is None:
        path = folder / f"{name}.png"
        raster.write_image(mask.array.astype(np.uint8), path)
    else:
        path = folder / f"{name}.nii.gz"
        nifti.write_mask(mask, path)
    return path


def write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """The answers as CSV, one row a file; a probability or size of each class is a column of its own."""
    flat = [_flat(row) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(flat)


def unique_names(files: Iterable[str]) -> list[str]:
    """A file name for each answer, from the name of its first picture.

    >>> unique_names(["a/x.nii.gz", "b/x.nii.gz", "set.npz[test:3]"])
    ['x', 'x-2', 'set-test-3']
    """
    names: list[str] = []
    for given in files:
        plain = re.sub(
            r"\.(nii\.gz|nii|nrrd|mha|mhd|npz|npy|png|jpe?g|tiff?|bmp|dcm)(?=$|\[)", "", given.split(",")[0]
        )
        stem = re.sub(r"[^\w.-]+", "-", Path(plain).name).strip("-") or "case"
        count = 2
        name = stem
        while name in names:
            name, count = f"{stem}-{count}", count + 1
        names.append(name)
    return names


def _promised(model: "Model", prediction: "Prediction", row: Mapping[str, Any]) -> dict[str, Any]:
    """What cannot be excluded at the told level: "among" and "coverage", or "low" and "high" of a number."""
    from osler.inference.conformal import TOLD, answer_set, label_sets, number_interval
    from osler.inference.prevalence import as_learnt

    sets, classes = model.trust.sets, prediction.classes
    if sets is None or prediction.mask is not None:
        return {}
    if prediction.probabilities is None:
        ends = None if prediction.value is None else number_interval(prediction.value, sets)
        return {} if ends is None else {"low": round(ends[0], 6), "high": round(ends[1], 6), "coverage": TOLD}
    learnt = as_learnt(prediction.probabilities, model.trust, prediction.task)
    if prediction.task == "multilabel":
        called = prediction.probabilities >= 0.5
        each = dict(zip(classes, label_sets(learnt, sets, called=called), strict=True))
        possible = [name for name, (_, there) in each.items() if there]
        return {"among": possible, "unsure": [n for n, both in each.items() if all(both)], "coverage": TOLD}
    inside = answer_set(learnt, sets, called=classes.index(row["answer"]))
    return {"among": [classes[k] for k in inside], "coverage": TOLD}


def _sizes(mask: "Mask") -> dict[str, Any]:
    counts = {name: int(mask.of(number).sum()) for number, name in mask.labels.items()}
    if mask.geometry is not None:
        return {"volume_ml": {name: round(n * mask.geometry.voxel_ml, 4) for name, n in counts.items()}}
    if mask.spacing_mm is not None:
        pixel = mask.spacing_mm[0] * mask.spacing_mm[1]
        return {"area_mm2": {name: round(n * pixel, 3) for name, n in counts.items()}}
    return {"pixels": counts}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}[{name}]": item for name, item in value.items()}
        else:
            flat[key] = "|".join(value) if isinstance(value, list) else value
    return flat


def _in_words(row: Mapping[str, Any]) -> str:
    if "declined" in row:
        return f"declined. {row['declined']}"
    parts = []
    if "answer" in row:
        answer = row["answer"]
        said = [answer] if isinstance(answer, str) else answer
        sure = [f"{name} ({row['probabilities'][name]:.0%})" for name in said]
        parts.append(", ".join(sure) or "none of the findings")
        if isinstance(answer, str) and len(row.get("among", ())) > 1:
            parts.append(f"not excluded at {row['coverage']:.0%}: {', '.join(row['among'])}")
    elif "value" in row:
        interval = f" ({row['low']:.4g} to {row['high']:.4g})" if "low" in row else ""
        parts.append(f"{row['value']:.4g}{interval}")
    for kind, unit in (("volume_ml", "ml"), ("area_mm2", "mm²"), ("pixels", "pixels")):
        parts += [f"{name} {size:.4g} {unit}" for name, size in row.get(kind, {}).items()]
    return ", ".join(parts) + (f"\n  {row['why']}" if "why" in row else "")
