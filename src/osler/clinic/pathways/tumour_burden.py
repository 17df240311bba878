"""Tumour burden on PET/CT: uptake, metabolic volume and size of each lesion and of all, and how they responded.

Measures: SUVpeak and SULpeak in a sphere of 1 cm3, TLG and metabolic volume as in Wahl et al. 2009, J Nucl Med
50(Suppl 1):122S; diameters as in Eisenhauer et al. 2009, Eur J Cancer 45:228. With earlier studies lesions are
matched after registration, and the response follows by PERCIST 1.0 and RECIST 1.1. The header must give the SUV.
(to be reviewed by a clinician before use)
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from osler.clinic.measure.change import change_of
from osler.clinic.measure.diameter import DIAMETER_3D, LONG_AXIS, SHORT_AXIS
from osler.clinic.measure.lesions import lesion_measures
from osler.clinic.measure.pet import (
    GLYCOLYSIS,
    METABOLIC_VOLUME,
    PEAK,
    Uptake,
    lean_factor,
    reference_uptake,
    suv_measures,
)
from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.lesions import lineage, reference_of
from osler.clinic.pathways.measured import listed_measures, measurement, summed, when_was
from osler.clinic.pathways.pathway import VOLUME_CHECKS, Needs, Pathway
from osler.clinic.pathways.response import conclusions, of_targets, urgency
from osler.clinic.pathways.seen import Earlier, Seen, same_lesion
from osler.core.codes import Code
from osler.core.finding import Finding, Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.core.volume import Volume
from osler.imaging.resample import resample_to
from osler.results.page_lines import value_text
from osler.results.sentences import joined, say

LESION = Code("52988006", "SCT", "Lesion")
SHARE = "41"  # of the thresholds, that which each lesion's own row shows; the totals show all
_DIAMETERS = (DIAMETER_3D, LONG_AXIS, SHORT_AXIS)


def burden(seen: Seen) -> tuple[Finding, ...]:
    """The totals, every lesion with uptake, size and what changed, lesions that are gone, and the reference."""
    pet = pet_of(seen)
    liver = _reference(seen, pet, "liver")
    lesions = [_lesion(seen, one, pet, liver) for one in _once_each(seen, pet)]
    found = [_told(seen, one, every) for one, every in lesions]
    found += _gone(seen, pet)
    total = _total(seen, found, [every for _, every in lesions])
    return (total, *found, *_references(seen, pet))


def pet_of(seen: Seen) -> int | None:
    """Index of the PET in SUV; None where the study holds none."""
    volumes = [(n, p) for n, p in enumerate(seen.study.pictures) if isinstance(p, Volume)]
    return next((n for n, p in volumes if p.facts.modality == "PT" and p.unit == "SUV"), None)


def moved(mask: Mask, label: int, picture: Volume) -> Mask:
    """One label on another picture's grid: voxels that it covers by half or more; the nearest where none is."""
    if mask.geometry is None or mask.geometry.matches(picture.geometry):
        return replace(mask, array=mask.of(label).astype(np.uint8), labels={1: ""})
    there = mask.of(label).astype(np.float32)
    covered = resample_to(there, mask.geometry, picture.geometry) >= 0.5
    if not covered.any():
        covered = resample_to(there, mask.geometry, picture.geometry, nearest=True) > 0
    return Mask(covered.astype(np.uint8), {1: ""}, geometry=picture.geometry)


def _once_each(seen: Seen, pet: int | None) -> Iterator[tuple[Finding, Finding]]:
    """(the finding whose uptake is measured, the finding whose size is) of each lesion.

    Uptake where the PET was outlined, size where CT or MR was; the one outline there is serves for both.
    """
    each: dict[str, list[Finding]] = {}
    for finding in seen.findings:
        if finding.lesion:
            each.setdefault(finding.lesion, []).append(finding)
    for findings in each.values():
        on_pet = next((one for one in findings if one.picture == pet), findings[0])
        beside = next((one for one in findings if one.picture != pet), findings[0])
        yield on_pet, beside


def _lesion(
    seen: Seen, lesion: tuple[Finding, Finding], pet: int | None, liver: Uptake | None
) -> tuple[Finding, tuple[Measurement, ...]]:
    """(the lesion with the measures that its row shows, all of them)."""
    on_pet, sized = lesion
    mask, label = _drawn(seen, on_pet)
    size_mask, size_label = _drawn(seen, sized)
    sizes = lesion_measures(size_mask, size_label)
    uptake: tuple[Measurement, ...] = ()
    if pet is not None:
        picture = seen.study.pictures[pet]
        there = moved(mask, label, picture) if isinstance(picture, Volume) else mask
        if isinstance(picture, Volume) and there.array.any():
            uptake = suv_measures(picture, there, 1, lean_factor=lean_factor(seen.patient), liver=liver)
            sizes = (_metabolic(lesion_measures(there, 1)[0]), *(one for one in sizes if one.code != VOLUME))
            if sized.picture == pet:  # a PET shows uptake, not size: RECIST does not take its diameters
                sizes = tuple(_on_the_pet(one) if one.code in _DIAMETERS else one for one in sizes)
    every = (*_by_weight(uptake, sizes), *(one for one in sizes if one.code != METABOLIC_VOLUME))
    shown = tuple(one for one in every if _in_its_row(one))
    return replace(on_pet, code=LESION, measurements=shown), every


