"""`osler explain`: why a model says what it says of a picture."""

import argparse
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, add_device, add_files, add_language, add_model, new_parser, spoken

if TYPE_CHECKING:
    from osler.clinic.pathways.asking import Answer
    from osler.core.arrays import Array
    from osler.core.prediction import Prediction
    from osler.core.progress import Tell
    from osler.core.report import KeyPicture, Reason
    from osler.core.study import Picture, Study
    from osler.explain.similar import Similar
    from osler.explain.why import Explanation
    from osler.lab.catalog.dataset import Case
    from osler.models.model import Model
    from osler.results.why_page import Explained

SUMMARY = """Why a model says what it says of a picture: maps of what speaks for the answer, each with its checks
(do other weights give another map? does hiding the marked part change the answer?), and the training cases that
the net finds most like it. Writes a page, a PNG and the numbers of every map (NIfTI for volumes, NPY for flat
pictures), and explain.json. A picture that the model may not read is declined, and nothing is shown for it."""

EXAMPLE = """
osler explain chest-pneumonia chest.png --out why
osler explain my-model a.png b.png --how gradients,similar --data my-data/ --out why --json
osler explain hippocampus brain.nii.gz --how occlusion --target anterior --out why
"""

PAGE = "explain.html"
USUAL = "gradcam,finer,gradients,similar"


def parser() -> Parser:
    """The words of `osler explain`."""
    made = new_parser("explain", SUMMARY, EXAMPLE)
    add_model(made)
    add_files(made)
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the page and the maps go")
    made.add_argument(
        "--how",
        default="",
        metavar="W,W",
        help=f"gradcam, finer, gradients, occlusion, similar ({USUAL}; of outlines none)",
    )
    made.add_argument("--target", default="", metavar="CLASS", help="the class or grade to explain (the answer)")
    made.add_argument(
        "--data", type=Path, metavar="DATA", help="take similar cases from these, and show their pictures"
    )
    add_device(made)
    add_language(made)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Labelled cases that the user gave, and what the net makes of them: (cases, n) features, a label a case."""

    cases: "tuple[Case, ...]"
    features: "Array"
    labels: "Array"


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What is to be explained, and how.

    ways    as `ways_named` gives them; () of outlines, which show themselves
    target  class, grade or label number; None: what the model says
    known   where similar cases are taken from; None: what is stored with the model
    """

    model: "Model"
    ways: tuple[str, ...]
    target: int | None
    known: Known | None
    tell: "Tell"


@spoken
def run(arguments: argparse.Namespace) -> int:
    """Explain every file; writes all or nothing. Exit code 3 when every file was declined."""
    from osler.clinic.pathways.why import ways_named

    ways = ways_named(arguments.how)  # a wrong word is told before anything is read

    from osler.cli.folders import filling
    from osler.cli.predict import open_case, unique_names
    from osler.cli.progress import watched, when_long
    from osler.core.study import Study
    from osler.inference.device import choose_device
    from osler.io.files import write_json
    from osler.models.model import load_model
    from osler.models.shelf import Shelf
    from osler.results.sentences import current, say
    from osler.results.why_page import write_why_page

    model = load_model(Shelf.default().find(arguments.model), device=choose_device(arguments.device))
    target = target_named(model, arguments.target)
    if not ways and not model.task.pixels:
        ways = ways_named(USUAL)
    out: Path = arguments.out
    cases: list[Explained] = []
    rows: list[dict[str, Any]] = []
    with filling(out) as folder, watched() as every:
        tell = when_long(every)
        known = features_of(model, arguments.data, tell) if arguments.data is not None else None
        wish = Wish(model, ways, target, known, tell)
        for given, name in zip(arguments.files, unique_names(arguments.files), strict=True):
            tell("explaining", len(cases), len(arguments.files), "")
            pictures = tuple(open_case(given))
            study = Study(pictures, facts=pictures[0].facts, name=Path(given).name)
            case, row = explained(study, wish, folder / name)
            cases.append(case)
            rows.append({"file": given, **row})
        write_why_page(model.card.name, cases, folder / PAGE)
        answer = {
            "model": model.card.name,
            "digest": model.card.digest,
            "language": current(),
            "files": rows,
        }
        write_json(folder / "explain.json", answer)
    if arguments.json:
        output.say_json(answer | {"page": out / PAGE})
    else:
        told = [line for case in cases for line in _lines(case)]
        output.say("\n".join([*told, "", say("line.page", path=out / PAGE)]))
    return output.DECLINED if all(case.declined for case in cases) else output.GOOD


