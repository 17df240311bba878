"""How tumours responded since the earlier studies, by RECIST 1.1 and PERCIST 1.0, from what was measured."""

from collections.abc import Sequence

from osler.clinic.guidelines import percist, recist
from osler.clinic.guidelines.recist import Sums, Target, choose_targets
from osler.clinic.measure.diameter import LONG_AXIS, SHORT_AXIS
from osler.clinic.measure.pet import GLYCOLYSIS, METABOLIC_VOLUME, PEAK
from osler.clinic.pathways.lesions import lineage, reference_of
from osler.clinic.pathways.measured import measurement, summed
from osler.clinic.pathways.ruled import asked, refused
from osler.clinic.pathways.seen import Earlier, Seen
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.study import Study
from osler.core.volume import Volume
from osler.results.sentences import listed, say

NODE = "lymph node"
PROGRESSION = ("PD", "PMD", "iCPD", "iUPD")
_HALF_ML = 100.0  # the tumour volume that orders two studies of one urgency halfway


def conclusions(seen: Seen) -> tuple[Conclusion, ...]:
    """RECIST 1.1 and PERCIST 1.0 against the earliest study; nothing where none was given."""
    if not seen.earlier:
        return ()
    rests = tuple(n for n, one in enumerate(seen.findings) if one.lesion)
    if any(measurement(one, LONG_AXIS) for one in _there(seen.earlier[0].findings)):
        sizes = asked("recist-1.1", lambda: _recist(seen), findings=rests)
    else:
        sizes = refused("recist-1.1", say("response.pet_alone"))
    found = [sizes, _uptake(seen, rests)]
    if seen.patient.known.get("immunotherapy") is True and sizes.category:
        found.append(asked("irecist", lambda: recist.immune_state(sizes.category), findings=rests))
    return tuple(found)


def urgency(seen: Seen) -> Priority | None:
    """Progression and new lesions come first; studies of one urgency in the order of tumour volume."""
    volumes = [one for finding in seen.findings if not finding.lesion for one in finding.measurements]
    ml = next((one.quantity.value for one in volumes if one.code == METABOLIC_VOLUME), 0.0)
    score = round(ml / (ml + _HALF_ML), 3)
    worse = [one for one in conclusions(seen) if one.category in PROGRESSION]
    if worse:
        said = say("join.clauses").join(
            f"{one.guideline.upper().replace('-', ' ')}: {one.category}" for one in worse
        )
        return Priority("soon", say("priority.progression", said=said), score)
    if seen.earlier and _new(seen):
        return Priority("soon", say("priority.new", names=listed(_new(seen))), score)
    return Priority("routine", say("priority.burden" if seen.earlier else "priority.no_earlier"), score)


def of_targets(seen: Seen) -> tuple[Measurement, ...]:
    """The sum of diameters of the targets, RECIST 1.1, and the targets by name; () where none is measurable.

    seen  with the lesions measured
    """
    first = seen.earlier[0] if seen.earlier else Earlier(seen.study, seen.findings, seen.drawings)
    targets = _targets(first)
    if not targets:
        return ()
    sums = _sums(targets, _there(seen.findings))
    return (Measurement(say("burden.sum", names=listed(one.name for one in targets)), sums.total),)


def _recist(seen: Seen) -> Conclusion:
    baseline, *between = seen.earlier
    targets = _targets(baseline)
    names = {name for one in targets for name in lineage(one.name)}
    others = {name for one in _there(baseline.findings) for name in lineage(one.lesion)} - names
    left = {name for one in _there(seen.findings) for name in lineage(one.lesion)}
    non_target = seen.patient.known.get("non_target")
    if not isinstance(non_target, str):
        non_target = "none" if not others else "persistent" if others & left else "complete"
    days = [None if one.days is None else -one.days for one in seen.earlier]
    told = say("response.targets", names=listed(one.name for one in targets) or say("response.none"))
    return recist.response(
        Sums(targets, days[0]),
        [_sums(targets, _there(one.findings), day) for one, day in zip(between, days[1:], strict=True)],
        _sums(targets, _there(seen.findings), 0),
        non_target=non_target,
        new_lesions=bool(_new(seen)),
        of={"baseline_mm": f"{baseline.study.name}: {told}", "now_mm": told, "new_lesions": listed(_new(seen))},
    )


def _uptake(seen: Seen, rests: tuple[int, ...]) -> Conclusion:
    """PERCIST 1.0, or what it lacks in words that say what to do."""
    known, before = seen.patient.known, seen.earlier[0].findings
    if _hottest(_there(before)) is None:
        return refused("percist-1.0", say("response.no_sul"))
    if not any(_reference(before, what)[0] or f"{what}_sul" in known for what in ("liver", "blood")):
        return refused("percist-1.0", say("response.no_liver"))
    return asked("percist-1.0", lambda: _percist(seen), findings=rests)


