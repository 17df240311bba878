"""`osler models`: the shelf."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osler.cli import output
from osler.cli.arguments import Parser, add_common, new_parser

if TYPE_CHECKING:
    from osler.models.card import ModelCard
    from osler.models.trust import Trust

SUMMARY = """The shelf: the models that came with Osler, and your own (in OSLER_HOME/models, else ~/.osler/models).
Every command takes a model by its name here or by its folder."""

EXAMPLE = """
osler models list
osler models show chest-pneumonia
osler models add my-model --name clinic-a
osler models add net.onnx --card card.json
osler models calibrate net labelled-cases/ --split val
osler models export my-model --format onnx --out my-model.onnx
"""


UNLIKE = {
    "by_header": "declined, and only marked where the header names the right part of the body",
    "decline": "declined",
    "mark": "marked, and read",
}


def parser() -> Parser:
    """The words of `osler models`."""
    made = new_parser("models", SUMMARY, EXAMPLE)
    verbs = made.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="every model, damaged ones too", allow_abbrev=False)
    show = verbs.add_parser(
        "show", help="one model's card: what it sees, says, and is not for", allow_abbrev=False
    )
    show.add_argument("model", metavar="MODEL", help="a name or a folder")
    add = verbs.add_parser(
        "add", help="put a model, or an ONNX file with its card, on the shelf", allow_abbrev=False
    )
    add.add_argument("source", metavar="SOURCE", type=Path, help="a model's folder, or FILE.onnx")
    add.add_argument(
        "--card", type=Path, metavar="FILE", help="the card of an ONNX file; see docs/reference/card.md"
    )
    add.add_argument("--name", default="", help="what it is called on the shelf (its card's name)")
    calibrate = verbs.add_parser(
        "calibrate", help="fit probabilities and limits on labelled cases it has not seen", allow_abbrev=False
    )
    calibrate.add_argument("model", metavar="MODEL", help="one of your own models, by name, or a folder")
    calibrate.add_argument("data", metavar="DATA", type=Path, help="labelled cases, as `osler train` takes them")
    calibrate.add_argument("--split", default="val", help="which of them: val, train, test or all (val)")
    remove = verbs.add_parser("remove", help="take one of your own models off the shelf", allow_abbrev=False)
    remove.add_argument("model", metavar="NAME", help="its name on the shelf")
    export = verbs.add_parser("export", help="write a model for other software", allow_abbrev=False)
    export.add_argument("model", metavar="MODEL", help="a name or a folder")
    export.add_argument("--format", choices=("onnx",), default="onnx", help="what to write (onnx)")
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    for below in (listing, show, add, calibrate, remove, export):
        add_common(below, below=True)
    return made


def run(arguments: argparse.Namespace) -> int:
    """One act on the shelf."""
    acts = {
        "list": _list,
        "show": _show,
        "add": _add,
        "calibrate": _calibrate,
        "remove": _remove,
        "export": _export,
    }
    text, value = acts[arguments.verb](arguments)
    if arguments.json:
        output.say_json(value)
    else:
        output.say(text)
    return output.GOOD


def shelf_state() -> list[dict[str, Any]]:
    """Every model on the shelf: name, title, task, version, folder, and its problem ("" where there is none)."""
    from osler.core.errors import OslerError
    from osler.models.card import read_card
    from osler.models.digest import check_seal
    from osler.models.shelf import Shelf

    rows = []
    for folder in Shelf.default():
        row: dict[str, Any] = {"name": folder.name, "title": "", "task": "", "version": "", "folder": str(folder)}
        try:
            card = read_card(folder)
            row |= {"title": card.title, "task": card.task, "version": card.version, "use": card.use}
            check_seal(folder)
            row["problem"] = ""
        except OslerError as error:
            row["problem"] = error.problem
        rows.append(row)
    return rows


def _list(arguments: argparse.Namespace) -> tuple[str, Any]:
    rows = shelf_state()
    width = max((len(row["name"]) for row in rows), default=0)
    lines = [
        f"{row['name']:<{width}}  {row['task']:<12}  {row['title']}"
        + (f"  DAMAGED: {row['problem']}" if row["problem"] else "")
        for row in rows
    ]
    return "\n".join(lines) or "The shelf is empty; train a model and `osler models add` it.", {"models": rows}


def _show(arguments: argparse.Namespace) -> tuple[str, Any]:
    from osler.core.record import from_plain, to_plain
    from osler.io.files import read_json
    from osler.models.card import card_to_json
    from osler.models.digest import check_seal
    from osler.models.shelf import Shelf
    from osler.models.trust import Trust

    folder = Shelf.default().find(arguments.model)
    card = check_seal(folder)
    trust = from_plain(Trust, read_json(folder / "trust.json"))
    text = "\n".join([*_card_lines(card, folder), *_trust_lines(trust)])
    return text, card_to_json(card) | {"folder": str(folder), "trust": to_plain(trust)}


def _add(arguments: argparse.Namespace) -> tuple[str, Any]:
    from osler.core.errors import AskedWrongly
    from osler.models.card import read_card
    from osler.models.shelf import Shelf

    source: Path = arguments.source
    shelf = Shelf.default()
    if source.suffix.lower() != ".onnx":
        if arguments.card:
            raise AskedWrongly("A model's folder has its card already.", remedy="Leave --card away.")
        placed = shelf.add(source, name=arguments.name)
    else:
        if not arguments.card:
            raise AskedWrongly(
                f"{source.name} needs a card that says what it sees and says.",
                remedy="Write one (docs/reference/card.md) and give it with --card.",
            )
        from osler.models.foreign.wear import wear

        with tempfile.TemporaryDirectory(prefix="osler-") as nest:
            worn = Path(nest) / source.stem
            wear(source, arguments.card, worn)
            placed = shelf.add(worn, name=arguments.name)
    card = read_card(placed)
    return f"{placed.name} is on the shelf: {card.title}.", {"name": placed.name, "model": str(placed)}


def _calibrate(arguments: argparse.Namespace) -> tuple[str, Any]:
    from osler.cli.progress import watched
    from osler.core.errors import AskedWrongly
    from osler.core.record import from_plain, to_plain
    from osler.io.files import read_json
    from osler.lab.release import calibrate
    from osler.models.shelf import Shelf
    from osler.models.trust import Trust

    shelf = Shelf.default()
    folder = shelf.find(arguments.model)
    if folder.parent == shelf.folders[-1]:
        raise AskedWrongly(
            f"{folder.name} came with Osler and stays as it is.",
            remedy="Put a copy under another name on your shelf first: osler models add FOLDER --name NAME.",
        )
    with watched() as tell:
        card = calibrate(folder, arguments.data, split=arguments.split, tell=tell)
    trust = from_plain(Trust, read_json(folder / "trust.json"))
    text = "\n".join([f"{card.name}: {card.limits[-1]}", *_trust_lines(trust)])
    return text, {"name": card.name, "model": str(folder), "digest": card.digest, "trust": to_plain(trust)}


def _remove(arguments: argparse.Namespace) -> tuple[str, Any]:
    from osler.models.shelf import Shelf

    gone = Shelf.default().remove(arguments.model)
    return f"{arguments.model} is off the shelf.", {"removed": str(gone)}


def _export(arguments: argparse.Namespace) -> tuple[str, Any]:
    from osler.models.foreign.export import export_onnx
    from osler.models.model import load_model
    from osler.models.shelf import Shelf

    written = export_onnx(load_model(Shelf.default().find(arguments.model)), arguments.out)
    text = (
        f"{written.path} written; it differs from torch by at most {written.difference:.1e}.\nCard: {written.card}"
    )
    return text, {
        "format": "onnx",
        "path": str(written.path),
        "card": str(written.card),
        "max_difference": written.difference,
    }


def _trust_lines(trust: "Trust") -> list[str]:
    """How far answers can be believed, as a person reads it."""
    calibration, lines = trust.calibration, []
    if calibration.note or calibration.how != "none":
        figures = "".join(
            f", {name} {numbers[0]:.4f} to {numbers[1]:.4f}"
            for name, numbers in (("log-loss", calibration.nll), ("calibration error", calibration.ece))
            if len(numbers) == 2 and numbers[0] != numbers[1]
        )
        lines.append(f"  calibrated  {calibration.how}{figures}. {calibration.note}")
    for name, promise in (("sets", trust.sets), ("volumes", trust.volumes)):
        if promise is not None:
            about = f"{promise.how}, {promise.patients} patients, {promise.cases} cases. {promise.note}"
            lines.append(f"  {name:<11} {about.strip()}")
    if trust.bounds is not None:
        risks = ", ".join(f"{risk:.0%}" for risk in trust.bounds.risks)
        lines.append(
            f"  {'masks':<11} risks {risks}, {trust.bounds.patients} patients. {trust.bounds.note}".rstrip()
        )
    if trust.prevalence:
        lines.append(f"  {'prevalence':<11} {', '.join(f'{share:.3g}' for share in trust.prevalence)}")
    if trust.gate is not None:
        promise_of = f"{trust.gate.false_alarm:.0%} false alarms promised, {trust.gate.patients} patients"
        lines.append(f"  {'gate':<11} {promise_of}. {trust.gate.note}".rstrip())
        if trust.gate.notices:
            noticed = ", ".join(f"{name} {share:.0%}" for name, share in trust.gate.notices.items())
            lines.append(f"  {'notices':<11} {noticed}")
    lines.append(f"  {'called from':<11} {trust.operating_point:.3g}")
    return [*lines, f"  {'mirrors':<11} {', '.join(map(str, trust.flips)) or 'none'}"]


def _card_lines(card: "ModelCard", folder: Path) -> list[str]:
    """The card as a person reads it."""
    lines = [
        f"{card.name} {card.version}: {card.title}",
        f"  sees      {card.sees.text}",
        f"  says      {', '.join(card.classes) or 'a number'} ({card.task})",
    ]
    lines += [f"  not for   {phrase}" for phrase in card.not_for]
    lines.append(f"  unlike    pictures unlike those it learnt from are {UNLIKE[card.gate]}")
    lines += [f"  mind      {sentence}" for sentence in card.limits]
    lines += [
        f"  tested    {t.metric} {t.value:.3f} ({t.low:.3f} to {t.high:.3f}) on {t.data} {t.split}, "
        f"{t.patients} patients, {t.date}"
        for t in card.tested
    ]
    if not card.tested:
        lines.append("  tested    not yet")
    for label, text in (("trained on", card.trained_on), ("licence", card.licence), ("made by", card.software)):
        if text:
            lines.append(f"  {label:<9} {text}")
    return [*lines, f"  digest    {card.digest}", f"  folder    {folder}"]
