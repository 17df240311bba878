"""A published rule as a table: what it asks, for whom it holds, and the rows that lead to an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from osler.clinic.guidelines.conditions import Condition, Either, Value, Values, Within
from osler.core.finding import Measurement
from osler.core.quantity import Quantity
from osler.results.sentences import say

Told = Value | Quantity | Measurement | None
Number = float | Quantity | Measurement | None


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a guideline asks.

    name       its argument's name, with its unit: "size_mm"
    unit       of a number, "1" where it has none; "" for words and yes or no
    needed     refused without it; others are needed only where the answer depends on them
    low, high  of a number: outside it cannot be meant
    step       of a number: the guideline rounds to multiples of it, halves up; 0: it does not round
    words      that it may be; () for numbers and yes or no
    either     not known: tried with every answer it can have; the conclusion then must be the same for all
    supposed   what is taken where it is not known, and said; None: nothing is
    """

    name: str
    unit: str = ""
    needed: bool = False
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    words: tuple[str, ...] = ()
    either: bool = False
    supposed: bool | None = None

    @property
    def kind(self) -> str:
        """ "number", "word" or "yes or no"."""
        return "number" if self.unit else "word" if self.words else "yes or no"

    @property
    def what(self) -> str:
        """What it is, for people."""
        return say(f"ask.{self.name}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where all of `when` hold, the answer is `category`.

    means   key of the sentence part that says what the category means
    advice  key of the sentence with what the guideline recommends; "" where it recommends nothing
    """

    when: tuple[Condition, ...]
    category: str
    means: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A table whose first row that applies gives the answer `name`; later tables may ask for it.

    each  names of inputs to each of which the table is applied; its rows then ask about `name`, and the answers,
          which are numbers, are named "INPUT:NAME"
    """

    name: str
    rows: tuple[Row, ...]
    each: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """For whom the guideline does not hold: refused where the condition holds, for the reason `why` (a key)."""

    when: Condition
    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: what is given, and the category that follows; "" where it is refused."""

    given: Mapping[str, Told]
    category: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """A published rule.

    name      "fleischner-2017"
    version   as published, and of our table of it
    title     key of its title
    source    authors, year, journal, pages, DOI
    for_whom  key of the sentence
    bars      for whom it does not hold
    inputs    what it asks
    steps     its tables, in order; the last gives the category, unless there is a `total`
    derived   numbers computed from the inputs, as inputs of the tables; `needed`: refused where it is not known
    derive    computes them
    total     computes a score from the answers of the steps, or names the inputs that lack for it; None: the
              category is that of a row
    top       the highest total
    coded     is a category a code, "PR"? If not, the statement has what it means instead
    terms     of a sum that the inputs enter: coefficients by name; {} where there is none
    figures   numbers that notes speak of, by the names of their blanks
    tells     key of a sentence that follows the statement, with the inputs as blanks; ""
    notes     keys of sentences: limits, and how we read what the publication leaves open
    checked   key of the sentence that says which numbers were verified, and which a clinician should verify
    examples  run by the tests
    """

    name: str
    version: str
    title: str
    source: str
    for_whom: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    examples: tuple[Example, ...]
    checked: str
    bars: tuple[Bar, ...] = ()
    derived: tuple[Input, ...] = ()
    derive: Callable[[Values], dict[str, Value | None]] = field(default=lambda values: {})
    total: Callable[[Values], float | tuple[str, ...]] | None = None
    top: int = 0
    coded: bool = True
    terms: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    tells: str = ""
    notes: tuple[str, ...] = ()

    @property
    def units(self) -> dict[str, str]:
        """Unit of every input, of what is derived, and of what a table applied to several inputs asks about."""
        units = {one.name: one.unit for one in (*self.inputs, *self.derived)}
        return units | {step.name: units[step.each[0]] for step in self.steps if step.each}

    @property
    def categories(self) -> tuple[str, ...]:
        """Every answer it can give, in the order of its rows; () for a total."""
        if self.total is not None:
            return ()
        return tuple(dict.fromkeys(row.category for row in self.steps[-1].rows))

    def input_named(self, name: str) -> Input:
        """The input, or what is derived; the answer of an earlier table is a word."""
        found = [one for one in (*self.inputs, *self.derived) if one.name == name]
        return found[0] if found else Input(name)

    def limits_of(self, name: str) -> tuple[float, ...]:
        """Where a number changes an answer directly."""
        found: set[float] = set()
        for step in self.steps:
            asked = step.name if name in step.each else name
            for condition in (condition for row in step.rows for condition in row.when):
                parts = (condition.first, condition.second) if isinstance(condition, Either) else (condition,)
                for part in parts:
                    if isinstance(part, Within) and part.name == asked:
                        found |= set(part.limits)
        return tuple(sorted(found))