def _targets(baseline: Earlier) -> tuple[Target, ...]:
    """The targets among the lesions of the baseline, with their sizes there."""
    lesions = []
    for one in _there(baseline.findings):
        node = one.site == NODE
        size = measurement(one, SHORT_AXIS if node else LONG_AXIS)
        if size is not None:
            lesions.append(Target(one.lesion, size, node, one.site))
    return choose_targets(lesions, _slice_mm(baseline))


def _sums(targets: Sequence[Target], now: Sequence[Finding], day: float | None = None) -> Sums:
    """The same targets in another study: a lesion that fell into pieces counts with all of them, lesions that
    grew together count once."""
    sizes = []
    counted: set[str] = set()
    for target in targets:
        parts = [one for one in now if lineage(target.name) & lineage(one.lesion)]
        fresh = [one for one in parts if one.lesion not in counted]
        counted |= {one.lesion for one in fresh}
        measures = [measurement(one, SHORT_AXIS if target.node else LONG_AXIS) for one in fresh]
        known = [one.quantity for one in measures if one is not None]
        if not fresh:
            sizes.append(Target(target.name, None, target.node, target.site, state="absent"))
        elif len(known) < len(measures):
            sizes.append(Target(target.name, None, target.node, target.site, state="not-evaluated"))
        else:
            sizes.append(Target(target.name, summed(known), target.node, target.site))
    return Sums(tuple(sizes), day)


def _percist(seen: Seen) -> Conclusion:
    baseline = seen.earlier[0]
    there = _there(seen.findings)
    hottest = _hottest(there) if there else _hottest(seen.findings)
    liver, liver_now = _reference(baseline.findings, "liver"), _reference(seen.findings, "liver")
    blood = _reference(baseline.findings, "blood")
    known = seen.patient.known

    def given(name: str, measured: Quantity | None = None) -> Quantity | float | None:
        value = known.get(name)
        return measured if value is None or isinstance(value, bool | str) else float(value)

    return percist.response(
        baseline_sul=_hottest(_there(baseline.findings)),
        now_sul=hottest,
        new_lesions=bool(_new(seen)),
        liver_sul=given("liver_sul", liver[0]),
        liver_sd_sul=given("liver_sd_sul", liver[1]),
        liver_now_sul=given("liver_now_sul", liver_now[0]),
        blood_sul=given("blood_sul", blood[0]),
        blood_sd_sul=given("blood_sd_sul", blood[1]),
        uptake_minutes=given("uptake_minutes"),
        uptake_now_minutes=given("uptake_now_minutes"),
        tlg_baseline=_glycolysis(baseline.findings),
        tlg_now=_glycolysis(seen.findings),
        gone=not there,
        same_scanner=_same_scanner(baseline.study, seen.study),
        of={"baseline_sul": baseline.study.name, "tlg_baseline": baseline.study.name},
    )


def _there(findings: Sequence[Finding]) -> list[Finding]:
    """The lesions that are outlined in a study."""
    return [one for one in findings if one.lesion and one.present]


def _new(seen: Seen) -> list[str]:
    """Lesions of now that no earlier study shows."""
    known = {name for earlier in seen.earlier for one in earlier.findings for name in lineage(one.lesion)}
    return [one.lesion for one in _there(seen.findings) if not lineage(one.lesion) & known]


def _hottest(findings: Sequence[Finding]) -> Measurement | None:
    peaks = [one for f in findings if f.lesion and (one := measurement(f, PEAK, unit="SUL")) is not None]
    return max(peaks, key=lambda one: one.quantity.value, default=None)


def _glycolysis(findings: Sequence[Finding]) -> Quantity | None:
    """TLG of all lesions; nothing is left of it where none is outlined."""
    each = [one.quantity for f in _there(findings) if (one := measurement(f, GLYCOLYSIS)) is not None]
    return summed(each) if each else None


def _reference(findings: Sequence[Finding], what: str) -> tuple[Quantity | None, Quantity | None]:
    """Mean and standard deviation of a healthy region in SUL, as it was outlined."""
    for one in findings:
        if not one.lesion and reference_of(one.name) == what and len(one.measurements) == 2:
            mean, spread = (measured.quantity for measured in one.measurements)
            if mean.unit == "SUL":
                return mean, spread
    return None, None


def _slice_mm(study: Earlier) -> float:
    """Distance of the slices on which sizes were measured; the thickest where there are several."""
    pictures = [study.study.pictures[one.picture] for one in study.drawings]
    apart = [one.geometry.spacing[0] for one in pictures if isinstance(one, Volume) and one.facts.modality != "PT"]
    return max(apart, default=5.0)


def _same_scanner(one: Study, other: Study) -> bool | None:
    """Are both PETs of one kind of scanner? None where a header does not say."""
    said = [
        next(
            (f"{p.facts.manufacturer} {p.facts.device}" for p in s.pictures if p.facts.modality == "PT"), ""
        ).strip()
        for s in (one, other)
    ]
    return said[0] == said[1] if all(said) else None