def explained(study: "Study", wish: Wish, place: Path) -> "tuple[Explained, dict[str, Any]]":
    """One file explained: what the page shows of it, and the same for machines.

    place  the folder for its maps, which is made where there are any; their names are told from its parent
    """
    from osler.clinic.pathways.telling import tell as findings_of
    from osler.clinic.pathways.why import MOST_TARGETS
    from osler.clinic.reading import answer_of
    from osler.explain.question import said
    from osler.results.sentences import say
    from osler.results.why_page import Explained

    model = wish.model
    answer = answer_of(study, model)
    if isinstance(answer, tuple):
        told = [{"what": one.what, "remedy": one.remedy, "check": one.check} for one in answer]
        return Explained(study.name, declined=answer), {"status": "declined", "declined": told}
    answers = [finding.statement for finding in findings_of(study, answer)]
    if not wish.ways:
        answers.append(say("why.outline"))
    case = Explained(study.name, tuple(answers), cautions=answer.cautions)
    rows: list[dict[str, Any]] = []
    most = 1 if model.task.pixels else MOST_TARGETS
    for index, prediction in answer.cases:
        targets = said(prediction, model.trust.operating_point)[:most] if wish.target is None else (wish.target,)
        for target in targets:
            for way in wish.ways:
                shown = _by_map if way != "similar" else _by_cases
                part, files = shown(
                    study, answer, (index, prediction), replace(wish, ways=(way,), target=target), place
                )
                first = len(case.pictures)
                reasons = tuple(
                    replace(one, pictures=tuple(first + n for n in one.pictures)) for one in part.reasons
                )
                rows += [_row(one) | files for one in reasons]
                case = replace(
                    case,
                    reasons=case.reasons + reasons,
                    pictures=case.pictures + part.pictures,
                    neighbours=case.neighbours + part.neighbours,
                )
    return case, {"status": "explained", "answers": answers, "reasons": rows}


def target_named(model: "Model", name: str) -> int | None:
    """The class, grade or label called `name`, as the net counts them; None for "".

    Raises UnknownChoice, proposing the near name; AskedWrongly for a model that answers with a number.
    """
    from osler.core.errors import AskedWrongly, UnknownChoice

    if not name:
        return None
    classes = model.card.classes
    if model.task.name == "regression":
        raise AskedWrongly(
            "This model answers with one number; there is no class to explain.", remedy="Leave --target away."
        )
    found = [k for k, one in enumerate(classes) if one.lower() == name.lower()]
    if not found:
        raise UnknownChoice.among("class of this model", name, classes)
    return found[0] + (1 if model.task.pixels else 0)


def features_of(model: "Model", data: Path, tell: "Tell") -> Known:
    """What the net makes of the training cases of a data set; of all its cases where it has no training split.

    Raises what `read_dataset` raises, and AskedWrongly where the data set has other classes than the model.
    """
    import numpy as np

    from osler.core.errors import AskedWrongly
    from osler.inference.predict import predict_prepared
    from osler.lab.catalog.cases import load_pictures
    from osler.lab.catalog.recognize import read_dataset
    from osler.models.prepare import prepare

    dataset = read_dataset(data, task=model.card.task)
    if dataset.classes[1 if model.task.pixels else 0 :] != model.card.classes and dataset.task != "regression":
        here, there = ", ".join(dataset.classes), ", ".join(model.card.classes)
        raise AskedWrongly(
            f"{data.name} has the classes {here}, the model {there}.",
            remedy="Give the data that the model learnt from, or data with the same classes.",
        )
    cases = tuple(case for case in dataset.cases if case.split == "train") or dataset.cases
    prepared = (prepare(load_pictures(case), model.recipe) for case in cases)
    features = []
    for done, prediction in enumerate(predict_prepared(model, prepared), start=1):
        if prediction.features is None:
            raise AskedWrongly(
                "This model gives no features by which cases could be compared.",
                remedy="Leave --data away, and similar out of --how.",
            )
        features.append(prediction.features)
        tell("comparing", done, len(cases), "")
    labels = [k if isinstance(k := case.label, int | float | tuple) else -1 for case in cases]
    return Known(cases, np.stack(features), np.array(labels))


def _by_map(
    study: "Study", answer: "Answer", case: "tuple[int, Prediction]", wish: Wish, place: Path
) -> "tuple[Explained, dict[str, Any]]":
    """One map, drawn and written, whether it passed its checks or not; what it is worth is said beside it."""
    from osler.clinic.pathways.why import about_target, case_of, drawn, figures_of, map_statement
    from osler.core.report import Reason
    from osler.explain.table import WAYS, can
    from osler.explain.why import explain
    from osler.models.prepare import prepare
    from osler.results.sentences import english, say
    from osler.results.why_page import Explained

    (index, prediction), (way,), model = case, wish.ways, wish.model
    about = about_target(answer.speaker, prediction, wish.target)
    if not can(WAYS[way], model):
        return Explained("", reasons=(Reason(way, about, say("why.cannot")),)), {}
    prepared = prepare([study.pictures[n] for n in case_of(answer, model, index)], model.recipe)
    made = explain(model, prepared, way=way, target=wish.target, tell=wish.tell)
    shown = drawn(study.pictures[index], made, about)
    statement = map_statement(made, about, model.recipe.target_std)
    reason = Reason(way, about, statement, tuple(range(len(shown))), figures_of(made))
    words = re.sub(r"\W+", "-", english(about)).strip("-").lower()  # files are called alike in every language
    parts = [f"picture-{index + 1}"] * (len(answer.cases) > 1) + [way, words]
    files = _write(place, "-".join(parts), study.pictures[index], made, shown)
    return Explained("", reasons=(reason,), pictures=shown), files


