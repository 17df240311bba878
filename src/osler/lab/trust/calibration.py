"""Make the probabilities mean what they say, on validation cases only, and only where it helps.

The kinds are those of `inference/calibrated.py`. Each is fitted by its log-loss, and judged on patients it was not
fitted on (five folds by patient). A richer kind is tried only where there are patients for it, and taken only when
it gains more over the simpler one than twice the standard error of that gain, so that chance alone seldom changes
an answer (in the manner of Breiman et al. 1984, section 3.4.3, who keep what is simpler at one). The choice itself
is made anew within each fold, so that the figures that are kept, and the answers that conformal sets are fitted
on, are of patients on whom nothing was chosen or fitted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array, Floats, Labels
from osler.inference.calibrated import above, beta, calibrated, scaled
from osler.inference.temper import SMALLEST_PROBABILITY
from osler.lab.evaluate.answers import Answers
from osler.lab.evaluate.classification import ece
from osler.models.trust import Calibration

FOLDS = 5
FEWEST = 2 * FOLDS  # patients below which nothing is fitted
ENOUGH = 200  # patients from which on more than a temperature is tried
EACH = 20  # patients of each class that a kind with numbers for each class needs
MANY = 1000  # patients of each side from which on isotonic regression is tried
NOISE = 2.0  # standard errors that a gain must exceed
_WIDEST = (0.05, 20.0)  # temperatures beyond say that something else is wrong
_STEEPEST = 20.0  # of beta and vector, for the same reason
_PRIOR = 2.0  # deviation of what beta and vector may be from "as it is" where the cases say little

Fit = Callable[[Array, Labels], tuple[float, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """A calibration, and the validation answers as it makes them.

    unseen  (cases, classes) each calibrated by what the other folds' patients said: nobody calibrated himself
    """

    calibration: Calibration
    unseen: Floats


def fit_calibration(answers: Answers, *, seed: int = 0) -> Calibrated:
    """The calibration of raw validation answers that improves log-loss on unseen patients, or "none", with why.

    answers  of a "binary", "multiclass", "multilabel" or "ordinal" model, not calibrated
    """
    p, task = answers.chances, answers.task
    owner = np.unique(np.asarray(answers.patients), return_inverse=True)[1]
    if task == "multilabel":
        columns = [
            _chosen(_two(p[:, k]), answers.labels[:, k], owner, "binary", (f"not {name}", name), seed)
            for k, name in enumerate(answers.classes)
        ]
        unseen = np.stack([column.unseen[:, 1] for column in columns], axis=1)
        fitted = _together(columns, answers.classes)
    else:
        one = _chosen(p, answers.labels, owner, task, answers.classes, seed)
        unseen = one.unseen
        fitted = Calibration(one.how, (one.row,) if one.how != "none" else (), note=one.note)
    losses = tuple(round(float(_loss(q, answers.indicators, task).mean()), 5) for q in (p, unseen))
    errors = tuple(round(_ece(q, answers.labels, task), 5) for q in (p, unseen))
    kept = Calibration(fitted.how, fitted.numbers, len(p), int(owner.max()) + 1, losses, errors, fitted.note)
    return Calibrated(kept, unseen)


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """What was chosen for one outcome or one set of exclusive classes, and its answers on unseen patients."""

    how: str
    row: tuple[float, ...]
    unseen: Floats
    note: str


def _chosen(p: Array, truth: Labels, owner: Labels, task: str, classes: Sequence[str], seed: int) -> _Choice:
    patients = int(owner.max()) + 1
    missing = [name for number, name in enumerate(classes) if not (truth == number).any()]
    if patients < FEWEST:
        said = f"{len(p)} cases of {patients} patients are too few to calibrate; {FEWEST} patients are needed."
        return _Choice("none", (), p, said)
    if len(missing) >= len(classes) - 1:
        return _Choice("none", (), p, f"The validation cases hold no {missing[0]}: nothing to calibrate by.")
    if np.ptp(p, axis=0).max() < 1e-9:
        return _Choice("none", (), p, "The model says the same of every case: there is nothing to calibrate.")
    how = _best_kind(p, truth, owner, task, seed)
    unseen = p.copy()
    if how != "none":
        for held in _folds(owner, FOLDS, seed):
            inner = _best_kind(p[~held], truth[~held], owner[~held], task, seed + 1)
            unseen[held] = _apply(p[held], inner, _fit(inner, p[~held], truth[~held], task), task)
        before, after = (float(_case_loss(q, truth).mean()) for q in (p, unseen))
        if after >= before:
            how, unseen = "none", p
    tail = f" No {', '.join(missing)} among them." if missing else ""
    if how == "none":
        said = f"No calibration lowers the log-loss on unseen patients ({patients} patients, {len(p)} cases)."
        return _Choice("none", (), p, said + tail)
    said = f"{how.capitalize()} lowers the log-loss on unseen patients ({patients} patients, {len(p)} cases)."
    return _Choice(how, _fit(how, p, truth, task), unseen, said + tail)


def _best_kind(p: Array, truth: Labels, owner: Labels, task: str, seed: int) -> str:
    """The simplest kind that no richer one beats beyond noise, on folds by patient."""
    best, loss = "none", _case_loss(p, truth)
    for how in _kinds(p, truth, owner, task):
        tried = np.empty_like(loss)
        for held in _folds(owner, FOLDS, seed):
            row = _fit(how, p[~held], truth[~held], task)
            tried[held] = _case_loss(_apply(p[held], how, row, task), truth[held])
        if _gains(loss - tried, owner):
            best, loss = how, tried
    return best


def _kinds(p: Array, truth: Labels, owner: Labels, task: str) -> list[str]:
    """What there are patients for, simple first."""
    each = [len(np.unique(owner[truth == number])) for number in range(p.shape[1])]
    kinds = ["temperature"]
    if len(np.unique(owner)) >= ENOUGH and min(each) >= EACH:
        kinds.append("vector" if task == "multiclass" else "beta")
        if task == "binary" and min(each) > MANY:
            kinds.append("isotonic")
    return kinds


def _gains(gain: Floats, owner: Labels) -> bool:
    """Whether the mean gain a case is beyond its noise, patients being what was drawn."""
    present, inverse = np.unique(owner, return_inverse=True)
    by_patient = np.bincount(inverse, weights=gain - gain.mean())
    error = np.sqrt((by_patient**2).sum() * len(present) / max(1, len(present) - 1)) / len(gain)
    return bool(gain.mean() > NOISE * error)


def _folds(owner: Labels, folds: int, seed: int) -> list[Array]:
    """Which cases are held out in each fold; a patient's cases together."""
    present, inverse = np.unique(owner, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(present))[inverse] % folds
    return [fold == one for one in range(folds)]


