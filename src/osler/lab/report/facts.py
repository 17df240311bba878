"""From what is known to facts: one sentence or two each, with who says so and where the report says more."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from osler.core.report import NOT_A_DEVICE
from osler.lab.catalog.care.concern import SEVERITIES
from osler.lab.evaluate.measures import ABOUT
from osler.lab.evaluate.report import written
from osler.lab.report.item import PERSON, SAID, Fact, Facts
from osler.lab.report.known import Known, Tested
from osler.lab.report.machine import machine, versions
from osler.models.recipe import Normalization
from osler.statistics.intervals import Interval

TASKS_IN_WORDS = {
    "binary": "one of two classes",
    "multiclass": "one of several classes",
    "multilabel": "several findings, each there or not",
    "ordinal": "a grade",
    "regression": "a number",
    "segmentation": "outlines",
}
NETS_IN_WORDS = {
    "resnet": "a pre-activated residual convolutional net (He et al. 2016)",
    "unet": "a U-Net (Ronneberger et al. 2015)",
    "softmax": "softmax regression on pixels",
    "onnx": "a closed ONNX graph",
}
SPLITS_IN_WORDS = {"train": "training", "val": "validation", "test": "test", "all": "all cases"}
_LOSSES = {
    "binary": "cross entropy",
    "multiclass": "cross entropy",
    "multilabel": "binary cross entropy of each label",
    "ordinal": "the sum of conditional cross entropies over the thresholds between grades (CORN, Shi et al. 2021)",
    "regression": "the Huber loss on the standardized number",
    "segmentation": "cross entropy plus soft Dice loss (Milletari et al. 2016)",
}
_CALIBRATION = ("ece", "ece_debiased", "calibration_slope", "calibration_intercept", "brier", "nll")
_CLUSTERS = ("site", "centre", "center", "hospital", "scanner", "manufacturer", "device", "country")


def facts_of(known: Known) -> Facts:
    """Every fact there is, by its name."""
    found: dict[str, Fact] = {}
    for make in (_card_facts, _model_facts, _data_facts, _training_facts, _test_facts):
        found |= dict(make(known))
    found = {name: fact for name, fact in found.items() if fact.text}
    for name, text in known.said.items():
        if name in found:  # what was measured stands, and what a person said of it beside it
            found[name] = replace(found[name], text=f"{found[name].text}\n{SAID}{text}")
        else:
            found[name] = Fact(text, PERSON)
    return found


def _card_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    card = known.card
    yield "use.sees", Fact(f"It reads {card.sees.text} and says {answer_in_words(known)}.", "model card", "use")
    if card.not_for:
        yield "use.not_for", Fact(f"Not for: {'; '.join(card.not_for)}.", "model card", "use")
    yield "use.limits", Fact(" ".join(card.limits), "model card", "caveats")
    yield "use.decides", Fact(NOT_A_DEVICE, "Osler", "use")
    if card.licence:
        yield "model.licence", Fact(f"Licence: {card.licence}.", "model card", "details")
    if card.trained_on:
        yield "data.training", Fact(f"Trained on {card.trained_on}.", "model card", "training-data")
    yield (
        "data.labels",
        Fact(f"The answers: {', '.join(card.classes)}." if card.classes else "", "model card", "details"),
    )


def _model_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    card, trained_here = known.card, known.plan is not None
    closed = known.net.name == "onnx"
    technology = NETS_IN_WORDS.get(known.net.name, known.net.name)
    kind = "" if closed or known.net.name == "softmax" else "Supervised deep learning: "
    yield (
        "model.technology",
        Fact(_sentence(f"{kind}{technology}, answering with {answer_in_words(known)}"), "plan"),
    )
    if not closed:
        yield "model.description", Fact(_described(known), "plan", "training-details")
    yield "model.output", Fact(_sentence(f"It answers with {answer_in_words(known)}"), "model card", "details")
    yield "model.thresholds", Fact(_threshold(known), "trust data", "details")
    yield (
        "model.software",
        Fact(_software(known), "model card" if not known.training else "training record", "details"),
    )
    yield (
        "model.specification",
        Fact(
            "The model is a folder of readable files (card, recipe, plan, trust data, weights) with a digest over "
            "all of them; anybody who has the folder can predict with it, bit for bit as here.",
            "Osler",
            "details",
        ),
    )
    yield (
        "model.prediction",
        Fact(
            "Each test case was prepared by the model's own recipe and answered by the same code that osler "
            "predict and osler read use; the evaluation adds nothing to it.",
            "Osler",
            "tests",
        ),
    )
    yield "model.code", Fact(f"Training, prediction and evaluation: {card.software}.", "model card", "details")
    yield (
        "input.handling",
        Fact(
            "Before a study is read, Osler checks that each picture is not blank, burnt out, tiny, cut or a mask, "
            "and that its header fits the card; a picture that fails is declined with the reason and gets no "
            "answer." + (" " + _gate(known) if known.trust.gate is not None else ""),
            "Osler",
            "gate",
        ),
    )
    yield "data.preprocessing", Fact(prepared_in_words(known), "plan" if trained_here else "model card", "details")
    yield "data.subsets", Fact(_subsets(known), "plan" if trained_here else "model card", "details")
    yield (
        "data.predictors",
        Fact(
            f"The pixels of {_pictures(known)}, all of them, none chosen by hand. Nothing else of a patient "
            "goes in.",
            "Osler",
            "details",
        ),
    )
    yield (
        "data.predictors.judged",
        Fact("No predictor is judged by a person: the pixels go in as they are.", "Osler", "details"),
    )
    if trained_here:
        many = known.members
        yield (
            "model.ensemble",
            Fact(
                f"The probabilities of {many} nets, trained from different seeds, are averaged."
                if many > 1
                else "None: one net answers.",
                "plan",
                "training-details",
            ),
        )
    calibration = calibration_in_words(known)
    if calibration:
        yield "trust.calibration", Fact(calibration, "trust data", "calibration")
    again = [limit for limit in card.limits if limit.startswith("Calibrated on")]
    if again:
        yield (
            "model.updating",
            Fact(f"Recalibrated, the weights unchanged: {' '.join(again)}", "model card", "caveats"),
        )
    elif trained_here and known.tests:
        yield (
            "model.updating",
            Fact(
                "None: calibration and thresholds were fitted on validation cases before the test, and the folder "
                "was sealed by its digest after it.",
                "Osler",
                "calibration",
            ),
        )


def _data_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    training = known.training
    patients, cases = training.get("patients"), training.get("cases")
    if isinstance(patients, dict) and isinstance(cases, dict):
        parts = [
            f"{SPLITS_IN_WORDS[side]} {cases[side]} cases of {patients.get(side, '?')} patients"
            for side in ("train", "val", "test")
            if cases.get(side)
        ]
        yield "data.counts", Fact(_sentence("; ".join(parts)), "training record", "training-data")
    if known.plan is not None:
        yield (
            "data.partition",
            Fact(
                "Splits that came with the data were kept; where it had none, Osler dealt whole patients "
                "at random, stratified by class, with a fixed seed: about 10 % for validation, 20 % for testing. "
                "Which case went where is kept as hashes in training.json.",
                "Osler",
                "training-data",
            ),
        )
    care = care_in_words(known)
    if care:
        yield "data.care", Fact(care, "training record", "care")
        leaks = sum(many for _, severity, many in care_counts(known) if severity == "leak")
        mended = ", which was allowed" if "leak" in known.training.get("allowed", ()) else ", and mended"
        found = f"{leaks} leaks were found{mended}" if leaks else "no leak was found"
        yield (
            "data.disjoint",
            Fact(
                f"Patient. Before the training, Osler looked for patients and pictures on two sides: {found}.",
                "training record",
                "care",
            ),
        )
    yield "data.events", Fact(_events(known), "evaluation", "tests")


def _training_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    plan = known.plan
    if plan is None:
        return
    rule = plan.training
    place = "training-details"
    optimizer = (
        "plain gradient descent on all cases at once"
        if rule.optimizer == "descent"
        else f"AdamW, batch {rule.batch}"
    )
    yield (
        "model.initialization",
        Fact(f"Random weights, seed {rule.seed}; no weights from elsewhere.", "plan", place),
    )
    yield (
        "training.approach",
        Fact(
            f"{_capital(_LOSSES[plan.task])}; {optimizer}, highest learning rate {rule.rate:g} after a warm-up, "
            f"then a cosine down to nothing; weight decay {rule.weight_decay:g}; every choice has its reason in "
            "the plan's table.",
            "plan",
            place,
        ),
    )
    yield "training.augmentation", Fact(_augmented(known), "plan", place)
    yield "training.effort", Fact(_effort(known), "training record", place)
    yield (
        "training.selection",
        Fact(
            f"None was chosen by its results: the model is the running mean of the weights over the last "
            f"{100 * rule.average:.0f} % of the steps. {_ended(known)} No test case was looked at before "
            "the test.",
            "Osler",
            place,
        ),
    )
    balance = (
        f"Rare classes were drawn more often (balance {rule.balance:g} of 1)"
        if rule.balance
        else "Cases were drawn as they come"
    )
    if plan.task == "segmentation":
        balance = f"{100 * rule.foreground:.0f} % of the training windows were centred on a label"
    reason = plan.because.get("balance") or plan.because.get("foreground", "")
    yield "training.balance", Fact(_sentence(balance + (f": {reason}" if reason else "")), "plan", place)


def _test_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    inside = next((test for test in known.tests if not test.external), None)
    outside = [test for test in known.tests if test.external]
    if not known.tests:
        return
    first = known.tests[0]
    metrics = first.numbers.get("metrics", {})
    names = ", ".join(ABOUT[name].title for name in metrics if name in ABOUT)
    yield "metrics.measures", Fact(_sentence(f"{names}; each is explained in the report"), "evaluation", "metrics")
    yield "metrics.intervals", Fact(intervals_in_words(first), "evaluation", "metrics")
    if inside is not None:
        side = inside.numbers.get("split", "")
        yield (
            "evaluation.internal",
            Fact(
                f"{inside.data or 'The data it came from'}, {SPLITS_IN_WORDS.get(side, side)}: {size_of(inside)}."
                + ("" if side == "test" else " These are not test cases."),
                "evaluation",
                "test-1",
            ),
        )
    if outside:
        said = "; ".join(f"{test.data}: {size_of(test)}" for test in outside)
        yield (
            "evaluation.external",
            Fact(_sentence(said), "evaluation", f"test-{known.tests.index(outside[0]) + 1}"),
        )
    said = "; ".join(_headline(test) for test in known.tests)
    yield "evaluation.performance", Fact(_sentence(said), "evaluation", "test-1")
    diagnostic = _diagnostic(first)
    if diagnostic:
        yield "evaluation.diagnostic", Fact(diagnostic, "evaluation", "test-1")
    yield "evaluation.failures", Fact(_failures(first), "evaluation", "test-1")
    yield from _audit_facts(known)


def _audit_facts(known: Known) -> Iterator[tuple[str, Fact]]:
    """What was looked at beyond the numbers, in the first test that looked."""
    found: dict[str, tuple[str, Any]] = {}
    for number, test in enumerate(known.tests, start=1):
        for name in ("subgroups", "decision_curve", "robustness", "external"):
            if test.numbers.get(name):
                found.setdefault(name, (f"test-{number}", test.numbers[name]))
        if any(name in test.numbers.get("metrics", {}) for name in _CALIBRATION):
            found.setdefault("calibration", (f"test-{number}", test.numbers["metrics"]))
    if "subgroups" in found:
        place, audits = found["subgroups"]
        said = "; ".join(f"{one['column']} ({len(one['groups'])} groups)" for one in audits)
        kept = f"Compared with intervals, gaps and p corrected for all tests: {said}."
        yield "evaluation.subgroups", Fact(kept, "evaluation", f"{place}-groups")
        clusters = ", ".join(one["column"] for one in audits if one["column"].lower() in _CLUSTERS)
        if clusters:
            kept = f"Performance was compared between groups of {clusters}; the model is one for all."
            yield "evaluation.clusters", Fact(kept, "evaluation", f"{place}-groups")
    if "decision_curve" in found:
        kept = "Net benefit was computed over thresholds from 0.01 to 0.99 (decision curve)."
        yield "evaluation.utility", Fact(kept, "evaluation", f"{found['decision_curve'][0]}-decisions")
    if "robustness" in found:
        place, robust = found["robustness"]
        n = f"{robust['n']['cases']} cases of {robust['n']['patients']} patients"
        kept = f"{n} were asked about again, made worse by: {', '.join(robust['worsened'])}."
        yield "evaluation.robustness", Fact(kept, "evaluation", f"{place}-robustness")
    if "external" in found:
        place, others = found["external"]
        names = ", ".join(one["external"]["data"] for one in others)
        kept = f"The mix of cases at home was compared with that of {names}."
        yield "evaluation.shift", Fact(kept, "evaluation", f"{place}-elsewhere-1")
    if "calibration" in found:
        place, metrics = found["calibration"]
        said = "; ".join(metric_in_words(name, metrics[name]) for name in _CALIBRATION if name in metrics)
        yield "evaluation.calibration", Fact(f"{said}.", "evaluation", f"{place}-numbers")


def size_of(test: Tested) -> str:
    """
    >>> size_of(Tested("eyes", True, {"n": {"patients": 3, "cases": 5}}))
    '5 cases of 3 patients'
    """
    n = test.numbers.get("n", {})
    return f"{n.get('cases', '?')} cases of {n.get('patients', '?')} patients"


def interval_of(value: Any) -> Interval:
    """An interval as `to_json` wrote it, null for NaN."""
    numbers = [math.nan if value.get(name) is None else float(value[name]) for name in ("value", "low", "high")]
    return Interval(numbers[0], numbers[1], numbers[2])


def share_in_words(value: Any) -> str:
    """
    >>> share_in_words({"value": 0.915, "low": 0.9, "high": 0.93})
    '91.5 % (90.0 to 93.0)'
    """
    one = interval_of(value)
    if math.isnan(one.value):
        return "–"
    around = "" if math.isnan(one.low) else f" ({100 * one.low:.1f} to {100 * one.high:.1f})"
    return f"{100 * one.value:.1f} %{around}"


def metric_in_words(name: str, value: Any) -> str:
    """
    >>> metric_in_words("auc", {"value": 0.9651, "low": 0.9439, "high": 0.9802})
    'AUC 0.965 (0.944 to 0.980)'
    """
    number, around = written(name, interval_of(value))
    return f"{ABOUT[name].title} {number}" + (f" ({around})" if around else " (no interval)")


def intervals_in_words(test: Tested) -> str:
    """How the intervals of a test were made."""
    made = test.numbers.get("intervals", {})
    if not made:
        return ""
    return (
        f"{100 * made.get('level', 0.95):.0f} % intervals: {made.get('method', '')}, {made.get('resamples', '?')} "
        f"resamples, seed {made.get('seed', '?')}; whole patients are drawn, because two pictures of one patient "
        "are not two witnesses."
    )


def answer_in_words(known: Known) -> str:
    """
    "one of two classes: NORMAL, PNEUMONIA"
    """
    card = known.card
    return TASKS_IN_WORDS[card.task] + (f": {', '.join(card.classes)}" if card.classes else "")


def prepared_in_words(known: Known) -> str:
    """How a picture becomes the net's input."""
    recipe = known.recipe
    size = " x ".join(map(str, recipe.size))
    if recipe.whole:
        how = "stretched" if recipe.fit == "stretch" else "padded, its proportions kept, and brought"
        shaped = f"Each picture is {how} to {size}"
    else:
        spacing = "" if recipe.spacing is None else f" of {' x '.join(f'{x:g}' for x in recipe.spacing)} mm"
        grid = f"resampled to voxels{spacing}" if recipe.spacing else "left on its grid"
        shaped = f"Each volume is {grid}; windows of {size} slide over it"
    rows = [f"{row.name}: {_normalized(row.normalization)}" for row in recipe.channels]
    return _sentence(f"{shaped}. {_capital('; '.join(rows))}")


