"""The model card: the nine headings of Mitchell et al. 2019, filled from what is known.

Mitchell M, Wu S, Zaldivar A, et al. Model cards for model reporting. Proceedings of the Conference on Fairness,
Accountability, and Transparency (FAT* 2019), 220-229.
"""

from osler.lab.evaluate.measures import ABOUT
from osler.lab.evaluate.report import written
from osler.lab.report.document import Bullets, Cell, Paragraph, Section, Table, pairs
from osler.lab.report.facts import (
    SPLITS_IN_WORDS,
    answer_in_words,
    care_counts,
    interval_of,
    prepared_in_words,
    size_of,
)
from osler.lab.report.item import Facts
from osler.lab.report.known import Known
from osler.lab.report.people import asked, sentences
from osler.lab.report.trusted import trusted

CITATION = (
    "Mitchell M, Wu S, Zaldivar A, et al. Model cards for model reporting. Proceedings of the Conference on "
    "Fairness, Accountability, and Transparency (FAT* 2019), 220-229."
)


def model_card(known: Known, facts: Facts) -> tuple[Section, ...]:
    """The sections of the card, in the order of the paper; calibration and the gate stand with the analyses."""
    return (
        _details(known, facts),
        _use(known, facts),
        _factors(known, facts),
        _metrics(known, facts),
        _evaluation_data(known, facts),
        _training_data(known, facts),
        _analyses(known, facts),
        _ethics(facts),
        _caveats(known, facts),
    )


def _details(known: Known, facts: Facts) -> Section:
    card = known.card
    codes = "; ".join(f"{name}: {code.meaning} ({code.scheme} {code.value})" for name, code in card.codes.items())
    count = known.parameters
    rows = {
        "Name and version": f"{card.name}, version {card.version}",
        "What it is": card.title,
        "Made": ", ".join(part for part in (card.created, card.software) if part),
        "Kind": facts["model.technology"].text,
        "Learnt numbers": "" if count is None else f"{count:,}{' in each net' if known.members > 1 else ''}",
        "Nets averaged": str(known.members) if known.plan is not None else "",
        "It reads": _reads(known),
        "How a picture is prepared": prepared_in_words(known),
        "It answers with": answer_in_words(known),
        "Threshold": facts["model.thresholds"].text,
        "Codes": codes,
        "Licence": card.licence or Cell("not said in the card", "missing"),
        "Digest": card.digest or "in card.json beside this page",
    }
    questions = [("Where to ask", "model.contact"), ("How to cite", "model.citation")]
    return Section("details", "Model details", (pairs(rows), asked(facts, questions)))


def _reads(known: Known) -> str:
    sees = known.card.sees
    rows = (("modality", sees.modalities), ("body part", sees.body_parts), ("view", sees.views))
    limits = "; ".join(f"{name} {', '.join(allowed)}" for name, allowed in rows if allowed)
    return sees.text + (f" ({limits})" if limits else "")


def _use(known: Known, facts: Facts) -> Section:
    card = known.card
    use = f"It reads {card.sees.text} and answers with {answer_in_words(known)}."
    if card.use:
        use += f" Clinical use it was made for: {card.use}."
    questions = [
        ("Role in the care", "use.role"),
        ("Users", "use.users"),
        ("What users must do", "use.interaction"),
    ]
    outside = (
        Bullets(card.not_for)
        if card.not_for
        else Paragraph("The card names nothing it must not be used for.", "missing")
    )
    return Section(
        "use",
        "Intended use",
        (Paragraph(use), Paragraph(facts["use.decides"].text), asked(facts, questions)),
        (Section("not-for", "Out of scope", (outside,)),),
    )


def _factors(known: Known, facts: Facts) -> Section:
    compared = sorted({one["column"] for test in known.tests for one in test.numbers.get("subgroups", ())})
    text = (
        f"Subgroups compared: {', '.join(compared)}; see the tests."
        if compared
        else "No subgroups were compared: the tested data give no facts of the patients beside the label."
    )
    if not known.tests:
        text = "No subgroups were compared: there is no test."
    questions = [
        ("Who the patients were", "data.demographics"),
        ("Devices and protocols", "data.acquisition"),
        ("Known inequalities", "study.inequalities"),
        ("Fairness", "analysis.fairness"),
    ]
    return Section("factors", "Factors", (Paragraph(text), asked(facts, questions)))


def _metrics(known: Known, facts: Facts) -> Section:
    if not known.tests:
        return Section("metrics", "Metrics", (Paragraph("Nothing was measured yet.", "missing"),))
    meanings = known.tests[0].numbers.get("meanings", {})
    rows = tuple(
        (Cell(ABOUT[name].title), Cell(text), Cell(ABOUT[name].best, "soft"))
        for name, text in meanings.items()
        if name in ABOUT
    )
    table = Table(rows, (0.24, 0.64, 0.12), ("Metric", "Meaning", "Best"))
    blocks = (table, *sentences(facts, "metrics.intervals", "model.thresholds"))
    return Section("metrics", "Metrics", (*blocks, asked(facts, [("Why these", "analysis.rationale")])))


