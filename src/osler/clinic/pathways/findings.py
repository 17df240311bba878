"""From a model's answer to findings: one function a task."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from osler.clinic.measure.area import AREA
from osler.clinic.measure.diameter import DIAMETER_3D
from osler.clinic.measure.structure import measure_label
from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.pathway import Pathway
from osler.core.arrays import Array
from osler.core.codes import Code
from osler.core.errors import BadModel
from osler.core.finding import Finding, Measurement
from osler.core.prediction import Prediction
from osler.core.quantity import Quantity
from osler.core.registry import Registry
from osler.inference.conformal import TOLD, answer_set, label_sets, number_interval
from osler.inference.prevalence import as_learnt
from osler.models.card import ModelCard
from osler.models.trust import Trust
from osler.results.page_lines import interval_text, value_text
from osler.results.sentences import joined, listed, phrase, say
from osler.statistics.grades import median_grade

_IN_A_SENTENCE = (VOLUME, AREA, DIAMETER_3D)  # the table has the rest
# A class whose name holds one of these words, or is one of these numbers, says that nothing is there.
NORMAL_WORDS = frozenset(
    {
        "normal",
        "healthy",
        "negative",
        "none",
        "no",
        "non",
        "not",
        "without",
        "control",
        "benign",
        "absent",
        "clear",
    }
)
NORMAL_NAMES = frozenset({"0", "false", "neg", "background"})


@dataclass(frozen=True, slots=True)
class Speaker:
    """What it takes to put an answer into words: the clinical use, the model's card, and how far to trust it."""

    pathway: Pathway
    card: ModelCard
    trust: Trust

    def name(self, label: str) -> str:
        """What the report calls a class.

        >>> from osler.models.card import Sees
        >>> speaker = Speaker(Pathway("p", "P"), ModelCard("m", "1", "M", "binary", (), Sees("", 2)), Trust())
        >>> speaker.name("optic_disc"), speaker.name("PNEUMONIA"), speaker.name("AMD")
        ('Optic disc', 'Pneumonia', 'AMD')
        """
        return phrase(self._english(label))

    def code(self, label: str) -> Code | None:
        """The coded concept of a class or a finding."""
        return self.pathway.codes.get(self._english(label)) or self.card.codes.get(label)

    @property
    def finding(self) -> str:
        return phrase(self._question)

    @property
    def finding_code(self) -> Code | None:
        return self.code(self._question)

    @property
    def _question(self) -> str:
        return self.pathway.finding or self.card.title

    def _english(self, label: str) -> str:
        names = self.pathway.names
        return names.get(label) or names.get(label.lower()) or _readable(label)

    def distribution(self, prediction: Prediction) -> tuple[tuple[str, float], ...]:
        shares = _probabilities(prediction)
        return tuple((self.name(c), float(p)) for c, p in zip(prediction.classes, shares, strict=True))


def findings_of(prediction: Prediction, speaker: Speaker, *, picture: int) -> tuple[Finding, ...]:
    """What a prediction says, as findings on the study's picture of that index.

    Raises BadModel when the answer does not fit its card, or is not a number.
    """
    made = ANSWERS[prediction.task](prediction, speaker) + speaker.pathway.also(prediction)
    return tuple(replace(finding, picture=picture) for finding in made)


def positive_class(classes: tuple[str, ...]) -> int | None:
    """Which of two classes is the finding: 1, or 0 where only class 1 says that nothing is there.

    None where neither name says so: then the two are told apart, and none is "present".

    >>> positive_class(("NORMAL", "PNEUMONIA")), positive_class(("malignant", "normal, benign"))
    (1, 0)
    >>> positive_class(("bacterial", "viral")) is None
    True
    """
    first, second = (_says_nothing_there(name) for name in classes)
    if first:
        return 1
    return 0 if second else None