def calibration_in_words(known: Known) -> str:
    """How answered probabilities were made believable, with n; "" where that is not known."""
    fit = known.trust.calibration
    if not fit.cases:
        return ""
    on = f"on {fit.cases} validation cases of {fit.patients} patients"
    changed = f"Fitted {on}: {fit.how}" if fit.how != "none" else f"Looked at {on}, left as it was"
    better = "".join(
        f"; {name} {pair[0]:.3f} before, {pair[1]:.3f} after, out of fold"
        for name, pair in (("log-loss", fit.nll), ("ECE", fit.ece))
        if len(pair) == 2
    )
    return _sentence(changed + better) + (f" {fit.note}" if fit.note else "")


def care_counts(known: Known) -> tuple[tuple[str, str, int], ...]:
    """What the check of the training data found: (kind, severity, how many), the worst first."""
    care = known.training.get("care")
    concerns = care.get("concerns", {}) if isinstance(care, dict) else {}
    rows = [(kind, severity, many) for kind, each in concerns.items() for severity, many in each.items()]
    return tuple(sorted(rows, key=lambda row: (SEVERITIES.index(row[1]), row[0])))


def care_in_words(known: Known) -> str:
    """What the check of the training data found, in numbers; "" where it was not checked."""
    if not isinstance(known.training.get("care"), dict):
        return ""
    said = ", ".join(f"{many} of {kind} ({severity})" for kind, severity, many in care_counts(known))
    text = f"The data were checked before the training; concerns: {said or 'none'}."
    if "leak" in known.training.get("allowed", ()):
        text += " A split that leaks was allowed, so that every figure on validation and test is too good."
    return text


