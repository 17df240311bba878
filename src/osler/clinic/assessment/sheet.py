"""What stands on the page of a severity statement: the same words for the browser and for paper."""

from dataclasses import dataclass

from osler.clinic.assessment.comparing import shown
from osler.clinic.assessment.purposes import PURPOSES
from osler.clinic.assessment.statement import Item, SeverityStatement
from osler.core.conclusion import Conclusion
from osler.results.page_lines import interval_text, value_text
from osler.results.sentences import joined, listed, say


@dataclass(frozen=True, slots=True)
class Bar:
    """One grade: its share, whether it is the one that is told, and whether it lies in the interval."""

    name: str
    share: float
    told: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class Graded:
    """One item, as it is set: its title, the grade large, what the interval promises, and a bar a grade."""

    title: str
    grade: str
    promise: str
    said: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Ruled:
    """One published rule: the category, what was told to it, the row that applied and its source; or why not."""

    title: str
    category: str
    said: str
    rows: tuple[tuple[str, str], ...]


def header_lines(statement: SeverityStatement) -> list[tuple[str, str]]:
    """Who is assessed (by pseudonym), to which end, by whose leave, and who decides."""
    request, subject = statement.request, statement.subject
    consent = request.consent
    until = say("assess.until", date=consent.until) if consent.until else ""
    person = [say(f"page.sex.{subject.sex}")] if subject.sex else []
    person += [say("page.years", years=subject.age_band)] if subject.age_band else []
    lines = [
        (say("assess.purpose"), say(PURPOSES[request.purpose].title)),
        (
            say("assess.consent"),
            say("assess.consent.line", reference=consent.reference, date=consent.date, until=until),
        ),
        (say("assess.scope"), listed(say(PURPOSES[name].title) for name in consent.scope)),
        (say("assess.decides"), f"{request.assessor.name}, {request.assessor.role}"),
        (say("assess.subject"), listed(person) or say("page.not_said")),
        (say("page.side"), say(f"assess.side.{request.side}") if request.side else ""),
        (say("page.pathway"), statement.pathway),
        (say("page.modality"), statement.modality),
        (say("assess.made"), statement.created.replace("T", " ").replace("+00:00", " UTC")),
    ]
    return [(name, value) for name, value in lines if value]


def graded(item: Item) -> Graded:
    """One item with its bars."""
    name = say(f"assess.side.{item.side}") + ": " + item.name if item.side else item.name
    if item.level is None:
        return Graded(name, item.grade, "", item.said, ())
    promise = say("assess.no_promise")
    if item.lowest is not None and item.highest is not None and item.coverage is not None:
        low, high = item.scale[item.lowest], item.scale[item.highest]
        key = "assess.promise.one" if low == high else "assess.promise"
        key = "assess.promise.all" if item.highest - item.lowest == len(item.scale) - 1 else key
        promise = say(key, low=low, high=high, share=f"{item.coverage:.0%}")
    likeliest = max(item.distribution, key=lambda one: one[1], default=("", 0.0))[0]
    if likeliest not in ("", item.scale[item.level]):
        promise = joined(promise, say("assess.median", likeliest=likeliest))
    bars = tuple(
        Bar(one, share, index == item.level, _inside(item, index))
        for index, (one, share) in enumerate(item.distribution)
    )
    return Graded(name, item.scale[item.level], promise, item.said, bars)


def measured_rows(statement: SeverityStatement) -> list[tuple[str, str, str, str]]:
    """(finding, measurement, value, interval), a row each."""
    return [
        (finding.name, one.name, value_text(one.quantity), interval_text(one.quantity, finding.coverage))
        for finding in statement.findings
        for one in finding.measurements
    ]


def reason_lines(statement: SeverityStatement) -> list[str]:
    """What is said of the maps that are shown; that none passed its checks is said too."""
    shown_maps = [one for one in statement.reasons if one.pictures]
    if statement.reasons and not shown_maps:
        return [say("assess.no_map")]
    return [f"{say(f'why.way.{one.way}')}. {one.statement}" for one in shown_maps] + [
        say("why.mind") for _ in shown_maps[:1]
    ]


def further(statement: SeverityStatement) -> list[str]:
    """What was found beside the graded items: sentences that no item says already."""
    told = {item.said for item in statement.items}
    return [one.statement for one in statement.findings if one.statement not in told and not one.measurements]


def ruled(conclusion: Conclusion) -> Ruled:
    """One published rule, its row and source."""
    grounds = "; ".join(f"{one.name}: {one.value}" for one in conclusion.grounds)
    rows = [
        (say("page.rule"), conclusion.rule),
        (say("page.grounds"), grounds),
        (say("page.nearby"), listed(conclusion.nearby)),
        (say("page.version"), conclusion.version),
        (say("page.source"), conclusion.source),
    ]
    if conclusion.refused:
        said = f"{say('page.refused')}: {conclusion.refused}"
        return Ruled(conclusion.title, "", said, tuple(row for row in rows[-2:] if row[1]))
    return Ruled(conclusion.title, conclusion.category, conclusion.statement, tuple(row for row in rows if row[1]))


def change_lines(statement: SeverityStatement) -> list[str]:
    """What changed, a sentence each; that there was nothing to compare with is said too."""
    if not statement.earlier:
        return [say("assess.no_earlier")]
    return [f"{_where(one.side)}{one.name}: {one.said}" for one in statement.changes] or [
        say("assess.mind.incomparable")
    ]


def quality_lines(statement: SeverityStatement) -> list[str]:
    """Which checks were passed, and how like the pictures of training each picture is."""
    lines = [say("assess.passed", checks=listed(statement.passed))] if statement.passed else []
    several = len(statement.likeness) > 1
    for one in statement.likeness:
        where = say("picture.numbered", number=one.picture + 1, side="") + ": " if several else ""
        lines.append(where + one.said)
    return lines if statement.likeness else [*lines, say("assess.no_gate")]


def objection_line(statement: SeverityStatement) -> str:
    """Where and until when the assessed person may object."""
    objection = statement.request.objection
    if objection.within_days is None:
        when = say("assess.object.always")
    else:
        when = say("assess.object.days", days=objection.within_days)
    return say("assess.object", contact=objection.contact, when=when)


def in_short(statement: SeverityStatement) -> list[str]:
    """The statement in a few lines, for a terminal."""
    said = [f"{statement.request.pseudonym}: {say(PURPOSES[statement.request.purpose].title)}."]
    said += [f"  {_where(item.side)}{item.name}: {shown(item)}" for item in statement.items]
    said += [f"  {line}" for line in change_lines(statement)] if statement.earlier else []
    said += ["  " + say("line.mind", what=caution.what) for caution in statement.cautions]
    return [*said, f"  {say('assess.notice')}"]


def _inside(item: Item, index: int) -> bool:
    return item.lowest is not None and item.highest is not None and item.lowest <= index <= item.highest


def _where(side: str) -> str:
    return f"{say(f'assess.side.{side}')}: " if side else ""
