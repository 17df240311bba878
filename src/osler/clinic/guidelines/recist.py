"""Response of solid tumours after RECIST 1.1, its state under immune therapy (iRECIST), what may be a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from osler.clinic.guidelines.conditions import Is, Value, Values, Within
from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.guideline import Bar, Example, Guideline, Input, Number, Row, Step
from osler.clinic.guidelines.inputs import number, words
from osler.core.conclusion import Conclusion
from osler.core.errors import AskedWrongly
from osler.core.finding import Measurement
from osler.core.quantity import Quantity

MOST_TARGETS = 5
MOST_IN_ONE_ORGAN = 2
TOO_SMALL_MM = 5.0  # what a target counts that is seen, but too small to be measured
STATES = ("measured", "absent", "too-small", "not-evaluated")
NODES = "lymph nodes"  # all of them are one organ

# fmt: off
TARGET_ROWS = (
    Row((Is("targets", False),), "none", "recist.target.none"),
    Row((Is("returned", True),), "PD", "recist.pd"),
    Row((Is("evaluated", True), Is("targets_gone", True), Within("node_mm", below=10)), "CR", "recist.cr"),
    Row((Within("rise_percent", at_least=20), Within("rise_mm", at_least=5)), "PD", "recist.pd"),
    Row((Is("evaluated", False),), "NE", "recist.ne"),
    Row((Within("change_percent", at_most=-30),), "PR", "recist.pr"),
    Row((), "SD", "recist.sd"),
)
OVERALL_ROWS = (
    Row((Is("new_lesions", True),), "PD", "recist.pd"),
    Row((Is("target_response", "PD"),), "PD", "recist.pd"),
    Row((Is("non_target", "progression"),), "PD", "recist.pd"),
    Row((Is("target_response", "CR"), Is("non_target", "none", "complete")), "CR", "recist.cr"),
    Row((Is("target_response", "CR"), Is("non_target", "persistent", "not-evaluated")), "PR", "recist.pr"),
    Row((Is("target_response", "PR"),), "PR", "recist.pr"),
    Row((Is("target_response", "SD"),), "SD", "recist.sd"),
    Row((Is("target_response", "NE"),), "NE", "recist.ne"),
    Row((Is("target_response", "none"), Is("non_target", "complete")), "CR", "recist.cr"),
    Row((Is("target_response", "none"), Is("non_target", "persistent")), "Non-CR/Non-PD", "recist.non"),
    Row((Is("target_response", "none"), Is("non_target", "not-evaluated")), "NE", "recist.ne"),
)
IMMUNE_ROWS = (
    Row((Is("response", "CR"),), "iCR", "irecist.icr"),
    Row((Is("response", "PR"),), "iPR", "irecist.ipr"),
    Row((Is("response", "SD"),), "iSD", "irecist.isd"),
    Row((Is("response", "Non-CR/Non-PD"),), "Non-iCR/Non-iUPD", "irecist.non"),
    Row((Is("response", "NE"),), "NE", "recist.ne"),
    Row((Is("response", "PD"), Is("unconfirmed", False)), "iUPD", "irecist.iupd", "irecist.iupd.advice"),
    Row((Is("response", "PD"), Is("further", True), Within("weeks_since", at_least=4)), "iCPD", "irecist.icpd"),
    Row((Is("response", "PD"),), "iUPD", "irecist.iupd", "irecist.iupd.advice"),
)
LESION_ROWS = (
    Row((Is("node", True), Within("short_mm", below=10)), "normal", "recist.lesion.normal"),
    Row((Is("node", True), Within("short_mm", below=15)), "non-target", "recist.lesion.non_target"),
    Row((Is("node", True), Within("short_slices", below=2), Within("slice_mm", above=5)),
        "non-target", "recist.lesion.non_target"),
    Row((Is("node", True), Within("short_mm", at_least=15)), "measurable", "recist.lesion.measurable"),
    Row((Is("node", False), Within("slice_mm", at_most=5), Within("longest_mm", at_least=10)),
        "measurable", "recist.lesion.measurable"),
    Row((Is("node", False), Within("slice_mm", above=5), Within("longest_slices", at_least=2)),
        "measurable", "recist.lesion.measurable"),
    Row((), "non-target", "recist.lesion.non_target"),
)
# fmt: on
SOURCE = (
    "Eisenhauer EA, Therasse P, Bogaerts J, et al. New response evaluation criteria in solid tumours: revised "
    "RECIST guideline (version 1.1). Eur J Cancer 2009;45:228-247. doi:10.1016/j.ejca.2008.10.026"
)


START: dict[str, Value] = {"baseline_mm": 100, "non_target": "none", "new_lesions": False}


def _changes(values: Values) -> dict[str, Value | None]:
    baseline, nadir, now = (values.get(name) for name in ("baseline_mm", "nadir_mm", "now_mm"))
    if baseline is None or now is None:
        return {"change_percent": None, "rise_percent": None, "rise_mm": None}
    first, last = float(baseline), float(now)
    least = first if nadir is None else min(first, float(nadir))
    return {
        "change_percent": round(100 * (last - first) / first, 9) if first else None,
        "rise_percent": round(100 * (last - least) / least, 9) if least else (0.0 if not last else float("inf")),
        "rise_mm": round(last - least, 9),
    }


def _slices(values: Values) -> dict[str, Value | None]:
    def across(name: str) -> float | None:
        size, slice_mm = values.get(name), values.get("slice_mm")
        return None if size is None or slice_mm is None else round(float(size) / float(slice_mm), 9)

    return {"longest_slices": across("longest_mm"), "short_slices": across("short_mm")}


RECIST = Guideline(
    name="recist-1.1",
    version="1.1 (2009), table 1 of Osler",
    title="recist.title",
    source=SOURCE,
    for_whom="recist.for",
    bars=(Bar(Is("same_technique", False), "recist.not.technique"),),
    inputs=(
        Input("targets", supposed=True),
        number("baseline_mm", "mm", 5000, low=0.1),
        number("nadir_mm", "mm", 5000),
        number("now_mm", "mm", 5000),
        Input("targets_gone", supposed=False),
        number("node_mm", "mm", 1000),
        Input("evaluated", supposed=True),
        Input("returned", supposed=False),
        words("non_target", "none", "complete", "persistent", "progression", "not-evaluated"),
        Input("new_lesions"),
        Input("same_technique"),
    ),
    derived=(Input("change_percent", "%"), Input("rise_percent", "%"), Input("rise_mm", "mm")),
    derive=_changes,
    figures={"small": TOO_SMALL_MM},
    steps=(Step("target_response", TARGET_ROWS), Step("overall_response", OVERALL_ROWS)),
    tells="recist.tells",
    notes=(
        "recist.note.nadir",
        "recist.note.nodes",
        "recist.note.small",
        "recist.note.missing",
        "recist.note.returned",
        "recist.note.confirm",
        "recist.note.person",
    ),
    checked="recist.checked",
    examples=(
        Example({**START, "now_mm": 70}, "PR"),
        Example({**START, "now_mm": 71}, "SD"),
        Example({**START, "nadir_mm": 50, "now_mm": 60}, "PD"),
        Example({**START, "nadir_mm": 20, "now_mm": 24}, "PR"),
        Example({**START, "now_mm": 0, "targets_gone": True, "node_mm": 0, "non_target": "persistent"}, "PR"),
        Example({**START, "now_mm": 50, "new_lesions": True}, "PD"),
        Example({"baseline_mm": 100, "now_mm": 70, "non_target": "none"}, ""),
    ),
)
IRECIST = Guideline(
    name="irecist",
    version="2017, table 1 of Osler",
    title="irecist.title",
    source="Seymour L, Bogaerts J, Perrone A, et al. iRECIST: guidelines for response criteria for use in trials "
    "testing immunotherapeutics. Lancet Oncol 2017;18:e143-e152. doi:10.1016/S1470-2045(17)30074-8",
    for_whom="irecist.for",
    inputs=(
        words("response", "CR", "PR", "SD", "PD", "NE", "Non-CR/Non-PD", needed=True),
        Input("unconfirmed", supposed=False),
        Input("further"),
        number("weeks_since", "weeks", 2000),
    ),
    steps=(Step("state", IMMUNE_ROWS),),
    notes=("irecist.note.further", "irecist.note.late", "irecist.note.reset"),
    checked="irecist.checked",
    examples=(
        Example({"response": "PD"}, "iUPD"),
        Example({"response": "PD", "unconfirmed": True, "further": True, "weeks_since": 4}, "iCPD"),
        Example({"response": "PD", "unconfirmed": True, "further": True, "weeks_since": 3.9}, "iUPD"),
        Example({"response": "SD", "unconfirmed": True}, "iSD"),
    ),
)
RECIST_LESION = Guideline(
    name="recist-1.1-lesion",
    version="1.1 (2009), table 1 of Osler",
    title="recist.lesion.title",
    coded=False,
    source=SOURCE,
    for_whom="recist.lesion.for",
    bars=(
        Bar(Is("cystic", True), "recist.lesion.not.cystic"),
        Bar(Is("bone_without_soft_tissue", True), "recist.lesion.not.bone"),
    ),
    inputs=(
        Input("node", needed=True),
        number("longest_mm", "mm", 2000),
        number("short_mm", "mm", 2000),
        number("slice_mm", "mm", 50, low=0.1, needed=True),
        Input("cystic"),
        Input("bone_without_soft_tissue"),
    ),
    derived=(Input("longest_slices", "1"), Input("short_slices", "1")),
    derive=_slices,
    figures={"most": MOST_TARGETS, "organ": MOST_IN_ONE_ORGAN},
    steps=(Step("measurable", LESION_ROWS),),
    notes=("recist.lesion.note.ct", "recist.lesion.note.choice"),
    checked="recist.checked",
    examples=(
        Example({"node": False, "longest_mm": 10, "slice_mm": 5}, "measurable"),
        Example({"node": False, "longest_mm": 12, "slice_mm": 7}, "non-target"),
        Example({"node": True, "short_mm": 15, "slice_mm": 2}, "measurable"),
        Example({"node": True, "short_mm": 14.9, "slice_mm": 2}, "non-target"),
    ),
)


@dataclass(frozen=True, slots=True)
class Target:
    """One target lesion at one time.

    name   what it is called across studies: "L1"
    mm     its longest diameter; of a lymph node the short axis
    node   is it a lymph node?
    site   the organ: "liver"; all lymph nodes count as one organ
    state  "measured"; "absent"; "too-small" (counts 5 mm); "not-evaluated". `mm` counts only where it was measured
    """

    name: str
    mm: Number = None
    node: bool = False
    site: str = ""
    state: str = "measured"

    @property
    def size(self) -> Quantity:
        """In mm, as it counts in the sum; a lesion that was not evaluated counts nothing."""
        if self.state == "too-small":
            return Quantity(TOO_SMALL_MM, "mm")
        if self.state != "measured" or self.mm is None:
            return Quantity(0.0, "mm")
        size = self.mm.quantity if isinstance(self.mm, Measurement) else self.mm
        return size if isinstance(size, Quantity) else Quantity(float(size), "mm")


@dataclass(frozen=True, slots=True)
class Sums:
    """The target lesions at one time.

    day  of the study, counted from any day that is the same for all; None: not known
    """

    targets: tuple[Target, ...]
    day: float | None = None

    @property
    def total(self) -> Quantity:
        """The sum of diameters in mm; its interval from the sums of the ends."""
        sizes = [target.size for target in self.targets]
        value = sum(size.value for size in sizes)
        if all(size.low is None or size.high is None for size in sizes):
            return Quantity(value, "mm")
        low = sum(size.value if size.low is None else size.low for size in sizes)
        high = sum(size.value if size.high is None else size.high for size in sizes)
        return Quantity(value, "mm", low, high)


def response(
    baseline: Sums,
    earlier: Sequence[Sums],
    now: Sums,
    *,
    non_target: str | None = None,
    new_lesions: bool | None = None,
    same_technique: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The response now, from the target lesions of all studies, the non-target lesions and new ones.

    earlier     the studies between, in any order; the smallest sum of them and the baseline is the nadir
    non_target  "none" (there were none at baseline), "complete" (all gone), "persistent" (neither gone nor clearly
                progressing), "progression" (unequivocal) or "not-evaluated"; None: not known

    Raises AskedWrongly for targets that are not those of the baseline, are counted twice, are more than RECIST
    allows or were too small at baseline, and for studies that are not in the order of time.
    """
    _check(baseline, earlier, now)
    any_targets = bool(baseline.targets)
    before = [sums for sums in (baseline, *earlier) if not _missing(baseline, sums)]
    nodes = [target.size for target in now.targets if target.node]
    node = max(nodes, key=lambda size: size.value, default=Quantity(0.0, "mm"))
    was_gone = any(_gone(sums) and all(t.size.value < 10 for t in sums.targets if t.node) for sums in before[1:])
    back = any(not t.node and t.state in ("measured", "too-small") and t.size.value > 0 for t in now.targets)
    given: dict[str, Value | Quantity | None] = {
        "targets": any_targets,
        "baseline_mm": baseline.total if any_targets else None,
        "nadir_mm": min((sums.total for sums in before), key=lambda size: size.value) if any_targets else None,
        "now_mm": now.total if any_targets else None,
        "targets_gone": _gone(now),
        "node_mm": node,
        "evaluated": not _missing(baseline, now),
        "returned": any_targets and was_gone and back,
        "non_target": non_target,
        "new_lesions": new_lesions,
        "same_technique": same_technique,
    }
    return decide(RECIST, given, of)


