"""How the model was trained: the net, every choice of the plan with its reason, what it took, and on what."""

from typing import Any

from osler.core.record import to_plain
from osler.lab.report.document import Block, Cell, Paragraph, Section, Table, pairs
from osler.lab.report.item import Facts
from osler.lab.report.known import Known
from osler.lab.report.people import asked


def training_details(known: Known, facts: Facts) -> Section:
    """The section; for a net that was not trained here it says so."""
    if known.plan is None:
        text = "This net was not trained by Osler: how it was trained is not known here."
        return Section("training-details", "How it was trained", (Paragraph(text, "missing"),))
    rows = {
        "The net": "model.description",
        "First weights": "model.initialization",
        "Nets combined": "model.ensemble",
        "Loss and optimizer": "training.approach",
        "Varied pictures": "training.augmentation",
        "Imbalance": "training.balance",
        "Choice of the final model": "training.selection",
        "Software": "model.software",
    }
    return Section(
        "training-details",
        "How it was trained",
        (pairs({label: facts[name].text for label, name in rows.items() if name in facts}),),
        (
            Section("plan", "Every choice and its reason", _choices(known)),
            Section("effort", "What it took", _effort(known, facts)),
        ),
    )


def _choices(known: Known) -> tuple[Block, ...]:
    """The plan as a table: first what has a reason, then the rest of the numbers."""
    plan = known.plan
    assert plan is not None
    values = {
        **plan.net.arguments,
        **to_plain(plan.recipe),
        **to_plain(plan.augmentation),
        **to_plain(plan.training),
    }
    values |= {"net": plan.net.name}
    rows = [(Cell(name), Cell(_value(values.get(name))), Cell(reason)) for name, reason in plan.because.items()]
    left_out = {*plan.because, "channels", "dims", "colour", "reference", "target_mean", "target_std"}
    rows += [
        (Cell(name), Cell(_value(value)), Cell("as usual", "soft"))
        for name, value in values.items()
        if name not in left_out and value is not None
    ]
    return (Table(tuple(rows), (0.22, 0.3, 0.48), ("Choice", "Value", "Reason")),)


def _value(value: Any) -> str:
    """A setting as a person reads it: lists in brackets, numbers without tails; "" for what is told elsewhere."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_value(one) for one in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _effort(known: Known, facts: Facts) -> tuple[Block, ...]:
    training = known.training
    blocks: list[Block] = []
    members = training.get("members")
    if isinstance(members, list) and members:
        rows = tuple(
            (
                Cell(str(number)),
                Cell(str(member.get("step", ""))),
                Cell(f"{float(member.get('elapsed', 0)) / 60:.1f} min"),
                Cell(f"{member['losses'][0]:.3f} to {member['losses'][-1]:.3f}" if member.get("losses") else "–"),
                Cell("; ".join(member.get("notes", ())) or "–"),
            )
            for number, member in enumerate(members, start=1)
        )
        head = ("Net", "Steps", "Time", "Training loss", "Notes")
        blocks.append(Table(rows, (0.08, 0.12, 0.14, 0.26, 0.4), head, frozenset({0, 1, 2})))
    budget = training.get("budget_seconds")
    if isinstance(budget, int | float):
        text = f"Time asked for: {budget / 60:.0f} min; seed {training.get('seed', '?')}."
        blocks.append(Paragraph(text))
    blocks.append(asked(facts, [("Hardware", "analysis.hardware")]))
    return tuple(blocks)
