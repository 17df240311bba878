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
from osler.models.card import ModelCard
from osler.models.trust import Trust
from osler.results.sentences import say

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
        return self.pathway.names.get(label) or _readable(label)

    def code(self, label: str) -> Code | None:
        """The coded concept of a class or a finding."""
        return self.pathway.codes.get(self.name(label)) or self.card.codes.get(label)

    @property
    def finding(self) -> str:
        return self.pathway.finding or self.card.title

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
    return (replace(found, distribution=speaker.distribution(prediction)),)


def _multilabel(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    point = speaker.trust.operating_point
    shares = _probabilities(prediction)
    return tuple(
        _there_or_not(label, float(chance), point, bool(chance >= point), speaker)
        for label, chance in zip(prediction.classes, shares, strict=True)
    )


def _there_or_not(label: str, chance: float, point: float, there: bool, speaker: Speaker) -> Finding:
    statement = say(
        "statement.binary",
        name=speaker.name(label),
        probability=f"{chance:.2f}",
        called=say("called.present" if there else "called.absent"),
        operating_point=f"{point:.2f}",
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
    return (Finding(speaker.finding, statement, speaker.code(label), chance, distribution=distribution),)


def _ordinal(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    shares = _probabilities(prediction)
    # The median grade has the least expected distance from the truth; evaluation counts it too.
    grade = min(int((shares.cumsum() < 0.5 - 1e-9).sum()), len(shares) - 1)
    expected = prediction.value if prediction.value is not None else float(shares @ np.arange(len(shares)))
    statement = say(
        "statement.ordinal",
        name=speaker.finding,
        grade=speaker.name(prediction.classes[grade]),
        expected=f"{expected:.1f}",
        top=len(shares) - 1,
    )
    return (
        Finding(
            speaker.finding,
            statement,
            speaker.code(speaker.finding),
            grade=prediction.classes[grade],
            distribution=speaker.distribution(prediction),
        ),
    )


def _regression(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    if prediction.value is None or not np.isfinite(prediction.value):
        raise _no_answer()
    label = prediction.classes[0] if prediction.classes else ""
    name = speaker.name(label) if label else speaker.finding
    value = Measurement(say("finding.number"), Quantity(prediction.value, "1"), speaker.code(label))
    statement = say("statement.regression", name=name, value=f"{prediction.value:.4g}")
    return (Finding(name, statement, speaker.code(label), measurements=(value,)),)


def _segmentation(prediction: Prediction, speaker: Speaker) -> tuple[Finding, ...]:
    mask = prediction.mask
    if mask is None:
        raise _no_answer()
    found = []
    for label, class_name in mask.labels.items():
        name, code = speaker.name(class_name), speaker.code(class_name)
        if not mask.of(label).any():
            absent = say("statement.segmentation.absent", name=name)
            found.append(Finding(name, absent, code, present=False, label=label))
            continue
        measured = measure_label(prediction, label)
        said = ", ".join(f"{m.name.lower()} {m.quantity}" for m in measured if m.code in _IN_A_SENTENCE)
        statement = say("statement.segmentation", name=name, measured=said)
        found.append(Finding(name, statement, code, present=True, measurements=measured, label=label))
    return tuple(found)


ANSWERS: Registry[Callable[[Prediction, Speaker], tuple[Finding, ...]]] = Registry(
    "task that can be reported",
    binary=_binary,
    multiclass=_multiclass,
    multilabel=_multilabel,
    ordinal=_ordinal,
    regression=_regression,
    segmentation=_segmentation,
)


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