def _by_weight(uptake: Sequence[Measurement], sizes: Sequence[Measurement]) -> Iterator[Measurement]:
    """Uptake, then the volume as it was outlined and its glycolysis, then those above the thresholds."""
    peaks = [one for one in uptake if one.code not in (METABOLIC_VOLUME, GLYCOLYSIS)]
    yield from (*peaks, *(one for one in sizes if one.code == METABOLIC_VOLUME))
    yield from (one for one in uptake if one.code in (METABOLIC_VOLUME, GLYCOLYSIS))


def _metabolic(volume: Measurement) -> Measurement:
    """The volume of the outline on the PET, which is its metabolic volume as it was drawn."""
    return Measurement(say("burden.volume"), volume.quantity, METABOLIC_VOLUME)


def _on_the_pet(one: Measurement) -> Measurement:
    return Measurement(say("burden.on_pet", name=one.name), one.quantity)


def _in_its_row(one: Measurement) -> bool:
    """Uptake, and of the thresholds the usual one."""
    if one.code in (METABOLIC_VOLUME, GLYCOLYSIS):
        return SHARE in one.name or one.name in (say("measure.glycolysis"), say("burden.volume"))
    return one.name != say("measure.suv_peak_at_max")


def _told(seen: Seen, finding: Finding, every: Sequence[Measurement]) -> Finding:
    """The lesion in a sentence, with what became of it since the last study that showed it."""
    said = listed_measures(finding, PEAK, METABOLIC_VOLUME, LONG_AXIS)
    statement = say("burden.lesion", name=finding.name, measured=said)
    before = _before(seen, finding)
    if before is None:
        if seen.earlier:
            statement = say("burden.new", statement=statement)
        return replace(finding, statement=statement, present=True)
    earlier, was = before
    changes = []
    for code in (PEAK, METABOLIC_VOLUME, LONG_AXIS):
        now, then = measurement(finding, code), measurement(was, code)
        if now is not None and then is not None and now.quantity.unit == then.quantity.unit:
            change = change_of(now, then, earlier.days)
            changes += [change] if change is not None else []
    said = listed_measures(was, PEAK, METABOLIC_VOLUME, LONG_AXIS)
    statement = say("burden.before", statement=statement, when=when_was(earlier), measured=said)
    return replace(finding, statement=statement, present=True, measurements=(*finding.measurements, *changes))


def _before(seen: Seen, finding: Finding) -> tuple[Earlier, Finding] | None:
    """The latest earlier study that shows the lesion by the same name, and the lesion there."""
    for earlier in reversed(seen.earlier):
        if (was := same_lesion(earlier, finding)) is not None:
            return earlier, was
        if any(lineage(was.lesion) & lineage(finding.lesion) for was in earlier.findings if was.lesion):
            return earlier, _joined(earlier, finding)
    return None


def _joined(earlier: Earlier, finding: Finding) -> Finding:
    """The lesions that this one stems from, as one: the hottest uptake, the volumes together, no diameter."""
    parts = [one for one in earlier.findings if one.lesion and lineage(one.lesion) & lineage(finding.lesion)]
    peaks = [one for part in parts if (one := measurement(part, PEAK)) is not None]
    volumes = [one for part in parts if (one := measurement(part, METABOLIC_VOLUME)) is not None]
    joined = [max(peaks, key=lambda one: one.quantity.value)] if peaks else []
    if volumes:
        joined.append(replace(volumes[0], quantity=summed([one.quantity for one in volumes])))
    return replace(parts[0], measurements=tuple(joined))


def _gone(seen: Seen, pet: int | None) -> list[Finding]:
    """Lesions of the last earlier study that are not outlined any more, with the uptake where they were."""
    if not seen.earlier:
        return []
    last = seen.earlier[-1]
    now = frozenset[str]().union(*(lineage(one.lesion) for one in seen.findings if one.lesion))
    found = []
    for was in last.findings:
        if not was.lesion or was.present is False or lineage(was.lesion) & now:
            continue
        left = _left_there(seen, last, was, pet)
        statement = say(
            "burden.gone", name=was.name, when=when_was(last), measured=listed_measures(was, PEAK, LONG_AXIS)
        )
        if left:
            peak = listed_measures(replace(was, measurements=left), PEAK)
            statement = say("burden.left", statement=statement, measured=peak)
        picture = seen.findings[0].picture if seen.findings else pet or 0
        found.append(
            replace(
                was,
                statement=statement,
                present=False,
                measurements=left,
                picture=picture,
                label=None,
                centre_mm=None,
            )
        )
    return found


