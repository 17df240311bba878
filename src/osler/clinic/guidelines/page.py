"""A guideline as a page (Markdown) that a clinician can proof-read: made of the very rows that decide."""

import re
from collections.abc import Iterable, Sequence

from osler.clinic.guidelines.conditions import Condition, Either, asks, figure, in_words, shown_unit, word_of
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Example, Guideline, Input, Row, Step
from osler.core.quantity import Quantity
from osler.results.sentences import joined, listed, say

MOST_COLUMNS = 8  # of what rows ask about, before a table is shown in parts


def guideline_page(guideline: Guideline) -> str:
    """The whole page: for whom, what it asks, the tables, limits, worked examples, source."""
    parts = [
        f"# {say(guideline.title)}",
        say("guide.page.version", version=guideline.version, name=guideline.name),
        f"**{say('guide.page.review')}** {say(guideline.checked)}",
        f"**{say('guide.page.for')}:** {say(guideline.for_whom)}",
        f"**{say('guide.page.not')}:**\n\n{_bullets(_refused(guideline))}",
    ]
    if guideline.terms:
        rows = [(say(f"term.{name}"), f"{value:g}") for name, value in guideline.terms.items()]
        parts += [f"## {say('guide.page.terms')}", _table(("guide.page.term", "guide.page.times"), rows)]
    for step in guideline.steps:
        alone = len(guideline.steps) == 1
        parts.append(
            f"## {say('guide.page.rows')}" if alone else f"## {say('guide.page.rows_of', what=_named(step))}"
        )
        if step.each:
            names = listed(guideline.input_named(name).what for name in step.each)
            parts.append(say("guide.page.each", names=names))
        else:
            parts.append(say("guide.page.first"))
        parts.append(_rows(guideline, step))
    notes = [say(note, **{name: figure(x) for name, x in guideline.figures.items()}) for note in guideline.notes]
    parts += [f"## {say('guide.page.notes')}", _bullets(notes)]
    parts += [f"## {say('guide.page.asks')}", _inputs(guideline)]
    if guideline.derived:
        names = listed(
            f"{one.what} ({unit})" if (unit := shown_unit(one.unit)) else one.what for one in guideline.derived
        )
        parts.append(f"{say('guide.page.computed')}: {names}.")
    parts += [f"## {say('guide.page.examples')}", _examples(guideline)]
    parts += [f"## {say('guide.page.source')}", _linked(guideline.source)]
    return "\n\n".join(parts) + "\n"


def _refused(guideline: Guideline) -> list[str]:
    """For whom it does not hold, a line each."""
    lines = []
    for bar in guideline.bars:
        what = say(
            "guide.page.not.one", what=_what(guideline, bar.when), limit=in_words(bar.when, guideline.units)
        )
        lines.append(f"{what}. {say(bar.why)}")
    return [*lines, f"{say('guide.page.not.missing')}."]


def _named(step: Step) -> str:
    return say(f"ask.{step.name}")


def _what(guideline: Guideline, condition: Condition) -> str:
    if isinstance(condition, Either):
        first, second = (guideline.input_named(part.name).what for part in (condition.first, condition.second))
        return say("guide.either", first=second, second=first)
    return guideline.input_named(condition.name).what


def _rows(guideline: Guideline, step: Step) -> str:
    """The rows of one table, numbered; in parts of the same first condition where they ask about many things.

    What a category means stands in a table of its own where it is the same in every row.
    """
    said = {row.category: (row.means, row.advice) for row in step.rows}
    apart = len(said) < len(step.rows) and any(row.advice for row in step.rows)
    apart = apart and all(said[row.category] == (row.means, row.advice) for row in step.rows)
    asked = {asks(condition) for row in step.rows for condition in row.when}
    parts: list[list[tuple[int, Row]]] = []
    for number, row in enumerate(step.rows, 1):
        together = parts and row.when[:1] == parts[-1][-1][1].when[:1]
        if (len(asked) > MOST_COLUMNS and not together) or not parts:
            parts.append([])
        parts[-1].append((number, row))
    text = [_part(guideline, rows, short=apart, many=len(parts) > 1) for rows in parts]
    if apart:
        categories = [Row((), category, *words) for category, words in said.items()]
        text.append(say("guide.page.categories"))
        text.append(_part(guideline, [(0, row) for row in categories], short=False, many=False))
    return "\n\n".join(text)


