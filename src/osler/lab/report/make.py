"""The report of a model for a reviewer: read this page and you know what is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from osler.core.errors import AskedWrongly
from osler.core.progress import Tell, silent
from osler.core.report import NOT_A_DEVICE
from osler.core.version import SOFTWARE
from osler.io.files import read_json, replacing, write_json
from osler.lab.catalog.recognize import read_dataset
from osler.lab.evaluate.examine import Wanted, chosen_cases, examine, origin_of
from osler.lab.evaluate.run import ask, extremes, in_order_of
from osler.lab.report.checklists import CHECKLISTS, filled, section
from osler.lab.report.document import Block, Bullets, Cell, Document, Paragraph, Photo, Section, Table, places
from osler.lab.report.facts import facts_of
from osler.lab.report.item import Facts, counts
from osler.lab.report.known import Known, Tested, read_known
from osler.lab.report.model_card import CITATION, model_card
from osler.lab.report.render_html import render_html
from osler.lab.report.render_pdf import render_pdf
from osler.lab.report.said import SAYABLE, read_said
from osler.lab.report.tests import tests
from osler.lab.report.training_details import training_details
from osler.models.card import ModelCard
from osler.models.digest import check_seal
from osler.models.model import Model, load_model

REPORT_VERSION = 1
CARD_PAGE = "card.html"


@dataclass(frozen=True, slots=True)
class Brief:
    """What a report is to be of.

    data      labelled cases to test on now; None: the test that lies in the model's folder is told
    split     which of them
    external  other data sets to test on, whole unless they name a test split, and to compare with `data`
    quick     leave out what takes longest: the answers on pictures made worse
    facts     a JSON file of what only a person knows
    pictures  show the worst and best cases: pictures of patients
    cases     call cases by their names, instead of by numbers
    """

    data: Path | None = None
    split: str = "test"
    external: tuple[Path, ...] = ()
    quick: bool = False
    facts: Path | None = None
    pictures: bool = False
    cases: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a report.

    items  checklist -> how many of its items are filled, partly filled and not known
    tested is there any test in it?
    """

    html: Path
    pdf: Path
    json: Path
    items: Mapping[str, Mapping[str, int]]
    tested: bool


def make_report(folder: Path, out: Path, brief: Brief, *, device: str = "cpu", tell: Tell = silent) -> Made:
    """Write report.html, report.pdf and report.json of the model in `folder` into `out`.

    Raises BadModel for a damaged model, UnknownChoice for a fact that is not in the table, and what `examine`
    raises for data that does not fit.
    """
    said = read_said(brief.facts) if brief.facts else {}
    check_seal(folder)
    known = read_known(folder, tests=_tests(folder, brief, device=device, tell=tell), said=said)
    facts = facts_of(known)
    tell("writing", 0, 3, "report.html")
    document = report(known, facts, today=datetime.now(UTC).date().isoformat())
    with replacing(out / "report.html") as beside:
        beside.write_text(render_html(document), encoding="utf-8")
    tell("writing", 1, 3, "report.pdf")
    with replacing(out / "report.pdf") as beside:
        beside.write_bytes(render_pdf(document))
    write_json(out / "report.json", report_to_json(known, facts, document))
    tell("writing", 3, 3, "")
    items = {one.key: counts(filled(one, facts)) for one in CHECKLISTS}
    return Made(out / "report.html", out / "report.pdf", out / "report.json", items, bool(known.tests))


def write_model_card(folder: Path, card: ModelCard | None = None) -> Path:
    """Write the model card as card.html into a model's folder; to be called before the folder is sealed.

    card  where card.json is not written yet
    """
    known = read_known(folder, card=card)
    facts = facts_of(known)
    document = Document(
        title=known.card.title,
        kicker="Model card",
        facts={
            "Model": f"{known.card.name} {known.card.version}",
            "Made": known.card.created,
            "Osler": known.card.software,
        },
        notice=NOT_A_DEVICE,
        sections=model_card(known, facts),
        running=f"{known.card.name} {known.card.version}",
        contents=False,
    )
    with replacing(folder / CARD_PAGE) as beside:
        beside.write_text(render_html(document), encoding="utf-8")
    return folder / CARD_PAGE


def report(known: Known, facts: Facts, *, today: str) -> Document:
    """The whole document: in short, model card, training, tests, checklists, what is still to be said, sources."""
    card = known.card
    body = (
        Section("model-card", "Model card", (), model_card(known, facts)),
        training_details(known, facts),
        Section("tests", "Tests", (), tests(known)),
        *(section(checklist, facts) for checklist in CHECKLISTS),
        _unsaid(facts),
        Section("sources", "Sources", (Bullets((CITATION, *(one.citation for one in CHECKLISTS))),)),
    )
    return Document(
        title=card.title,
        kicker="Report for reviewers",
        facts={
            "Model": f"{card.name}, version {card.version}",
            "Made": card.created,
            "Digest": card.digest,
            "This report": today,
            "Osler": SOFTWARE,
        },
        notice=NOT_A_DEVICE,
        sections=(_short(known, facts), *body),
        running=f"{card.name} {card.version}, digest {card.digest[:12]}, {today}",
    )


