"""Contours for radiotherapy: how large each outlined structure is, and what looks odd about how it was drawn.

Volumes and diameters of every structure of a structure set (or of any mask), slices left out between the first
and the last, and pieces apart from the rest, which are mostly slips of the pen. No dose, no limits of organs, and
nothing is said of whether an outline is anatomically right. (to be reviewed by a clinician before use)
"""

from dataclasses import replace

import numpy as np

from osler.clinic.measure.diameter import DIAMETER_3D
from osler.clinic.measure.lesions import lesion_measures
from osler.clinic.measure.pieces import pieces, reaches_edge
from osler.clinic.measure.volume import VOLUME
from osler.clinic.pathways.measured import listed_measures
from osler.clinic.pathways.pathway import VOLUME_CHECKS, Needs, Pathway
from osler.clinic.pathways.seen import Seen
from osler.core.conclusion import Priority
from osler.core.finding import Finding, Measurement
from osler.core.mask import Mask
from osler.core.quantity import Quantity
from osler.imaging.components import components, sizes
from osler.results.sentences import joined, say

SPECK = 0.01  # of the structure: smaller pieces apart from it are told as slips


def structures(seen: Seen) -> tuple[Finding, ...]:
    """Each structure with its measures, and what is odd about it in a sentence."""
    return tuple(_structure(seen, finding) for finding in seen.findings)


def odd_first(seen: Seen) -> Priority:
    """Nothing about an outline is urgent; sets with more that looks odd come first."""
    odd = [one.name for one in seen.findings if any(m.name == say("contours.gaps") for m in one.measurements)]
    share = len(odd) / max(len(seen.findings), 1)
    return Priority("routine", say("priority.contours", odd=len(odd), count=len(seen.findings)), round(share, 3))


def gaps(mask: Mask, label: int) -> list[int]:
    """Slices without the label between its first and its last, as they are counted from 1."""
    there = np.asarray(mask.of(label).any(axis=(1, 2)))
    first, last = (int(n) for n in np.flatnonzero(there)[[0, -1]])
    return [n + 1 for n in range(first, last) if not there[n]]


def specks(mask: Mask, label: int) -> int:
    """Pieces that hold less than a hundredth of the structure."""
    labels, count = components(mask.of(label))
    held = sizes(labels, count)
    return int((held < SPECK * held.sum()).sum())


def _structure(seen: Seen, finding: Finding) -> Finding:
    drawing = next(
        (one for one in seen.drawings if one.picture == finding.picture and finding.label in one.mask.labels), None
    )
    label = finding.label or 0
    if drawing is None or drawing.mask.geometry is None or not drawing.mask.of(label).any():
        return finding
    mask = drawing.mask
    measured = [*lesion_measures(mask, label), pieces(mask, label)]
    one = replace(finding, measurements=tuple(measured), present=None)
    said = [say("contours.structure", name=one.name, measured=listed_measures(one, VOLUME, DIAMETER_3D))]
    left_out = gaps(mask, label)
    if left_out:
        measured.append(Measurement(say("contours.gaps"), Quantity(float(len(left_out)), "1")))
        said.append(say("contours.gap", number=len(left_out), first=left_out[0]))
    small = specks(mask, label)
    if small:
        said.append(say("contours.specks", number=small))
    if reaches_edge(mask, label):
        said.append(say("contours.edge"))
    return replace(one, measurements=tuple(measured), statement=joined(*said))


CONTOURS = Pathway(
    name="contours",
    title="Contours for radiotherapy",
    checks=VOLUME_CHECKS,
    measure=structures,
    priority=odd_first,
    outlines=True,
    needs=Needs(),
)