def _write(
    place: Path, stem: str, picture: "Picture", made: "Explanation", shown: "tuple[KeyPicture, ...]"
) -> dict[str, Any]:
    """The map's numbers and pictures, {"map": name, "pictures": [names]} seen from the folder above `place`."""
    import numpy as np

    from osler.core.volume import Volume
    from osler.io import nifti, raster

    if made.map is None:
        return {}
    place.mkdir(exist_ok=True)
    if isinstance(picture, Volume):
        path = place / f"{stem}.nii.gz"
        nifti.write_volume(Volume(made.map, picture.geometry), path)
    else:
        path = place / f"{stem}.npy"
        np.save(path, made.map)
    pictures = [place / f"{stem}{f'-{n + 1}' if len(shown) > 1 else ''}.png" for n in range(len(shown))]
    for one, key in zip(pictures, shown, strict=True):
        raster.write_image(key.pixels, one)
    return {"map": f"{place.name}/{path.name}", "pictures": [f"{place.name}/{one.name}" for one in pictures]}


def _by_cases(
    study: "Study", answer: "Answer", case: "tuple[int, Prediction]", wish: Wish, place: Path
) -> "tuple[Explained, dict[str, Any]]":
    """The nearest training cases; with pictures and names only where the user gave the data."""
    from osler.clinic.pathways.why import about_target, like_it, similar_reason
    from osler.core.report import Reason
    from osler.explain.similar import nearest
    from osler.results.sentences import say
    from osler.results.why_page import Explained

    (index, prediction), model, known = case, wish.model, wish.known
    if known is None or prediction.features is None:
        like = like_it(model, prediction)
        if like is None:
            about = about_target(answer.speaker, prediction, wish.target)
            return Explained("", reasons=(Reason("similar", about, say("why.similar.none")),)), {}
        return Explained("", reasons=(similar_reason(like, answer.speaker, prediction, wish.target),)), {}
    whitening = None if model.space is None else model.space.whitening
    like = nearest(prediction.features, known.features, known.labels, whitening=whitening)
    reason = similar_reason(like, answer.speaker, prediction, wish.target)
    named = [known.cases[n].id for n in like.indices]
    return Explained("", reasons=(reason,), neighbours=_side_by_side(study.pictures[index], like, known, model)), {
        "neighbours": [{"case": name, "distance": far} for name, far in zip(named, like.distances, strict=True)]
    }


def _side_by_side(picture: "Picture", like: "Similar", known: Known, model: "Model") -> "tuple[KeyPicture, ...]":
    """The picture, then its nearest cases with their labels and distances."""
    from osler.core.report import KeyPicture
    from osler.lab.catalog.cases import load_pictures
    from osler.results.sentences import say

    shown = [KeyPicture(say("why.asked"), _small(picture))]
    for n, distance in zip(like.indices, like.distances, strict=True):
        case = known.cases[n]
        label = case.label
        if isinstance(label, tuple):
            said = ", ".join(name for name, there in zip(model.card.classes, label, strict=True) if there)
        elif isinstance(label, int) and model.card.task != "regression":
            said = model.card.classes[label]
        else:
            said = f"{label:.4g}" if isinstance(label, int | float) else ""
        title = say("why.neighbour", label=said or say("why.unlabelled"), distance=f"{distance:.2g}", case=case.id)
        shown.append(KeyPicture(title, _small(load_pictures(case)[model.recipe.reference])))
    return tuple(shown)


def _small(picture: "Picture") -> "Array":
    """A flat picture or the middle slice of a volume, 240 pixels along its longer side."""
    import numpy as np

    from osler.core.volume import Volume
    from osler.imaging.resample import resize
    from osler.imaging.window import to_display, upright

    shown = to_display(picture)
    if isinstance(picture, Volume):
        shown = upright(shown, picture.geometry)
    scale = 240 / max(shown.shape[:2])
    size = (max(1, round(shown.shape[0] * scale)), max(1, round(shown.shape[1] * scale)))
    return np.clip(np.rint(resize(np.ascontiguousarray(shown), size)), 0, 255).astype(np.uint8)


def _row(reason: "Reason") -> dict[str, Any]:
    return {
        "way": reason.way,
        "about": reason.about,
        "statement": reason.statement,
        "figures": dict(reason.figures),
    }


def _lines(case: "Explained") -> list[str]:
    from osler.results.sentences import joined, say

    if case.declined:
        first = case.declined[0]
        return [say("line.declined", study=case.name), f"  {first.what}\n  → {first.remedy}"]
    told = [say("join.pair", name=say(f"why.way.{one.way}"), said=one.statement) for one in case.reasons]
    return [say("join.pair", name=case.name, said=joined(*case.answers)), *(f"  {one}" for one in told)]
