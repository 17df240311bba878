"""Lung nodules on CT, outlined by a person or a foreign detector: size, growth, and what guidelines say of them.

The size is the mean of the longest diameter in a slice and its perpendicular, as Fleischner 2017 (MacMahon et al.,
Radiology 284:228) and Lung-RADS v2022 (Christensen et al. 2024, CHEST 165:738) measure it; growth by volume
(Schwartz 1961, Cancer 14:1272). Rules are asked with what is known: age, smoking and spiculation come with the
request, the kind of nodule too or in the outline's name. Lung-RADS only for screening.
(to be reviewed by a clinician before use)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from osler.clinic.guidelines import fleischner, lung_rads, nodule_risk
from osler.clinic.measure.change import change_of, doubling_of
from osler.clinic.measure.diameter import LONG_AXIS, SHORT_AXIS
from osler.clinic.measure.lesions import lesion_measures
from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.measured import listed_measures, measurement, when_was
from osler.clinic.pathways.pathway import VOLUME_CHECKS, Needs, Pathway
from osler.clinic.pathways.ruled import asked
from osler.clinic.pathways.seen import Earlier, Seen, same_lesion
from osler.core.codes import Code
from osler.core.conclusion import Conclusion, Priority
from osler.core.finding import Finding, Measurement
from osler.core.quantity import Quantity
from osler.core.report import Problem
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.results.sentences import listed, say

NODULE = Code("27925004", "SCT", "Nodule")
MEAN_DIAMETER = Code("mean-diameter", "99OSLER", "Mean of long axis and short axis")
DAYS_A_MONTH = 365.25 / 12
THICKEST_MM = 1.5  # Fleischner 2017 measures nodules on thin slices
# The kind of a nodule by words in the name of its outline; the first that fits.
KINDS = {
    "part-solid": ("part-solid", "part solid", "partsolid", "subsolid", "semisolid"),
    "ground-glass": ("ground-glass", "ground glass", "groundglass", "non-solid", "nonsolid", "ggn", "ggo"),
    "solid": ("solid",),
}
_URGENT = ("4A", "4B", "4X")


def nodules(seen: Seen) -> tuple[Finding, ...]:
    """Every nodule with its size and, where an earlier study shows it, its growth; those that are gone."""
    found = [_nodule(seen, one) for one in seen.findings if one.lesion]
    now = {one.lesion for one in found}
    for was in seen.earlier[-1].findings if seen.earlier else ():
        if was.lesion and was.present and was.lesion not in now:
            when = when_was(seen.earlier[-1])
            statement = say("nodule.gone", name=was.name, when=when, measured=listed_measures(was, MEAN_DIAMETER))
            gone = replace(was, statement=statement, present=False, measurements=(), picture=0, label=None)
            found.append(replace(gone, centre_mm=None))
    return tuple(found)


def advice(seen: Seen) -> tuple[Conclusion, ...]:
    """Lung-RADS of each nodule in screening, else Fleischner for the largest; risk models with their facts."""
    there = [(n, one) for n, one in enumerate(seen.findings) if one.lesion and one.present]
    if not there:
        return ()
    known = seen.patient.known
    found: list[Conclusion] = []
    if known.get("screening") is True:
        for n, one in there:
            found.append(asked("lung-rads-2022", partial(_lung_rads, seen, one), findings=(n,)))
    else:
        n, largest = max(there, key=lambda one: _size(one[1]).value)
        found.append(asked("fleischner-2017", partial(_fleischner, seen, largest, len(there)), findings=(n,)))
    for name, facts, rule in (
        ("brock", ("spiculated", "emphysema", "family_history", "upper_lobe"), _brock),
        ("mayo", ("smoker", "past_cancer", "spiculated", "upper_lobe"), _mayo),
    ):
        if sum(fact in known for fact in facts) >= 2:
            for n, one in there:
                found.append(asked(name, partial(rule, seen, one, len(there)), findings=(n,)))
    return tuple(found)


def urgency(seen: Seen) -> Priority:
    """Growth, and what a guideline does not leave for months, come first; larger nodules before smaller ones."""
    sizes = [_size(one).value for one in seen.findings if one.lesion and one.present]
    score = round(min(1.0, max(sizes, default=0.0) / 30), 3)  # 30 mm: beyond it is a mass
    urgent = [one for one in advice(seen) if one.category in _URGENT]
    if urgent:
        return Priority(
            "soon", say("priority.category", said=listed(f"{c.title}: {c.category}" for c in urgent)), score
        )
    if sizes and max(sizes) >= 8:
        return Priority("soon", say("priority.nodule", size=f"{max(sizes):.1f}"), score)
    return Priority("routine", say("priority.nodule.small" if sizes else "priority.nodule.none"), score)


def slices_caution(picture: Picture) -> tuple[Problem, ...]:
    """Thick slices make a nodule's size doubtful."""
    if not isinstance(picture, Volume) or picture.geometry.spacing[0] <= THICKEST_MM:
        return ()
    what = say("caution.nodule_slices", apart=f"{picture.geometry.spacing[0]:.3g}", most=f"{THICKEST_MM:g}")
    return (Problem(what, say("caution.nodule_slices.remedy"), "slices"),)