def _evaluation_data(known: Known, facts: Facts) -> Section:
    questions = [
        ("Sources", "data.sources"),
        ("Dates", "data.dates"),
        ("Centres", "data.centres"),
        ("Who was eligible", "data.eligibility"),
        ("Reference standard", "reference.definition"),
        ("Who labelled", "reference.annotators"),
        ("How representative", "data.representative"),
    ]
    if not known.tests:
        return Section("evaluation-data", "Evaluation data", (_untested(), asked(facts, questions)))
    rows = tuple(
        (
            Cell(test.data or "not written down", "" if test.data else "missing"),
            Cell("external" if test.external else "internal"),
            Cell(SPLITS_IN_WORDS.get(test.numbers.get("split", ""), "")),
            Cell(str(test.numbers.get("n", {}).get("patients", ""))),
            Cell(str(test.numbers.get("n", {}).get("cases", ""))),
            Cell(test.made),
        )
        for test in known.tests
    )
    head = ("Data", "Kind", "Part", "Patients", "Cases", "Tested on")
    table = Table(rows, (0.34, 0.14, 0.16, 0.11, 0.11, 0.14), head, frozenset({3, 4}))
    return Section("evaluation-data", "Evaluation data", (table, asked(facts, questions)))


def _untested() -> Paragraph:
    return Paragraph(
        "This model was not tested, or its test was not kept: nothing is known of how good it is. Give labelled "
        "cases: osler report MODEL DATA.",
        "warning",
    )


def _training_data(known: Known, facts: Facts) -> Section:
    training = known.training
    blocks = list(sentences(facts, "data.training"))
    cases, patients = training.get("cases"), training.get("patients")
    if isinstance(cases, dict) and isinstance(patients, dict):
        rows = tuple(
            (Cell(SPLITS_IN_WORDS[side]), Cell(str(patients.get(side, ""))), Cell(str(cases.get(side, ""))))
            for side in ("train", "val", "test")
            if cases.get(side)
        )
        blocks.append(Table(rows, (0.5, 0.25, 0.25), ("Part", "Patients", "Cases"), frozenset({1, 2})))
    elif known.plan is None:
        blocks.append(
            Paragraph("How many cases it was trained on is not known here: it was trained elsewhere.", "missing")
        )
    prevalence = known.trust.prevalence
    if prevalence and len(prevalence) == len(known.card.classes):
        held = tuple(
            (Cell(name), Cell(f"{100 * share:.1f} %"))
            for name, share in zip(known.card.classes, prevalence, strict=True)
        )
        blocks.append(
            Table(held, (0.7, 0.3), ("Class", "Share that the probabilities take for granted"), frozenset({1}))
        )
    blocks += sentences(facts, "data.partition")
    questions = [
        ("Who was left out", "data.excluded"),
        ("Missing data", "data.missing"),
        ("Identity taken off", "data.deidentification"),
    ]
    blocks.append(asked(facts, questions))
    return Section("training-data", "Training data", tuple(blocks), (_care(known, facts),))


def _care(known: Known, facts: Facts) -> Section:
    if "data.care" not in facts:
        text = "Whether the data were checked for duplicates, leaks and wrong labels is not known."
        return Section("care", "Check of the data", (Paragraph(text, "missing"),))
    blocks = list(sentences(facts, "data.care"))
    rows = tuple((Cell(kind), Cell(severity), Cell(str(many))) for kind, severity, many in care_counts(known))
    if rows:
        blocks.append(Table(rows, (0.5, 0.3, 0.2), ("Kind", "Severity", "Concerns"), frozenset({2})))
    unchecked = (known.training.get("care") or {}).get("unchecked", ())
    if unchecked:
        blocks += [Paragraph("Not checked:", "soft"), Bullets(tuple(map(str, unchecked)))]
    return Section("care", "Check of the data", tuple(blocks))


def _analyses(known: Known, facts: Facts) -> Section:
    if not known.tests:
        return Section("analyses", "Quantitative analyses", (_untested(),), trusted(known))
    rows: list[tuple[Cell, ...]] = []
    for test in known.tests:
        for name, value in list(test.numbers.get("metrics", {}).items()):
            if name not in ABOUT:
                continue
            number, interval = written(name, interval_of(value))
            first = not rows or rows[-1][0].text != test.data
            rows.append(
                (
                    Cell(test.data or "test", "" if first else "soft"),
                    Cell(ABOUT[name].title),
                    Cell(number),
                    Cell(interval or "no interval", "" if interval else "soft"),
                    Cell(size_of(test)),
                )
            )
    table = Table(
        tuple(rows),
        (0.2, 0.25, 0.1, 0.18, 0.27),
        ("Data", "Metric", "Value", "95 % interval", "n"),
        frozenset({2, 3}),
        "The tests are told in full in the section Tests.",
    )
    return Section("analyses", "Quantitative analyses", (table,), trusted(known))


def _ethics(facts: Facts) -> Section:
    questions = [
        ("Ethics committee", "study.ethics"),
        ("Consent", "study.consent"),
        ("Sensitive data", "ethics.sensitive"),
        ("Risks and harms", "ethics.risks"),
    ]
    kept = (
        "The model's folder holds no picture, no name and no number of a patient: which case went where is kept "
        "as hashes. Weights learnt from pictures may still hold traces of them."
    )
    return Section("ethics", "Ethical considerations", (asked(facts, questions), Paragraph(kept, "soft")))


def _caveats(known: Known, facts: Facts) -> Section:
    notes = tuple(dict.fromkeys(note for test in known.tests for note in test.numbers.get("notes", ())))
    said = (*known.card.limits, *notes)
    blocks = (Bullets(said),) if said else ()
    general = Paragraph(
        "The numbers hold for patients, devices and labels like those tested. Elsewhere, test again on your cases."
    )
    return Section(
        "caveats",
        "Caveats and recommendations",
        (*blocks, general, asked(facts, [("Recommendations", "ethics.recommendations")])),
    )
