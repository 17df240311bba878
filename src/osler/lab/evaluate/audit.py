"""What a reviewer asks beyond the numbers, on one noun."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from osler.lab.evaluate.coverage import Coverage
from osler.lab.evaluate.decisions import DecisionCurve, TriedPoint
from osler.lab.evaluate.external import External
from osler.lab.evaluate.robustness import Robustness
from osler.lab.evaluate.subgroups import SubgroupAudit
from osler.statistics.intervals import Interval


@dataclass(frozen=True, slots=True, eq=False)
class Gated:
    """How many of the cases the model's gate calls unlike those it learnt from.

    share    with its interval by patient
    reasons  what spoke against them -> how many
    """

    patients: int
    cases: int
    share: Interval
    reasons: Mapping[str, int]

    def to_json(self) -> dict[str, object]:
        """The fields by name, n first."""
        return {
            "n": {"patients": self.patients, "cases": self.cases},
            "share": self.share.to_json(),
            "reasons": dict(self.reasons),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Subgroups, decisions, promises, robustness and other hospitals. What was not asked for is empty or None."""

    subgroups: tuple[SubgroupAudit, ...] = ()
    decisions: tuple[DecisionCurve, ...] = ()
    points: tuple[TriedPoint, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    gated: Gated | None = None
    robustness: Robustness | None = None
    external: tuple[External, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What there is of: subgroups, decision_curve, operating_points, coverage, gate, robustness, external."""
        many: dict[str, tuple[Any, ...]] = {
            "subgroups": self.subgroups,
            "decision_curve": self.decisions,
            "operating_points": self.points,
            "coverage": self.coverage,
            "external": self.external,
        }
        written: dict[str, Any] = {name: [one.to_json() for one in rows] for name, rows in many.items() if rows}
        if self.gated is not None:
            written["gate"] = self.gated.to_json()
        if self.robustness is not None:
            written["robustness"] = self.robustness.to_json()
        return written | ({"audit_notes": list(self.notes)} if self.notes else {})