def kind_of(name: str) -> str | None:
    """Which kind of nodule the name of an outline says; None where it does not.

    >>> kind_of("Lesion L1 (part-solid nodule)"), kind_of("GGN 2"), kind_of("nodule") is None
    ('part-solid', 'ground-glass', True)
    """
    plain = name.lower().replace("_", " ")
    return next((kind for kind, spelt in KINDS.items() if any(word in plain for word in spelt)), None)


def _nodule(seen: Seen, finding: Finding) -> Finding:
    drawing = next(
        one for one in seen.drawings if one.picture == finding.picture and finding.label in one.mask.labels
    )
    measures = list(lesion_measures(drawing.mask, finding.label or 0))
    one = replace(finding, code=NODULE, present=True, measurements=tuple(measures))
    mean = _mean_diameter(one, drawing.mask.spacing)
    one = replace(one, measurements=(mean, *measures))
    statement = say("nodule.found", name=one.name, measured=listed_measures(one, MEAN_DIAMETER, VOLUME))
    before = _before(seen, finding)
    if before is None:
        return replace(one, statement=say("nodule.new", statement=statement) if seen.earlier else statement)
    earlier, was = before
    said = listed_measures(was, MEAN_DIAMETER, VOLUME)
    statement = say("nodule.before", statement=statement, when=when_was(earlier), measured=said)
    changes = [
        change_of(now, then, earlier.days)
        for code in (MEAN_DIAMETER, VOLUME)
        if (now := measurement(one, code)) is not None and (then := measurement(was, code)) is not None
    ]
    now, then = measurement(one, VOLUME), measurement(was, VOLUME)
    if earlier.days and now is not None and then is not None:
        changes.append(doubling := doubling_of(now.quantity, then.quantity, earlier.days))
        if doubling is not None:
            time = f"{doubling.quantity.value:.0f}"
            statement = say("nodule.growth", statement=statement, name=doubling.name, days=time)
    return replace(one, statement=statement, measurements=(*one.measurements, *filter(None, changes)))


def _mean_diameter(finding: Finding, spacing: Sequence[float]) -> Measurement:
    """The mean of long and short axis; each end of a line lies within half a pixel of where it is drawn."""
    axes = [measurement(finding, code) for code in (LONG_AXIS, SHORT_AXIS)]
    mean = sum(one.quantity.value for one in axes if one is not None) / 2
    pixel = max(spacing[-2:])
    return Measurement(
        say("nodule.mean"), Quantity(mean, "mm", max(0.0, mean - pixel), mean + pixel), MEAN_DIAMETER
    )


def _size(finding: Finding) -> Quantity:
    found = measurement(finding, MEAN_DIAMETER)
    return Quantity(0.0, "mm") if found is None else found.quantity


