"""How far the answers can be believed: calibration, conformal sets, mask bounds and the gate, each with its n."""

from osler.lab.report.document import Block, Cell, Paragraph, Section, Table
from osler.lab.report.facts import calibration_in_words
from osler.lab.report.known import Known
from osler.models.trust import Conformal, MaskBounds

_KINDS = {
    "lac": "a set of classes by the probability of each (LAC)",
    "aps": "a set of classes, the likeliest first (APS)",
    "raps": "a set of classes, the likeliest first, large ones penalized (RAPS)",
    "grades": "a run of neighbouring grades",
    "labels": "each label there, not there, or unsure",
    "distance": "a number, plus or minus",
    "doubt": "a volume, plus or minus so many times the voxels in doubt",
}

_POLICIES = {
    "by_header": "Such a picture is declined, unless its header names the right part of the body: then it is "
    "read, and the reading says so.",
    "decline": "Such a picture is declined.",
    "mark": "Such a picture is read, and the reading says so.",
}


def trusted(known: Known) -> tuple[Section, ...]:
    """The sections; what a model has not got is said, not left out."""
    return (_calibration(known), _sets(known), _gate(known))


def _calibration(known: Known) -> Section:
    text = calibration_in_words(known)
    if text:
        return Section("calibration", "Calibration", (Paragraph(text),))
    if known.card.task == "regression":
        return Section(
            "calibration",
            "Calibration",
            (Paragraph("The answer is a number, no probability: there is nothing to calibrate."),),
        )
    return Section(
        "calibration",
        "Calibration",
        (
            Paragraph(
                "On how many cases the probabilities were calibrated, if they were, is not known.", "missing"
            ),
        ),
    )


def _sets(known: Known) -> Section:
    trust = known.trust
    blocks: list[Block] = []
    for conformal in (trust.sets, trust.volumes):
        if conformal is not None:
            blocks += _promised(conformal, known)
    if trust.bounds is not None:
        blocks += _bounds(trust.bounds, known)
    if not blocks:
        blocks = [Paragraph("The model promises no sets, intervals or mask bounds.", "missing")]
    return Section("conformal", "Answers with a stated guarantee (conformal)", tuple(blocks))


def _promised(conformal: Conformal, known: Known) -> list[Block]:
    what = _KINDS.get(conformal.how, conformal.how)
    text = (
        f"The answer comes with {what} that holds the truth as often as promised, for patients like those it was "
        f"fitted on: {conformal.cases} cases of {conformal.patients} patients."
    )
    names = _columns(conformal, known)
    rows = tuple(
        (Cell(f"{100 * level:.0f} %"), *(Cell(_number(one)) for one in row))
        for level, row in zip(conformal.levels, conformal.thresholds, strict=True)
    )
    blocks: list[Block] = [Paragraph(f"{text} {conformal.note}".strip())]
    if rows and len(names) == len(rows[0]) - 1 and len(names) <= 8:
        shares = (0.2, *((0.8 / len(names),) * len(names)))
        note = "Thresholds as they are stored; 'none': so few cases promise nothing, and everything is in the set."
        blocks.append(Table(rows, shares, ("Promised", *names), frozenset(range(1, len(names) + 1)), note))
    return blocks


def _columns(conformal: Conformal, known: Known) -> tuple[str, ...]:
    many = len(conformal.thresholds[0]) if conformal.thresholds else 0
    return known.card.classes if many == len(known.card.classes) > 1 else ("Threshold",) * many


def _bounds(bounds: MaskBounds, known: Known) -> list[Block]:
    text = (
        "An outer mask misses, and of an inner mask lies outside, at most the promised share of the label in the "
        f"expected patient; fitted on {bounds.patients} patients{_holding(bounds, known)}. {bounds.note}".strip()
    )
    rows = tuple(
        (Cell(f"{100 * risk:.0f} %"), Cell(name), Cell(_number(outer)), Cell(_number(inner)))
        for risk, outers, inners in zip(bounds.risks, bounds.outer, bounds.inner, strict=True)
        for name, outer, inner in zip(known.card.classes, outers, inners, strict=False)
    )
    head = ("Risk", "Label", "Outer: voxels from", "Inner: voxels from")
    return [Paragraph(text), Table(rows, (0.15, 0.35, 0.25, 0.25), head, frozenset({2, 3}))]


def _holding(bounds: MaskBounds, known: Known) -> str:
    if len(bounds.holding) != len(known.card.classes):
        return ""
    each = ", ".join(f"{many} with {name}" for name, many in zip(known.card.classes, bounds.holding, strict=True))
    return f" ({each})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g}"


def _gate(known: Known) -> Section:
    gate = known.trust.gate
    blocks: list[Block] = [
        Paragraph(
            "Header rules stand first: modality, body part and view must be those of the card, and the picture "
            "must pass the quality checks; a study that does not is declined."
        )
    ]
    if gate is None:
        blocks.append(Paragraph("Pictures are not compared with the training pictures.", "missing"))
    elif not gate.scores:
        blocks.append(Paragraph(gate.note, "missing"))
    else:
        blocks.append(
            Paragraph(
                "Then a picture is compared with the training pictures, by its plain look and by the net's "
                f"features: it is called unlike them where at most {gate.false_alarm:.0%} of pictures like theirs "
                f"would be (conformal p-value over {gate.patients} validation patients). "
                f"{_POLICIES[known.card.gate]} {gate.note}"
            )
        )
    if gate is not None and gate.notices:
        rows = tuple((Cell(name), Cell(f"{share:.0%}")) for name, share in gate.notices.items())
        head = ("Validation pictures that are", "Called unlike")
        note = f"n: {gate.patients} patients."
        blocks.append(Table(rows, (0.7, 0.3), head, frozenset({1}), note))
    return Section("gate", "When it is silent (the gate)", tuple(blocks))
