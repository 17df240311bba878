"""One thing about labelled data that a person should look at before believing what is learnt from it."""

from dataclasses import dataclass

SEVERITIES = ("leak", "error", "warning", "note")  # from the worst to the mildest


@dataclass(frozen=True, slots=True)
class Concern:
    """What was found, where, and what to do about it.

    kind      which check said so: "duplicate", "near-duplicate", "patient-leak", "label-conflict", "label-error",
              "odd-mask", "geometry", "unreadable", "blank", "shortcut", "balance", "missing"
    severity  one of SEVERITIES; "leak": cases on both sides of a split share what they must not share
    what      the sentence a person reads; it may name cases, never persons
    remedy    what to do about it
    cases     ids of the cases it is about, the most telling first; () where it is about the whole set
    score     how sure, 0 to 1; concerns of one kind are ranked by it
    proposed  what `--fix` would change: case id -> new label (class name), or "" to leave the case out
    """

    kind: str
    severity: str
    what: str
    remedy: str
    cases: tuple[str, ...] = ()
    score: float = 1.0
    proposed: tuple[tuple[str, str], ...] = ()