def _before(seen: Seen, finding: Finding) -> tuple[Earlier, Finding] | None:
    """The latest earlier study that shows the nodule, and the nodule there."""
    for earlier in reversed(seen.earlier):
        if (was := same_lesion(earlier, finding)) is not None:
            return earlier, was
    return None


def _facts(seen: Seen, finding: Finding) -> tuple[dict[str, float | bool | str], dict[str, str]]:
    """What the request says of the patient and the nodule, and where each thing comes from.

    A fact of one nodule may carry its name: "L2.spiculated"; one without a name counts for all.
    """
    facts: dict[str, float | bool | str] = {}
    for name, value in seen.patient.known.items():
        of, dot, what = name.rpartition(".")
        if not dot or of == finding.lesion:
            facts[what] = value
    said = kind_of(finding.name)
    if said is not None:
        facts.setdefault("kind", said)
    return facts, dict.fromkeys(facts, say("ground.request"))


def _asked_with(facts: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: facts[name] for name in names if name in facts}


def _fleischner(seen: Seen, finding: Finding, count: int) -> Conclusion:
    facts, of = _facts(seen, finding)
    volume = measurement(finding, VOLUME)
    told = _asked_with(facts, "solid_mm", "risk", "known_cancer", "immune_suppressed", "screening", "kind")
    return fleischner.follow_up(
        **{"kind": None} | told,  # type: ignore[arg-type]
        size_mm=_size(finding),
        age_years=seen.patient.age_years,
        multiple=count > 1,
        volume_mm3=None if volume is None else volume.quantity,
        of=of | _where(finding),
    )


def _lung_rads(seen: Seen, finding: Finding) -> Conclusion:
    facts, of = _facts(seen, finding)
    names = (
        "kind",
        "solid_mm",
        "juxtapleural",
        "airway",
        "cyst",
        "cyst_change",
        "earlier_category",
        "known_cancer",
    )
    state: str | None = "baseline"
    months: float | None = None
    if seen.earlier:
        before = _before(seen, finding)
        state = "new"
        if before is not None:
            earlier, was = before
            months = None if not earlier.days else earlier.days / DAYS_A_MONTH
            state = None if months is None else lung_rads.state_of(_size(finding).value, _size(was).value, months)
    return lung_rads.category(
        **{"kind": None} | _asked_with(facts, *names),  # type: ignore[arg-type]
        state=state,
        size_mm=_size(finding),
        months=months if "earlier_category" in facts else None,
        age_years=seen.patient.age_years,
        screening=True,
        of=of | _where(finding),
    )


def _brock(seen: Seen, finding: Finding, count: int) -> Conclusion:
    facts, of = _facts(seen, finding)
    names = ("kind", "upper_lobe", "spiculated", "emphysema", "family_history", "known_cancer")
    return nodule_risk.brock(
        **_asked_with(facts, *names),  # type: ignore[arg-type]
        age_years=seen.patient.age_years,
        sex=seen.patient.sex or None,
        size_mm=measurement(finding, LONG_AXIS),
        count=count,
        of=of | _where(finding),
    )


def _mayo(seen: Seen, finding: Finding, count: int) -> Conclusion:
    facts, of = _facts(seen, finding)
    names = ("smoker", "past_cancer", "spiculated", "upper_lobe", "recent_cancer")
    return nodule_risk.mayo(
        **_asked_with(facts, *names),  # type: ignore[arg-type]
        age_years=seen.patient.age_years,
        size_mm=measurement(finding, LONG_AXIS),
        of=of | _where(finding),
    )


def _where(finding: Finding) -> dict[str, str]:
    return {"size_mm": finding.name, "volume_mm3": finding.name}


LUNG_NODULE = Pathway(
    name="lung-nodule",
    title="Lung nodules on CT",
    checks=VOLUME_CHECKS,
    cautions=slices_caution,
    measure=nodules,
    conclude=advice,
    priority=urgency,
    outlines=True,
    needs=Needs(modalities=("CT",), body_parts=("CHEST",), words=("nodule", "nodul", "ggn", "ggo")),
    lesions=True,
)