def _left_there(seen: Seen, last: Earlier, was: Finding, pet: int | None) -> tuple[Measurement, ...]:
    """SUVpeak and SULpeak now, where a lesion was; () where that place is not on the PET."""
    drawing = next(
        (one for one in last.drawings if one.picture == was.picture and was.label in one.mask.labels), None
    )
    picture = None if pet is None else seen.study.pictures[pet]
    if drawing is None or was.label is None or not isinstance(picture, Volume) or drawing.mask.geometry is None:
        return ()
    geometry = drawing.mask.geometry
    if last.onto is not None:  # the earlier grid, laid where it lies on the study of now
        geometry = replace(geometry, affine=np.linalg.inv(last.onto) @ geometry.affine)
    there = moved(replace(drawing.mask, geometry=geometry), was.label, picture)
    if not there.array.any():
        return ()
    measured = suv_measures(picture, there, 1, lean_factor=lean_factor(seen.patient))
    return tuple(one for one in measured if one.code == PEAK and one.name != say("measure.suv_peak_at_max"))


def _total(seen: Seen, found: Sequence[Finding], lesions: Sequence[Sequence[Measurement]]) -> Finding:
    """All lesions together: volumes and glycolysis summed, the hottest uptake, and the sum of target diameters.

    found    the lesions as they are told
    lesions  all measures of each
    """
    named: dict[str, list[Measurement]] = {}
    for one in (measure for every in lesions for measure in every):
        if one.code in (METABOLIC_VOLUME, GLYCOLYSIS, VOLUME):
            named.setdefault(one.name, []).append(one)
    totals = [replace(same[0], quantity=summed([one.quantity for one in same])) for same in named.values()]
    hottest: dict[str, Measurement] = {}
    for one in (measure for every in lesions for measure in every if measure.code == PEAK):
        if one.name not in hottest or one.quantity.value > hottest[one.name].quantity.value:
            hottest[one.name] = one
    peaks = [
        replace(one, name=say("burden.hottest", name=one.name))
        for name, one in hottest.items()
        if name != say("measure.suv_peak_at_max")
    ]
    count = Measurement(say("burden.count"), Quantity(float(len(lesions)), "1"))
    targets = of_targets(replace(seen, findings=tuple(found)))
    total = Finding(say("burden.total"), "", measurements=(count, *peaks, *totals, *targets))
    said = listed_measures(replace(total, measurements=tuple(totals)), METABOLIC_VOLUME, GLYCOLYSIS)
    key = "burden.total.one" if len(lesions) == 1 else "burden.total.several" if lesions else "burden.total.none"
    statement = say(key, name=total.name, count=len(lesions), measured=said)
    if pet_of(seen) is None:
        statement = joined(statement, say("burden.no_uptake"))
    return replace(total, statement=statement, picture=seen.findings[0].picture if seen.findings else 0)


def _reference(seen: Seen, pet: int | None, what: str) -> Uptake | None:
    """Uptake of a healthy region that was outlined: "liver" or "blood"."""
    picture = None if pet is None else seen.study.pictures[pet]
    for finding in seen.findings:
        if not finding.lesion and finding.label is not None and reference_of(finding.name) == what:
            mask, label = _drawn(seen, finding)
            if isinstance(picture, Volume) and (there := moved(mask, label, picture)).array.any():
                return reference_uptake(picture, there, 1)
    return None


def _references(seen: Seen, pet: int | None) -> Iterator[Finding]:
    """The healthy regions with their uptake, in SUL where that can be told."""
    factor = lean_factor(seen.patient)
    for finding in seen.findings:
        what = "" if finding.lesion or finding.label is None else reference_of(finding.name)
        uptake = _reference(seen, pet, what) if what else None
        if uptake is not None:
            unit, times = ("SUV", 1.0) if factor is None else ("SUL", factor)
            mean = Measurement(say("burden.mean"), Quantity(uptake.mean * times, unit))
            spread = Measurement(say("burden.deviation"), Quantity(uptake.deviation * times, unit))
            said = say(
                "burden.reference",
                name=finding.name,
                mean=value_text(mean.quantity),
                spread=value_text(spread.quantity),
            )
            yield replace(finding, statement=said, present=None, measurements=(mean, spread))


def _drawn(seen: Seen, finding: Finding) -> tuple[Mask, int]:
    """The mask on which a finding was outlined, and its label there."""
    label = finding.label or 0
    masks = (one.mask for one in seen.drawings if one.picture == finding.picture)
    return next(mask for mask in masks if label in mask.labels), label


TUMOUR_BURDEN = Pathway(
    name="tumour-burden",
    title="Tumour burden on PET/CT",
    checks=VOLUME_CHECKS,
    measure=burden,
    conclude=conclusions,
    priority=urgency,
    outlines=True,
    needs=Needs(modalities=("PT",)),
    lesions=True,
)