def immune_state(
    response: str | None,
    *,
    unconfirmed: bool | None = None,
    further: bool | None = None,
    weeks_since: Number = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """The state under immune therapy (iRECIST), from the response by RECIST 1.1 against the baseline.

    unconfirmed  was the last assessment iUPD, not followed by iSD, iPR or iCR?
    further      did what made it iUPD grow on (targets or new targets by 5 mm or more, non-targets, any more new
                 lesions), or did another kind of lesion progress?
    weeks_since  that assessment; progression is confirmed from 4 weeks on
    """
    given = {"response": response, "unconfirmed": unconfirmed, "further": further, "weeks_since": weeks_since}
    return decide(IRECIST, given, of)


def measurable(
    *,
    node: bool | None,
    slice_mm: Number,
    longest_mm: Number = None,
    short_mm: Number = None,
    cystic: bool | None = None,
    bone_without_soft_tissue: bool | None = None,
    of: Mapping[str, str] | None = None,
) -> Conclusion:
    """Whether a lesion may be a target at baseline: "measurable", "non-target", or a "normal" lymph node.

    >>> measurable(node=False, longest_mm=12.0, slice_mm=7.0).category
    'non-target'
    """
    given = {
        "node": node,
        "longest_mm": longest_mm,
        "short_mm": short_mm,
        "slice_mm": slice_mm,
        "cystic": cystic,
        "bone_without_soft_tissue": bone_without_soft_tissue,
    }
    return decide(RECIST_LESION, given, of)


def choose_targets(lesions: Sequence[Target], slice_mm: float) -> tuple[Target, ...]:
    """The targets among the lesions at baseline: measurable, the largest first, at most 5, at most 2 of one organ.

    A lesion whose site is "" counts as an organ of its own: we cannot know. A person may choose others that can be
    measured again more reliably.
    """
    chosen: list[Target] = []
    per_organ: dict[str, int] = {}
    for lesion in sorted(lesions, key=lambda one: (-one.size.value, one.name)):
        known = measurable(
            node=lesion.node,
            slice_mm=slice_mm,
            longest_mm=None if lesion.node else lesion.size,
            short_mm=lesion.size if lesion.node else None,
        )
        if known.category != "measurable":
            continue
        organ = _organ(lesion)
        if per_organ.get(organ, 0) < MOST_IN_ONE_ORGAN and len(chosen) < MOST_TARGETS:
            chosen.append(lesion)
            per_organ[organ] = per_organ.get(organ, 0) + 1
    return tuple(chosen)


def _organ(target: Target) -> str:
    return NODES if target.node else target.site.strip().lower() or f"of {target.name}"


def _gone(sums: Sums) -> bool:
    """No target is left but lymph nodes."""
    return all(target.state == "absent" for target in sums.targets if not target.node)


def _missing(baseline: Sums, sums: Sums) -> list[str]:
    """Targets that were not evaluated at that time."""
    seen = {target.name for target in sums.targets if target.state != "not-evaluated"}
    return [target.name for target in baseline.targets if target.name not in seen]


def _check(baseline: Sums, earlier: Sequence[Sums], now: Sums) -> None:
    known = {target.name: target for target in baseline.targets}
    for sums in (baseline, *earlier, now):
        names = [target.name for target in sums.targets]
        for target in sums.targets:
            if names.count(target.name) > 1:
                raise _wrong(f"the target {target.name} is counted twice", "Give every target once a study.")
            if target.name not in known:
                raise _wrong(
                    f"the target {target.name} is not one of the baseline's", "Say new_lesions if a lesion is new."
                )
            if target.state not in STATES:
                raise _wrong(f"a target's state is '{target.state}'", f"Say one of: {', '.join(STATES)}.")
            if target.state == "measured" and target.mm is None:
                raise _wrong(f"the target {target.name} has no size", "Give it, or say its state.")
            if target.node != known[target.name].node:
                raise _wrong(f"the target {target.name} is a lymph node in one study only", "Say the same in all.")
    organs = [_organ(target) for target in baseline.targets]
    if len(organs) > MOST_TARGETS or any(organs.count(organ) > MOST_IN_ONE_ORGAN for organ in organs):
        raise _wrong(
            f"more than {MOST_TARGETS} targets, or more than {MOST_IN_ONE_ORGAN} in one organ",
            "Choose them with choose_targets, and follow the others as non-targets.",
        )
    for target in baseline.targets:
        if target.state != "measured" or target.size.value < (15 if target.node else 10):
            raise _wrong(
                f"the target {target.name} could not be measured at baseline (10 mm; 15 mm short axis of a node)",
                "Follow it as a non-target lesion.",
            )
    days = [sums.day for sums in (baseline, *earlier, now)]
    known_days = [day for day in days if day is not None]
    first, last = baseline.day, now.day
    if (first is not None and first > min(known_days)) or (last is not None and last < max(known_days)):
        raise _wrong("the studies are not in the order of time", "Give the baseline first, and the latest as now.")


def _wrong(problem: str, remedy: str) -> AskedWrongly:
    return AskedWrongly(f"recist-1.1: {problem}.", remedy=remedy)