def _part(guideline: Guideline, rows: Sequence[tuple[int, Row]], *, short: bool, many: bool) -> str:
    """Rows as one table: their numbers, a column for everything they ask about, then what follows.

    short  the category alone follows
    many   it is one of several: what all its rows ask first stands above it
    """
    heads: dict[tuple[str, ...], str] = {}
    for _, row in rows:
        for condition in row.when[1 if many else 0 :]:
            heads.setdefault(asks(condition), _what(guideline, condition))
    advice = not short and any(row.advice for _, row in rows)
    means = (
        not short and any(row.means for _, row in rows) and (guideline.coded or not advice)
    )  # advice says it all
    numbered = any(number for number, _ in rows)
    lines = []
    for number, row in rows:
        cells = [str(number)] if numbered else []
        for asked in heads:
            cells.append("; ".join(in_words(one, guideline.units) for one in row.when if asks(one) == asked))
        if not row.when and heads:
            cells[1] = say("guide.otherwise")
        cells.append(f"**{row.category}**")
        cells += [say(key) if key else "" for key in (*[row.means] * means, *[row.advice] * advice)]
        lines.append(cells)
    keys = ["guide.page.category", *["guide.page.meaning"] * means, *["guide.page.advice"] * advice]
    first = rows[0][1].when[0] if many else None
    above = f"{_what(guideline, first)}: **{in_words(first, guideline.units)}**\n\n" if first else ""
    return above + _table_of([*[""] * numbered, *heads.values(), *(say(key) for key in keys)], lines)


def _inputs(guideline: Guideline) -> str:
    keys = ("guide.page.input", "guide.page.meaning", "guide.page.values", "guide.page.needed")
    rows = [(f"`{one.name}`", one.what, _values(one), _need(guideline, one)) for one in guideline.inputs]
    return _table(keys, rows)


def _values(asked: Input) -> str:
    if asked.kind == "yes or no":
        return f"{say('word.yes')}, {say('word.no')}"
    if asked.words:
        return ", ".join(
            f"`{word}`" if word_of(word) == word else f"`{word}` ({word_of(word)})" for word in asked.words
        )
    text = say("guide.page.range", low=figure(asked.low), high=figure(asked.high))
    text = f"{text} {shown_unit(asked.unit)}".strip()
    return f"{text}, {say('guide.page.steps', step=figure(asked.step))}" if asked.step else text


def _need(guideline: Guideline, asked: Input) -> str:
    if asked.needed:
        return say("word.yes")
    if asked.supposed is not None:
        return say("guide.page.supposed", value=word_of(asked.supposed))
    if asked.either:
        return say("guide.page.either")
    barred = [bar.when for bar in guideline.bars if asks(bar.when) == (asked.name,)]
    if barred and asked.kind == "yes or no":
        other = word_of(in_words(barred[0], {}) != say("word.yes"))
        return say("guide.page.supposed", value=other)
    return say("word.no") if barred else say("guide.page.where")


def _examples(guideline: Guideline) -> str:
    rows = []
    for example in guideline.examples:
        made = decide(guideline, example.given)
        category = made.category or say("guide.page.refused")
        rows.append((f"`{written(example)}`", f"**{category}**", joined(made.statement, made.advice)))
    return _table(("guide.page.given", "guide.page.category", "guide.page.follows"), rows)


def written(example: Example) -> str:
    """What an example is given, as `osler guideline apply` takes it."""
    words = []
    for name, value in example.given.items():
        if isinstance(value, bool):
            words.append(f"{name}={'yes' if value else 'no'}")
        elif isinstance(value, Quantity):
            words.append(f"{name}={value.low:g}..{value.value:g}..{value.high:g}{value.unit}")
        else:
            words.append(f"{name}={value}")
    return " ".join(words)


def _table(keys: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return _table_of([say(key) for key in keys], rows)


def _table_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _linked(source: str) -> str:
    """A DOI and an address as links."""
    linked = re.sub(r"doi:(10\.\S+?)(?=[.;]?(?:\s|$))", r"[doi:\1](https://doi.org/\1)", source)
    return re.sub(r"(?<![(\[])(https://www\.[^\s;]+)", r"<\1>", linked)