def _described(known: Known) -> str:
    parameters = "" if known.parameters is None else f", {known.parameters:,} learnt numbers"
    arguments = "; ".join(
        f"{name} {_plain(value)}" for name, value in known.net.arguments.items() if value is not None
    )
    size = " x ".join(map(str, known.recipe.size))
    return _sentence(
        f"{_capital(NETS_IN_WORDS.get(known.net.name, known.net.name))}{parameters}"
        f"{' in each net' if known.members > 1 else ''}. Input {known.recipe.planes} x {size}. "
        f"{_capital(arguments) if arguments else 'No further settings'}"
    )


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "(" + ", ".join(_plain(one) for one in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _threshold(known: Known) -> str:
    card, point = known.card, known.trust.operating_point
    if card.task in ("binary", "multilabel"):
        what = card.classes[1] if card.task == "binary" else "A label"
        how = (
            "which is half-way, not chosen on cases"
            if point == 0.5
            else "chosen on validation cases, never on those of the test"
        )
        return f"{what} is called present from a probability of {point:.3f} on, {how}."
    if card.task == "ordinal":
        return "No threshold: the grade said is the median of the probabilities."
    if card.task == "regression":
        return "No threshold: the number itself is said."
    return "No threshold: the likeliest class is said" + (
        " of each voxel." if card.task == "segmentation" else "."
    )


def _software(known: Known) -> str:
    """With what it was made, where that was written down, and with what it is told and tested here."""
    kept = known.training.get("versions")
    made = _named(kept) if isinstance(kept, dict) else known.card.software
    here = f"{_named(versions())}; {machine()}"
    return f"Made with {made or 'unknown software'}. This report, and the tests made for it: {here}."


def _named(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _gate(known: Known) -> str:
    return (
        "A picture unlike the training pictures, by its plain look and the net's features, is marked or declined."
    )


def _pictures(known: Known) -> str:
    names = [row.name for row in known.recipe.channels]
    kind = "volume" if known.recipe.dims == 3 else "colour picture" if known.recipe.colour else "grey picture"
    if len(names) == 1:
        return f"one {kind} ({names[0]})"
    return f"{len(names)} {kind}s ({', '.join(names)})"


def _subsets(known: Known) -> str:
    if known.recipe.whole:
        return "The whole picture is used; nothing is cropped or chosen by hand."
    return "The whole volume is read, window by window; training windows were drawn at random, some around labels."


def _normalized(rule: Normalization) -> str:
    if rule.how == "percentile":
        return f"{rule.low:g} to {rule.high:g} % of each picture's values brought to -1 to 1"
    if rule.how == "zscore":
        return "each picture by its own mean and deviation"
    numbers = f"mean {_plain(rule.mean)}, deviation {_plain(rule.std)}"
    if rule.how == "clip":
        return f"values clipped to {rule.low:g} to {rule.high:g}, then {numbers} of the training set"
    return f"{numbers}, the same for every picture"


def _augmented(known: Known) -> str:
    assert known.plan is not None
    varied = known.plan.augmentation
    parts = []
    if varied.flips:
        parts.append(f"mirrored along axes {_plain(varied.flips)}")
    if varied.chance:
        parts.append(
            f"turned by up to {varied.rotate:g}°, scaled by {varied.scale:g}, shifted by {varied.shift:g}"
        )
    if varied.intensity:
        parts.append("brightness, contrast, gamma and noise varied")
    if varied.low_resolution:
        parts.append("seen at lower resolution")
    if varied.erase:
        parts.append("boxes blanked")
    if varied.mix:
        parts.append("mixed in pairs (mixup)")
    return (
        _sentence(f"Training pictures were {', '.join(parts)}") if parts else "Training pictures were not varied."
    )


def _effort(known: Known) -> str:
    members = known.training.get("members")
    if not isinstance(members, list) or not members:
        return ""
    seconds = sum(float(member.get("elapsed", 0)) for member in members)
    steps = sum(int(member.get("step", 0)) for member in members)
    budget = known.training.get("budget_seconds")
    asked = f" of {budget / 60:.0f} min asked for" if isinstance(budget, int | float) else ""
    where = known.training.get("machine")
    return f"{steps} steps in {seconds / 60:.0f} min{asked}{f', on {where}' if isinstance(where, str) else ''}."


def _ended(known: Known) -> str:
    members = known.training.get("members")
    notes = [note for one in members for note in one.get("notes", ())] if isinstance(members, list) else []
    stopped = [note for note in notes if note.startswith("stopped")]
    return f"The training was {'; '.join(stopped)}." if stopped else "The schedule ran to its end."


def _events(known: Known) -> str:
    parts = []
    train = (
        (known.training.get("cases") or {}).get("train") if isinstance(known.training.get("cases"), dict) else None
    )
    if train and len(known.trust.prevalence) == len(known.card.classes):
        said = ", ".join(
            f"{name} {share * train:.0f}"
            for name, share in zip(known.card.classes, known.trust.prevalence, strict=True)
        )
        parts.append(f"training: {said}")
    for test in known.tests:
        if test.numbers.get("class_cases"):
            said = ", ".join(f"{name} {many}" for name, many in test.numbers["class_cases"].items())
            parts.append(f"{test.data or 'test'}: {said}")
    return _sentence(f"Cases of each class. {_capital('; '.join(parts))}") if parts else ""


def _headline(test: Tested) -> str:
    metrics = list(test.numbers.get("metrics", {}).items())[:4]
    said = ", ".join(metric_in_words(name, value) for name, value in metrics if name in ABOUT)
    return f"{test.data or 'test'} ({size_of(test)}): {said}"


def _diagnostic(test: Tested) -> str:
    wanted = ("sensitivity", "specificity", "accuracy", "dice", "qwk", "mae")
    metrics: Mapping[str, Any] = test.numbers.get("metrics", {})
    said = [metric_in_words(name, metrics[name]) for name in wanted if name in metrics]
    return _sentence(f"{'; '.join(said)} ({size_of(test)})") if said else ""


def _failures(test: Tested) -> str:
    table = test.numbers.get("confusion")
    if table:
        wrong = sum(many for row, line in enumerate(table) for column, many in enumerate(line) if row != column)
        total = sum(map(sum, table))
        return f"{wrong} of {total} cases were answered wrongly; the confusion table says which for which."
    if test.numbers.get("task") == "segmentation" and test.numbers.get("cases"):
        means = [
            min((v for v in (s.get("dice") for s in row["labels"].values()) if v is not None), default=None)
            for row in test.numbers["cases"]
        ]
        judged = [value for value in means if value is not None]
        poor = sum(value < 0.7 for value in judged)
        return f"{poor} of {len(judged)} cases have a label with a Dice under 0.7." if judged else ""
    return ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