def _apply(p: Array, how: str, row: tuple[float, ...], task: str) -> Floats:
    return calibrated(p, Calibration(how, (row,)), task)


def _fit(how: str, p: Array, truth: Labels, task: str) -> tuple[float, ...]:
    """The numbers of that kind for these cases."""
    if how == "none":
        return ()
    fits: dict[str, Fit] = {
        "temperature": fit_grade_temperature if task == "ordinal" else fit_temperature,
        "beta": fit_grade_beta if task == "ordinal" else fit_beta,
        "vector": fit_vector,
        "isotonic": fit_isotonic,
    }
    return fits[how](p, truth)


def fit_temperature(p: Array, truth: Labels) -> tuple[float, ...]:
    """The temperature with the least log-loss; the loss has one valley in 1/T."""
    logs = np.log(np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    own, less = np.arange(len(p)), logs - logs.max(axis=1, keepdims=True)

    def loss(temperature: float) -> float:
        logits = less / temperature
        return float((np.log(np.exp(logits).sum(axis=1)) - logits[own, truth]).mean())

    return _valley(loss)


def fit_grade_temperature(p: Array, truth: Labels) -> tuple[float, ...]:
    """The same for the logits of P(above each grade)."""
    return _valley(lambda t: float(_case_loss(_apply(p, "temperature", (t,), "ordinal"), truth).mean()))


def fit_beta(p: Array, truth: Labels) -> tuple[float, ...]:
    """Beta's (a, b, c) of (cases, 2): a logistic regression on ln p and -ln(1 - p), a and b not negative."""
    there = np.clip(p[:, 1], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    features = np.stack([np.log(there), -np.log1p(-there), np.ones_like(there)], axis=1)
    so = truth.astype(float)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        logits = features @ numbers
        said = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        cost = np.logaddexp(0, np.where(so > 0, -logits, logits)).mean()
        return float(cost), features.T @ (said - so) / len(so)

    start = np.array([1.0, 1.0, 0.0])
    return _descend(loss, start, [(0.0, _STEEPEST)] * 2 + [(-_STEEPEST, _STEEPEST)], len(so))


def fit_vector(p: Array, truth: Labels) -> tuple[float, ...]:
    """Vector scaling's K weights and K biases."""
    many = p.shape[1]
    logs = np.log(np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    hot = (truth[:, None] == np.arange(many)).astype(float)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        said = scaled(p, numbers[:many], numbers[many:])
        away = (said - hot) / len(p)
        return float(_case_loss(said, truth).mean()), np.concatenate([(away * logs).sum(0), away.sum(0)])

    start = np.concatenate([np.ones(many), np.zeros(many)])
    return _descend(loss, start, [(0.0, _STEEPEST)] * many + [(-_STEEPEST, _STEEPEST)] * many, len(p))


def fit_grade_beta(p: Array, truth: Labels) -> tuple[float, ...]:
    """Beta on P(above each grade): a and b for all grades, and one c a threshold, falling."""
    over = np.clip(above(p), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    cases, steps = over.shape
    rows = np.arange(cases)

    def loss(numbers: Floats) -> tuple[float, Floats]:
        a, b, first, drops = numbers[0], numbers[1], numbers[2], numbers[3:]
        c = first - np.concatenate([[0.0], np.cumsum(drops)])
        said = beta(over, a, b, c)
        edged = np.concatenate([np.ones((cases, 1)), said, np.zeros((cases, 1))], axis=1)
        given = np.clip(edged[rows, truth] - edged[rows, truth + 1], SMALLEST_PROBABILITY, 1)
        slope = edged * (1 - edged) / given[:, None] / cases
        by_logit = np.zeros((cases, steps + 2))
        by_logit[rows, truth] -= slope[rows, truth]
        by_logit[rows, truth + 1] += slope[rows, truth + 1]
        by_logit = by_logit[:, 1:-1]
        by_c = by_logit.sum(0)
        tails = by_c[::-1].cumsum()[::-1]
        turned = [(by_logit * np.log(over)).sum(), -(by_logit * np.log1p(-over)).sum(), tails[0], *-tails[1:]]
        return float(-np.log(given).mean()), np.array(turned)

    start = np.concatenate([[1.0, 1.0], np.zeros(steps)])
    bounds = [(0.0, _STEEPEST)] * 2 + [(-_STEEPEST, _STEEPEST)] + [(0.0, _STEEPEST)] * (steps - 1)
    a, b, first, *drops = _descend(loss, start, bounds, cases)
    return (a, b, *(float(c) for c in first - np.concatenate([[0.0], np.cumsum(drops)])))


def fit_isotonic(p: Array, truth: Labels) -> tuple[float, ...]:
    """Knots of the rising step curve with the least squared error, x then y; kept off 0 and 1."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(p[:, 1], truth)
    # A step that holds n cases, all of one class, is no proof of certainty: Laplace's rule for the whole set.
    edge = 1 / (len(truth) + 2)
    heights = np.clip(fitted.y_thresholds_, edge, 1 - edge)
    knots = fitted.X_thresholds_ if len(heights) > 1 else np.array([0.0, 1.0])
    return (*(float(x) for x in knots), *(float(y) for y in (heights if len(heights) > 1 else heights.repeat(2))))


def _valley(loss: Callable[[float], float]) -> tuple[float, ...]:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log: loss(float(np.exp(log))),
        bounds=tuple(np.log(_WIDEST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return (float(np.exp(found.x)),)


def _descend(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, bounds: list[tuple[float, float]], cases: int
) -> tuple[float, ...]:
    """Least loss by L-BFGS-B, with a Gaussian prior around "as it is" worth its deviation among `cases`."""
    from scipy.optimize import minimize

    def penalized(numbers: Floats) -> tuple[float, Floats]:
        cost, slope = loss(numbers)
        away = (numbers - start) / _PRIOR**2 / cases
        return cost + float(away @ (numbers - start)) / 2, slope + away

    found = minimize(penalized, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500})
    return tuple(float(x) for x in found.x)


def _together(columns: list[_Choice], labels: Sequence[str]) -> Calibration:
    """One kind that holds what each label needs: beta can be any temperature, and none."""
    kinds = {column.how for column in columns}
    how = "beta" if "beta" in kinds else "temperature" if "temperature" in kinds else "none"
    note = " ".join(f"{label}: {column.note}" for label, column in zip(labels, columns, strict=True))
    if how == "none":
        return Calibration("none", note=note)
    as_is = {"temperature": (1.0,), "beta": (1.0, 1.0, 0.0)}[how]
    rows = [
        as_is
        if column.how == "none"
        else (1 / column.row[0], 1 / column.row[0], 0.0)
        if column.how != how
        else column.row
        for column in columns
    ]
    return Calibration(how, tuple(rows), note=note)


def _two(p: Array) -> Floats:
    """One outcome (cases,) as two exclusive classes (cases, 2)."""
    return np.stack([1 - p, p], axis=1)


def _case_loss(p: Array, truth: Labels) -> Floats:
    """Log-loss of each case in nats, (cases,)."""
    given = np.clip(np.asarray(p, float)[np.arange(len(p)), truth], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(-np.log(given))


def _loss(p: Array, indicators: Floats, task: str) -> Floats:
    """Log-loss of each case; of independent labels their mean."""
    if task == "multilabel":
        q = np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return np.asarray(-(indicators * np.log(q) + (1 - indicators) * np.log1p(-q)).mean(axis=1))
    return _case_loss(p, indicators.argmax(axis=1))


def _ece(p: Array, labels: Labels, task: str) -> float:
    """As the evaluation counts it: of the second of two classes, the likeliest of more, labels on average."""
    if task == "multilabel":
        return float(np.mean([ece(p[:, k], labels[:, k]) for k in range(p.shape[1])]))
    if p.shape[1] == 2:
        return float(ece(p[:, 1], labels))
    return float(ece(p.max(axis=1), p.argmax(axis=1) == labels))