def _binary(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    index = positive_class(prediction.classes)
    if index is None:
        return _multiclass(prediction, speaker)
    second = float(_probabilities(prediction)[1])
    point = speaker.trust.operating_point
    # The operating point was chosen on the second class, and is turned round with it.
    there = (second >= point) == (index == 1)
    chance, point = (second, point) if index == 1 else (1 - second, 1 - point)
    label = prediction.classes[index]
    found = _there_or_not(label, chance, point, there, speaker)
    found = replace(found, distribution=speaker.distribution(prediction))
    return (_among(found, prediction, speaker, called=index if there else 1 - index),)


def _multilabel(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    point = speaker.trust.operating_point
    shares = _probabilities(prediction)
    found = [
        _there_or_not(label, float(chance), point, bool(chance >= point), speaker)
        for label, chance in zip(prediction.classes, shares, strict=True)
    ]
    sets = speaker.trust.sets
    if sets is None:
        return tuple(found)
    learnt = as_learnt(shares, speaker.trust, prediction.task)
    each = label_sets(learnt, sets, called=shares >= point)
    return tuple(
        _promised(one, [say("called.absent")] * absent + [say("called.present")] * there)
        for one, (absent, there) in zip(found, each, strict=True)
    )


def _there_or_not(label: str, chance: float, point: float, there: bool, speaker: Speaker) -> Finding:
    statement = say(
        "statement.binary",
        name=speaker.name(label),
        probability=_chance(chance),
        called=say("called.present" if there else "called.absent"),
        operating_point=_chance(point),
    )
    return Finding(speaker.name(label), statement, speaker.code(label), probability=chance, present=there)


def _multiclass(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    shares = _probabilities(prediction)
    best = int(shares.argmax())
    label, chance = prediction.classes[best], float(shares[best])
    statement = say(
        "statement.multiclass", name=speaker.finding, answer=speaker.name(label), probability=f"{chance:.2f}"
    )
    distribution = speaker.distribution(prediction)
    found = Finding(speaker.finding, statement, speaker.code(label), chance, distribution=distribution)
    return (_among(found, prediction, speaker, called=best),)


def _ordinal(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    shares = _probabilities(prediction)
    # The median grade has the least expected distance from the truth; evaluation scores the same one.
    grade = int(median_grade(shares))
    expected = prediction.value if prediction.value is not None else float(shares @ np.arange(len(shares)))
    sets = speaker.trust.sets
    among = () if sets is None else tuple(prediction.classes[k] for k in answer_set(shares, sets))
    statement = say(
        "statement.ordinal",
        name=speaker.finding,
        grade=speaker.name(prediction.classes[grade]) + _between(among, speaker),
        expected=f"{expected:.1f}",
        top=len(shares) - 1,
    )
    return (
        Finding(
            speaker.finding,
            statement,
            speaker.finding_code,
            grade=prediction.classes[grade],
            distribution=speaker.distribution(prediction),
            among=tuple(speaker.name(name) for name in among),
            coverage=TOLD if among else None,
        ),
    )


def _regression(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    if prediction.value is None or not np.isfinite(prediction.value):
        raise _no_answer()
    label = prediction.classes[0] if prediction.classes else ""
    name = speaker.name(label) if label else speaker.finding
    sets = speaker.trust.sets
    ends = None if sets is None else number_interval(prediction.value, sets)
    low, high = ends or (None, None)
    value = Measurement(say("finding.number"), Quantity(prediction.value, "1", low, high), speaker.code(label))
    told = f"{prediction.value:.4g}"
    if ends is not None:
        told += say("among.between", level=f"{TOLD:.0%}", low=f"{ends[0]:.4g}", high=f"{ends[1]:.4g}")
    statement = say("statement.regression", name=name, value=told)
    coverage = None if ends is None else TOLD
    return (Finding(name, statement, speaker.code(label), measurements=(value,), coverage=coverage),)


def _segmentation(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    mask = prediction.mask
    if mask is None:
        raise _no_answer()
    found = []
    for label, class_name in mask.labels.items():
        name, code = speaker.name(class_name), speaker.code(class_name)
        measured = measure_label(prediction, label, speaker.trust.volumes)
        there = bool(mask.of(label).any())
        if there:
            said = listed(_measured(m) for m in measured if m.code in _IN_A_SENTENCE)
            statement = say("statement.segmentation", name=name, measured=said)
        elif measured:
            most = replace(measured[0].quantity, value=measured[0].quantity.high or 0.0, low=None, high=None)
            statement = say("statement.segmentation.at_most", name=name, most=most, percent=f"{TOLD:.0%}")
        else:
            statement = say("statement.segmentation.absent", name=name)
        coverage = TOLD if any(m.quantity.high is not None for m in measured) else None
        found.append(
            Finding(name, statement, code, present=there, measurements=measured, coverage=coverage, label=label)
        )
    return tuple(found)


def _measured(measurement: Measurement) -> str:
    """A measurement for a sentence, with what its interval promises."""
    said = f"{measurement.name.lower()} {value_text(measurement.quantity)}"
    between = interval_text(measurement.quantity, None)
    if not between:
        return said
    return say("measure.between", measured=said, percent=f"{TOLD:.0%}", between=between)


ANSWERS: Registry[Callable[[Prediction, Speaker], tuple[Finding, ...]]] = Registry(
    "task that can be reported",
    binary=_binary,
    multiclass=_multiclass,
    multilabel=_multilabel,
    ordinal=_ordinal,
    regression=_regression,
    segmentation=_segmentation,
)


def _chance(share: float) -> str:
    """Two decimals, and two digits of what is rarer: at a low prevalence all the rest would be 0.00.

    >>> _chance(0.876), _chance(0.00061)
    ('0.88', '0.00061')
    """
    return f"{share:.2g}" if 0 < share < 0.005 else f"{share:.2f}"


def _among(found: Finding, prediction: Prediction, speaker: Speaker, *, called: int) -> Finding:
    """The finding with the classes that cannot be excluded, where the model promises them."""
    sets = speaker.trust.sets
    if sets is None:
        return found
    learnt = as_learnt(_probabilities(prediction), speaker.trust, prediction.task)
    inside = answer_set(learnt, sets, called=called)
    return _promised(found, [speaker.name(prediction.classes[k]) for k in inside])


def _promised(found: Finding, among: list[str]) -> Finding:
    level = f"{TOLD:.0%}"
    names = listed(among)
    said = (
        say("among.several", level=level, names=names) if among[1:] else say("among.one", level=level, names=names)
    )
    return replace(found, statement=joined(found.statement, said), among=tuple(among), coverage=TOLD)


def _between(among: tuple[str, ...], speaker: Speaker) -> str:
    """The interval of grades in words, "" where none is promised."""
    if not among:
        return ""
    level = f"{TOLD:.0%}"
    if len(among) == 1:
        return say("among.sure", level=level)
    return say("among.between", level=level, low=speaker.name(among[0]), high=speaker.name(among[-1]))


def _probabilities(prediction: Prediction) -> Array:
    shares = prediction.probabilities
    if shares is None or len(shares) != len(prediction.classes) or not np.isfinite(shares).all():
        raise _no_answer()
    return shares


def _no_answer() -> BadModel:
    return BadModel(
        "The model gave no usable answer: numbers are missing, or are none.",
        remedy="Evaluate the model again with `osler evaluate`; its weights or its card are wrong.",
    )


def _says_nothing_there(name: str) -> bool:
    """
    >>> _says_nothing_there("No finding"), _says_nothing_there("abnormal"), _says_nothing_there("0")
    (True, False, True)
    """
    plain = name.strip().lower()
    return plain in NORMAL_NAMES or bool(NORMAL_WORDS & set(re.findall(r"[^\W\d_]+", plain)))


def _readable(label: str) -> str:
    words = re.sub(r"[_\s]+", " ", label).strip() or label
    if words.isupper() and len(words) > 4:
        words = words.lower()
    return words[:1].upper() + words[1:]