def report_to_json(known: Known, facts: Facts, document: Document) -> dict[str, Any]:
    """The same for machines.

    {"report_version", "model": {"name", "version", "title", "digest"}, "made", "software", "notice",
    "facts": {NAME: {"text", "source", "section"}}, "checklists": {"claim": {"title", "citation", "filled",
    "partly", "not_known", "items": [{"item", "section", "asked", "state", "answer", "sources", "missing"}]},
    "tripod_ai": {...}}, "not_known": [NAME, ...], "tests": [{"data", "external", "made", ...}]}

    A test holds what evaluation.json holds.
    """
    number = places(document.sections)
    card = known.card
    lists = {}
    for checklist in CHECKLISTS:
        answers = filled(checklist, facts)
        lists[checklist.key] = {
            "title": checklist.title,
            "citation": checklist.citation,
            **counts(answers),
            "items": [
                {
                    "item": one.item.number,
                    "section": one.item.section,
                    "asked": one.item.asks,
                    "state": one.state,
                    "answer": [fact.text for fact in one.facts],
                    "sources": [fact.source for fact in one.facts],
                    "missing": list(one.missing),
                }
                for one in answers
            ],
        }
    return {
        "report_version": REPORT_VERSION,
        "model": {"name": card.name, "version": card.version, "title": card.title, "digest": card.digest},
        "made": document.facts["This report"],
        "software": SOFTWARE,
        "notice": document.notice,
        "facts": {
            name: {"text": fact.text, "source": fact.source, "section": number.get(fact.place, "")}
            for name, fact in facts.items()
        },
        "checklists": lists,
        "not_known": [name for name in SAYABLE if name not in facts],
        "tests": [
            {"data": test.data, "external": test.external, "made": test.made, **test.numbers}
            for test in known.tests
        ],
    }


def _tests(folder: Path, brief: Brief, *, device: str, tell: Tell) -> tuple[Tested, ...]:
    """What is tested now: the data that was named, then the others."""
    if brief.data is None and not brief.external:
        return ()
    for path in (brief.data, *brief.external):
        if path is not None and not path.exists():
            raise AskedWrongly(
                f"There is nothing at {path.name}.", remedy="Name the file or folder of the labelled cases."
            )
    model = load_model(folder, device=device)
    for path in brief.external:  # before hours of work
        _refuse_unfit(model, path)
    made = []
    if brief.data is not None:
        wanted = Wanted(robustness=not brief.quick, external=brief.external)
        made.append(_tested(model, brief.data, brief, wanted, external=False, tell=tell))
    made += [_tested(model, path, brief, Wanted(), external=True, tell=tell) for path in brief.external]
    return tuple(made)


def _refuse_unfit(model: Model, path: Path) -> None:
    """Raises AskedWrongly for an external set that is the one the model came from, or has other classes."""
    history = model.folder / "training.json"
    came_from = read_json(history).get("data", {}) if history.is_file() else {}
    found = read_dataset(path, task=model.card.task, target=came_from.get("target") or None)
    in_order_of(model, found)
    if origin_of(found, "").cases == came_from.get("cases"):
        raise AskedWrongly(
            f"{found.name} is the data that the model was trained on, not data from elsewhere.",
            remedy="Give it as DATA, and other data with --external.",
        )


def _tested(model: Model, path: Path, brief: Brief, wanted: Wanted, *, external: bool, tell: Tell) -> Tested:
    split = "test" if external else brief.split
    dataset, _ = chosen_cases(model, path, split)
    examined = examine(model, path, split=split, wanted=wanted, tell=tell)
    numbers = examined.to_json()
    if "cases" in numbers and not brief.cases:
        numbers["cases"] = _nameless(numbers["cases"])
    photos: tuple[Photo, ...] = ()
    if brief.pictures:
        shown = extremes(model, dataset, ask(model, dataset, tell=tell).answers)
        photos = tuple(
            Photo(title if brief.cases else title.partition(":")[0], caption, pixels)
            for title, caption, pixels in shown
        )
    today = datetime.now(UTC).date().isoformat()
    return Tested(dataset.name, external, numbers, today, photos, examined.seconds)


def _nameless(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "id": f"case {number}"} for number, row in enumerate(rows, start=1)]


def _short(known: Known, facts: Facts) -> Section:
    """The first page: what it is, how good it was on how many, and how much of the lists is answered."""
    blocks: list[Block] = [Paragraph(f"{facts['model.technology'].text} {facts['use.sees'].text}")]
    if "evaluation.performance" in facts:
        blocks.append(Paragraph(f"With 95 % intervals by patient: {facts['evaluation.performance'].text}"))
    else:
        blocks.append(
            Paragraph(
                "This model was not tested, or its test was not kept: nothing is known of how good it is.",
                "warning",
            )
        )
    rows = tuple(
        (
            Cell(one.title),
            *(Cell(str(number)) for number in counts(filled(one, facts)).values()),
            Cell("", to=one.key.replace("_", "-")),
        )
        for one in CHECKLISTS
    )
    head = ("Checklist", "Filled", "Partly", "Not known", "Section")
    blocks.append(Table(rows, (0.4, 0.15, 0.15, 0.15, 0.15), head, frozenset({1, 2, 3})))
    blocks.append(
        Paragraph(
            "Every answer comes from the model's folder or from a test of it. What a person said is marked 'Said "
            "by a person'; what nobody has said is marked 'not known' with the name under which it can be given "
            "(osler report --facts).",
            "soft",
        )
    )
    return Section("in-short", "In short", tuple(blocks))


def _unsaid(facts: Facts) -> Section:
    left = [name for name in SAYABLE if name not in facts]
    if not left:
        return Section(
            "unsaid", "Still to be said", (Paragraph("Nothing: every question to a person is answered."),)
        )
    rows = tuple((Cell(name), Cell(SAYABLE[name])) for name in left)
    lead = "Only a person knows these. Write them into a JSON file and give it with --facts."
    return Section(
        "unsaid", "Still to be said", (Paragraph(lead), Table(rows, (0.3, 0.7), ("Name", "What to say")))
    )
