"""`osler risk`: what will become of this patient? Models of risk from facts, pictures, or both."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from osler.cli import output
from osler.cli.arguments import Parser, add_common, add_language, new_parser, spoken

if TYPE_CHECKING:
    from osler.clinic.prognosis.personal import Moment, PersonalView
    from osler.core.arrays import Floats
    from osler.core.progress import Tell
    from osler.lab.risk.cohort import Cohort
    from osler.lab.risk.evaluate import RiskEvaluation
    from osler.models.risk.card import ImageSource
    from osler.models.risk.model import RiskModel

SUMMARY = """What will become of this patient? Learn from a table of patients (facts such as age, sex and
laboratory values, pictures, or both) when an event comes, or whether; test it; show one patient's own risk. Facts
alone, the picture alone and both are always learnt and told side by side. A risk is decision support, not a
medical device."""

EXAMPLE = """
osler risk train patients.csv --time days --event died --out my-risk
osler risk train patients.csv --time days --event died --image file --model chest-pneumonia --out my-risk
osler risk evaluate my-risk other-hospital.csv
osler risk show my-risk --patient age=63,sex=M,crp=81 --image chest.png --out risk.html
osler risk show my-risk --patient age=63,sex=M,crp=81 --earlier days=90,age=63,sex=M,crp=12 --out risk.html
"""

KINDS = ("cox", "forest", "deep", "logistic")


def parser() -> Parser:
    """The words of `osler risk`."""
    made = new_parser("risk", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    train = verbs.add_parser("train", help="learn a model of risk from a table", allow_abbrev=False)
    train.add_argument("table", metavar="TABLE", type=Path, help="CSV, TSV or Parquet, one row a study")
    train.add_argument("--event", required=True, metavar="COLUMN", help="1 or yes where it happened")
    train.add_argument(
        "--time", default="", metavar="COLUMN", help="until the event, or until the patient was last seen"
    )
    train.add_argument("--unit", default="days", metavar="U", help="of the time (days)")
    train.add_argument(
        "--patient", default="", metavar="COLUMN", help="tells patients apart (patient, patient_id)"
    )
    train.add_argument("--facts", default="", metavar="COLUMNS", help="the facts, as age,sex,crp (all usable)")
    train.add_argument("--image", default="", metavar="COLUMN", help="each patient's picture; needs --model")
    train.add_argument("--model", default="", metavar="MODEL", help="the model whose image features are taken")
    train.add_argument("--features", default="", metavar="BEGIN", help="columns of image features begin so")
    train.add_argument("--split", default="", metavar="COLUMN", help="learn only from rows that say train here")
    train.add_argument(
        "--kind", default="", metavar="K", help=f"{', '.join(KINDS)} (cox; logistic without --time)"
    )
    train.add_argument("--horizons", type=times, default=(), metavar="T", help="times to answer for, as 30,365")
    train.add_argument("--name", default="", help="what the model is called (its folder's name)")
    train.add_argument("--title", default="", help="what people call it")
    train.add_argument("--licence", default="", help="of the model, for its card")
    train.add_argument(
        "--forget-patients",
        action="store_true",
        help="keep no rounded numbers of training patients; similar ones cannot be shown then",
    )
    train.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn by lot (0)")
    train.add_argument("--device", default="auto", metavar="D", help="for image features: auto, cpu, cuda (auto)")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model's folder")
    evaluate = verbs.add_parser("evaluate", help="test a model of risk on another table", allow_abbrev=False)
    evaluate.add_argument("model", metavar="DIR", type=Path, help="a folder that `osler risk train` wrote")
    evaluate.add_argument("table", metavar="TABLE", type=Path, help="patients it has not seen")
    evaluate.add_argument("--event", default="", metavar="COLUMN", help="(as in training)")
    evaluate.add_argument("--time", default="", metavar="COLUMN", help="(as in training)")
    evaluate.add_argument("--patient", default="", metavar="COLUMN", help="tells patients apart")
    evaluate.add_argument("--image", default="", metavar="COLUMN", help="each patient's picture")
    evaluate.add_argument("--model", dest="image_model", default="", metavar="MODEL", help="the image model")
    evaluate.add_argument("--device", default="auto", metavar="D", help="for image features (auto)")
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="where evaluation.html and evaluation.json go")
    show = verbs.add_parser("show", help="one patient's own risk, as a page", allow_abbrev=False)
    show.add_argument("model", metavar="DIR", type=Path, help="a folder that `osler risk train` wrote")
    show.add_argument("--patient", default="", metavar="FACTS", help="as age=63,sex=M,crp=81; or a JSON file")
    show.add_argument("--image", type=Path, metavar="FILE", help="the picture of this study")
    show.add_argument(
        "--model", dest="image_model", default="", metavar="MODEL", help="the image model (the card's)"
    )
    show.add_argument(
        "--earlier",
        action="append",
        default=[],
        metavar="FACTS",
        help="an earlier study: days=90 before, its facts, image=FILE; can be given again",
    )
    show.add_argument("--device", default="auto", metavar="D", help="for image features (auto)")
    show.add_argument("--out", type=Path, metavar="PAGE", help="the page, .html; the same as JSON lies beside it")
    add_language(show)
    for verb in (train, evaluate, show):
        add_common(verb, below=True)
    return made


def times(text: str) -> tuple[float, ...]:
    """Times above 0 from "30,365".

    >>> times("365, 30")
    (30.0, 365.0)
    """
    try:
        found = sorted({float(one) for one in text.split(",") if one.strip()})
    except ValueError:
        found = []
    if not found or found[0] <= 0 or found[-1] == float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' are no times; write 30,365")
    return tuple(found)


def run(arguments: argparse.Namespace) -> int:
    """Learn, test or show."""
    verb = {"train": _train, "evaluate": _evaluate, "show": spoken(_show)}[arguments.verb]
    return verb(arguments)


def _train(arguments: argparse.Namespace) -> int:
    from osler.cli.progress import watched, when_long
    from osler.core.errors import AskedWrongly, BadDataset
    from osler.lab.risk.cohort import Columns, check_learnable, read_cohort
    from osler.lab.risk.fit import check_kind
    from osler.lab.risk.release import Wanted, release
    from osler.models.risk.model import check_place

    if bool(arguments.image) != bool(arguments.model):
        raise AskedWrongly(
            "Pictures need a column and a model.", remedy="Give both --image COLUMN and --model MODEL, or neither."
        )
    check_place(arguments.out)
    asked = Columns(
        arguments.event,
        arguments.time,
        arguments.unit,
        arguments.patient,
        tuple(one.strip() for one in arguments.facts.split(",") if one.strip()),
        arguments.image,
        arguments.features,
        arguments.split,
    )
    with watched() as every:
        tell = when_long(every)
        cohort = read_cohort(arguments.table, asked)
        if cohort.split:
            mine = [n for n, side in enumerate(cohort.split) if side.strip().lower() == "train"]
            if not mine:
                raise BadDataset(
                    f"No row of {cohort.name} says train in column '{arguments.split}'.",
                    remedy="Write train and test there, or leave --split out.",
                )
            cohort = cohort.take(mine)
        check_kind(cohort, arguments.kind)
        cohort, image = _pictured(cohort, arguments.model, arguments.device, tell)
        check_learnable(cohort)
        wanted = Wanted(
            arguments.kind,
            arguments.horizons,
            arguments.name,
            arguments.title,
            arguments.licence,
            image,
            not arguments.forget_patients,
            arguments.seed,
        )
        done = release(cohort, wanted, arguments.out, tell=tell)
    if arguments.json:
        from osler.models.risk.card import card_to_json

        output.say_json({"model": arguments.out, "card": card_to_json(done.card), **done.evaluation.to_json()})
        return output.GOOD
    lines = [*done.card.notes, *_lines(done.evaluation), "", f"Model: {arguments.out}"]
    output.say("\n".join([*lines, f"Page:  {arguments.out / 'evaluation.html'}"]))
    return output.GOOD


def _evaluate(arguments: argparse.Namespace) -> int:
    from osler.cli.folders import filling
    from osler.cli.progress import watched, when_long
    from osler.io.files import write_json
    from osler.lab.risk.cohort import Columns, read_cohort
    from osler.lab.risk.elsewhere import tried_elsewhere
    from osler.lab.risk.page import write_page
    from osler.models.risk.model import load_risk_model

    model = load_risk_model(arguments.model)
    outcome, image = model.card.outcome, model.card.image
    asked = Columns(
        arguments.event or outcome.event,
        arguments.time or outcome.column,
        outcome.unit,
        arguments.patient,
        tuple(fact.name for fact in model.design.facts),
        arguments.image,
        image.columns if image is not None else (),
    )
    with watched() as every:
        tell = when_long(every)
        cohort = read_cohort(arguments.table, asked, learning=False)
        if image is not None and image.model and arguments.image:
            _same_model(image, arguments.image_model)
            cohort, _ = _pictured(cohort, arguments.image_model or image.model, arguments.device, tell)
        evaluation, notes = tried_elsewhere(model, cohort, tell=tell)
    out: Path | None = arguments.out
    if out is not None:
        with filling(out) as folder:
            write_json(folder / "evaluation.json", evaluation.to_json() | {"notes": list(notes)})
            write_page(evaluation, folder / "evaluation.html", title=model.card.title)
    if arguments.json:
        output.say_json(evaluation.to_json() | {"model": model.card.name, "notes": notes})
        return output.GOOD
    lines = [*cohort.notes, *notes, *_lines(evaluation)]
    output.say("\n".join([*lines, *(["", f"Page: {out / 'evaluation.html'}"] if out else [])]))
    return output.GOOD


def _show(arguments: argparse.Namespace) -> int:
    from osler.cli.progress import watched, when_long
    from osler.clinic.prognosis.page import write_personal_page
    from osler.clinic.prognosis.personal import personal_view
    from osler.core.errors import AskedWrongly
    from osler.models.risk.model import load_risk_model

    out: Path | None = arguments.out
    if out is not None and (out.is_dir() or out.suffix.lower() not in (".html", ".htm")):
        raise AskedWrongly(f"{out} is no name of a page.", remedy="Name a file that ends in .html with --out.")
    model = load_risk_model(arguments.model)
    with watched() as every:
        tell = when_long(every)
        now = _moment(model, arguments.patient, arguments, tell, image=arguments.image)
        earlier = tuple(_moment(model, one, arguments, tell, earlier=True) for one in arguments.earlier)
        view = personal_view(model, now, earlier)
    beside = write_personal_page(view, out) if out is not None else None
    if arguments.json:
        output.say_json(view.to_json() | ({"page": out, "written": beside} if out else {}))
    else:
        output.say("\n".join([*_told(view), *(["", f"Page: {out}"] if out else [])]))
    return output.GOOD


def _pictured(cohort: "Cohort", model: str, device: str, tell: "Tell") -> "tuple[Cohort, ImageSource | None]":
    """The cohort with image features, and where they come from; as it is where it has none or has them already."""
    from osler.models.risk.card import ImageSource

    if cohort.features is not None:
        return cohort, ImageSource(columns=cohort.feature_columns)
    if not cohort.images:
        return cohort, None
    from osler.inference.device import choose_device
    from osler.inference.features import features_of_files
    from osler.models.model import load_model
    from osler.models.shelf import Shelf

    found = load_model(Shelf.default().find(model), device=choose_device(device))
    features = features_of_files(found, cohort.images, tell=tell)
    return replace(cohort, features=features), ImageSource(found.card.name, found.card.digest)


def _moment(
    model: "RiskModel",
    text: str,
    arguments: argparse.Namespace,
    tell: "Tell",
    *,
    image: Path | None = None,
    earlier: bool = False,
) -> "Moment":
    """A patient at one study, from "age=63,sex=M,image=FILE,days=90"."""
    from osler.clinic.pathways.person import told_of
    from osler.clinic.prognosis.personal import Moment
    from osler.core.errors import AskedWrongly
    from osler.core.patient import Patient

    told = dict(told_of(text)) if text else {}
    days = told.pop("days", None) if earlier else 0.0
    if earlier and (isinstance(days, bool | str) or days is None):
        raise AskedWrongly(
            "An earlier study does not say when it was.", remedy="Write days=90 for 90 days before."
        )
    path = Path(str(told.pop("image"))) if earlier and "image" in told else image
    named = {"age": "age_years", "age_years": "age_years", "weight_kg": "weight_kg", "height_m": "height_m"}
    numbers: dict[str, float] = {}
    for name, field in named.items():
        value = told.pop(name, None)
        if isinstance(value, str | bool):
            raise AskedWrongly(f"'{name}' needs a number.", remedy=f"Write {name}=63.")
        if value is not None:
            numbers[field] = value
    said = str(told.pop("sex", told.pop("gender", ""))).lower()[:1]
    sex = {"f": "F", "w": "F", "m": "M", "o": "O"}.get(said, "")
    patient = Patient(sex=sex, known=told, **numbers)
    features = None if path is None else _features(model, path, arguments, tell)
    return Moment(patient, features, float(days or 0.0))


def _features(model: "RiskModel", path: Path, arguments: argparse.Namespace, tell: "Tell") -> "Floats":
    from osler.core.errors import AskedWrongly
    from osler.inference.device import choose_device
    from osler.inference.features import features_of_files
    from osler.models.model import load_model

    source = model.card.image
    if source is None:
        raise AskedWrongly(
            f"The model {model.card.name} learnt from facts alone.", remedy="Leave the picture out."
        )
    if source.columns:
        raise AskedWrongly(
            f"The model {model.card.name} learnt from image features in a table, not from pictures.",
            remedy="Leave the picture out, or train with --image and --model.",
        )
    found = load_model(_same_model(source, arguments.image_model), device=choose_device(arguments.device))
    features: Floats = features_of_files(found, [path], tell=tell)[0]
    return features


def _same_model(source: "ImageSource", named: str) -> Path:
    """The folder of the image model, once it is the very one that the features came from."""
    from osler.core.errors import AskedWrongly
    from osler.models.card import read_card
    from osler.models.shelf import Shelf

    folder = Shelf.default().find(named or source.model)
    if read_card(folder).digest != source.digest:
        raise AskedWrongly(
            f"The image model {folder.name} is not the one that the model of risk learnt with: other weights.",
            remedy="Give that very model with --model, or train the model of risk again.",
        )
    return folder


def _lines(evaluation: "RiskEvaluation") -> list[str]:
    """The figures of each part, for people."""
    from osler.lab.risk.evaluate import ABOUT
    from osler.lab.risk.page import said

    lines = [
        f"{evaluation.name}: {evaluation.patients} patients, {evaluation.events} with the event; {evaluation.how}."
    ]
    lines += [evaluation.few] if evaluation.few else []
    for part in dict.fromkeys(figure.part for figure in evaluation.figures):
        lines += ["", f"{part}:"]
        for figure in evaluation.figures:
            if figure.part == part:
                at = f", {figure.horizon:g} {evaluation.unit}" if figure.horizon else ""
                value, ends = said(figure.interval)
                lines.append(f"  {ABOUT[figure.metric][0] + at:<38}{value}" + (f" ({ends})" if ends else ""))
    return lines


def _told(view: "PersonalView") -> list[str]:
    """A personal risk, for people at a terminal."""
    from osler.clinic.prognosis.page import between, percent, what_is_foretold
    from osler.results.sentences import say

    lines = [*view.cautions]
    for one in view.risks:
        what = f"{say(f'risk.part.{one.part}')}: {what_is_foretold(view, one.horizon)}"
        lines.append(f"{what}: {percent(one.value)} ({between(one)})")
    if view.alike is not None:
        for near in view.alike.seen:
            what = f"{say('risk.similar.patients', patients=view.alike.patients)}: "
            lines.append(f"{what}{what_is_foretold(view, near.horizon)}: {percent(near.value)} ({between(near)})")
    return [*lines, say("page.notice")]
