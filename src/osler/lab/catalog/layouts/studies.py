"""DICOM studies in which structures were outlined: pictures, and RTSTRUCT or SEG objects that were drawn on them.

PATIENT/{CT,PET}/*.dcm and PATIENT/RTSTRUCT/1.dcm, or everything in one heap: the headers say what belongs
together.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import AskedWrongly, BadDataset, BadInput, UnknownChoice
from osler.core.geometry import Geometry
from osler.io.dicom.find import find_objects
from osler.io.open import part_dicom
from osler.lab.catalog.cases import open_label
from osler.lab.catalog.dataset import Case, Dataset, Outline, Outlines, Source
from osler.lab.catalog.drawn import Drawn, Named, Shown, by_picture, has_outlines, objects_drawn, pictures_shown
from osler.lab.catalog.folders import files_under, first_few, inner_root, natural, split_of
from osler.lab.catalog.request import Request

LAYOUT = "DICOM studies with outlines"

_HALF = 0.5
_AT_MOST_CLASSES = 255
_FIRST = ("CT", "PT", "MR")  # where as many patients were drawn on one as on the other
_NAMES_SHOWN = 20
_PROBLEMS_TOLD = 5
# What people append to a structure's name to say which picture it was drawn on: GTV_CT, Mass_MR_T1.
_SAYS = {
    "CT": {"ct"},
    "PT": {"pt", "pet", "suv"},
    "MR": {"mr", "mri", "t1", "t2", "t1w", "t2w", "t1c", "t1ce", "t1gd", "flair", "adc", "dwi"},
}


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """A picture to learn from, and what was drawn on it, or on another one in the same frame of reference."""

    shown: Shown
    grid: Geometry | None
    objects: tuple[tuple[Drawn, str], ...]  # with the modality that each was drawn on


def read(request: Request) -> Dataset | None:
    """The data set of DICOM studies with outlines, or None when the folder holds something else.

    Raises BadDataset when no structure has the same name in most patients or structures overlap, UnknownChoice for
    a structure asked for that nobody has.
    """
    if not request.path.is_dir() or request.task not in (None, "segmentation"):
        return None
    files = part_dicom(files_under(request.path))[0]
    found = find_objects(files)
    if not has_outlines(found):
        return None
    pictures = pictures_shown(found)
    objects, broken = objects_drawn(found)
    placed, lost = by_picture(objects, pictures)
    everyone = {shown.patient for shown in pictures}
    outlined = {shown.patient for shown in placed}
    if request.task is None and len(outlined) < max(1, _HALF * len(everyone)):
        return None
    root = inner_root(request.path)
    notes = list(found.problems[:_PROBLEMS_TOLD])
    if len(found.problems) > _PROBLEMS_TOLD:
        notes.append(f"{len(found.problems) - _PROBLEMS_TOLD} more files have such problems.")
    if broken:
        notes.append(f"{len(broken)} RTSTRUCT or SEG files cannot be read and were left out: {first_few(broken)}.")
    if lost:
        notes.append(f"{lost} RTSTRUCT or SEG files were left out: what they were drawn on is not here.")
    if len(outlined) < len(everyone):
        notes.append(f"{len(everyone - outlined)} of {len(everyone)} patients have no outlines and were left out.")
    drafts, told = _drafts(pictures, placed)
    if not drafts:
        raise BadDataset(
            f"{root.name} holds RTSTRUCT or SEG objects, but no picture that can be opened was drawn on. "
            + " ".join([*notes, *told]),
            remedy="Put each series in a folder of its own, with the objects that were drawn on it.",
        )
    channels, others, left_out = _channels(drafts, pictures, placed)
    names = _Names(drafts)
    classes = _wanted(names, request, root.name)
    cases, said = _cases(drafts, names, classes, others, root)
    if not cases:
        raise BadDataset(
            f"No patient of {root.name} has the structures asked for on pictures that are all there. "
            + " ".join(said),
            remedy="Choose others with --target, or add the pictures that were drawn on.",
        )
    _try_first(cases[0])
    people = {case.patient for case in cases}
    return Dataset(
        name=root.name,
        root=root,
        task="segmentation",
        classes=("background", *(names.shown(key) for key in classes)),
        channels=channels,
        cases=cases,
        layout=LAYOUT,
        notes=(
            f"Patients were told apart by the DICOM headers: {len(people)}.",
            *notes,
            *told,
            *left_out,
            *names.left_out(classes),
            *said,
        ),
        label_values=tuple(range(len(classes) + 1)),
    )


def _try_first(case: Case) -> None:
    """Structures that overlap do so in nearly every patient: better to hear it now than after all were opened."""
    assert isinstance(case.label, Source)
    try:
        open_label(case.label)
    except BadDataset:
        raise
    except (BadInput, AskedWrongly):
        return  # a broken file of one case, which is told when all are checked


# --- pictures ------------------------------------------------------------------------------------------------


def _drafts(pictures: Sequence[Shown], placed: dict[Shown, list[Drawn]]) -> tuple[list[_Draft], list[str]]:
    """What is learnt from: pictures of the modality that most patients were outlined on, and notes."""
    patients: dict[str, set[str]] = defaultdict(set)
    for shown in placed:
        patients[shown.modality].add(shown.patient)
    if not patients:
        return [], []
    lead = min(patients, key=lambda modality: (-len(patients[modality]), _rank(modality)))
    notes = []
    if len(patients) > 1:
        rest = ", ".join(sorted(patients.keys() - {lead}, key=_rank))
        notes.append(f"The outlines on {lead} are learnt; there are also outlines on {rest}.")
    rows = [
        (shown, [(one, lead) for one in objects]) for shown, objects in placed.items() if shown.modality == lead
    ]
    elsewhere = []
    for shown, objects in placed.items():
        if shown.patient not in patients[lead]:
            beside = [one for one in pictures if one.modality == lead and _together(one, shown)]
            if len(beside) == 1:
                elsewhere.append(shown.patient)
                rows.append((beside[0], [(one, shown.modality) for one in objects]))
    if elsewhere:
        notes.append(
            f"{len(set(elsewhere))} patients were outlined on another picture than {lead}: brought onto it."
        )
    gone = {shown.patient for shown in placed} - patients[lead] - set(elsewhere)
    if gone:
        notes.append(f"{len(gone)} patients were not outlined on {lead}, nor on what lies with it: left out.")
    merged: dict[Shown, list[tuple[Drawn, str]]] = defaultdict(list)
    for shown, drawn in rows:
        merged[shown] += drawn
    drafts, refused = [], []
    for shown, drawn in merged.items():
        try:
            if shown.source is None:
                raise BadInput(
                    f"{shown.series.name} lies in several folders, or holds several kinds of picture.", remedy=""
                )
            drafts.append(_Draft(shown, shown.grid(), tuple(drawn)))
        except BadInput as error:
            refused.append(error.problem)
    if refused:
        notes.append(f"{len(refused)} pictures cannot be opened as one and were left out: {first_few(refused)}")
    return drafts, notes


def _together(one: Shown, other: Shown) -> bool:
    """Do two pictures lie in one frame of reference?"""
    return one.frame_uid == other.frame_uid != "" and one.patient == other.patient


def _rank(modality: str) -> tuple[int, str]:
    return (_FIRST.index(modality) if modality in _FIRST else len(_FIRST), modality)


def _channels(
    drafts: Sequence[_Draft], pictures: Sequence[Shown], outlined: Container[Shown]
) -> tuple[tuple[str, ...], dict[Shown, tuple[Source, ...]], list[str]]:
    """(channels, picture -> its other channels' sources, notes).

    A modality is a channel when everybody has one picture of it that lies with the one that was outlined, or one
    of several that was outlined too.
    """
    lead = drafts[0].shown.modality
    found: dict[str, dict[Shown, Source]] = defaultdict(dict)
    unclear: Counter[str] = Counter()
    for draft in drafts:
        beside: dict[str, list[Shown]] = defaultdict(list)
        for one in pictures:
            if one.modality != lead and _together(one, draft.shown):
                beside[one.modality].append(one)
        for modality, several in beside.items():
            few = [one for one in several if one in outlined] if len(several) > 1 else several
            if len(few) == 1 and few[0].source is not None:
                found[modality][draft.shown] = few[0].source
            else:
                found[modality]  # it is there, and nobody can say which
                unclear[modality] += 1
    kept, notes = [], []
    for modality in sorted(found, key=_rank):
        count = len(found[modality])
        if count == len(drafts):
            kept.append(modality)
        elif unclear[modality]:
            notes.append(
                f"{modality} was left out: {unclear[modality]} of {len(drafts)} cases have several series of it, "
                "and nothing says which to take."
            )
        else:
            notes.append(f"{modality} is there for only {count} of {len(drafts)} cases: it was left out.")
    others = {draft.shown: tuple(found[modality][draft.shown] for modality in kept) for draft in drafts}
    return (lead, *kept), others, notes


# --- names ---------------------------------------------------------------------------------------------------


class _Names:
    """The structures of all patients by name: case, spaces and underscores make no difference, nor does the word
    for the picture that one was drawn on, unless it tells two structures of one picture apart."""

    def __init__(self, drafts: Sequence[_Draft]) -> None:
        self._short = not any(_collide(draft) for draft in drafts)
        self._spelt: dict[str, Counter[str]] = defaultdict(Counter)
        self._patients: dict[str, set[str]] = defaultdict(set)
        self._asked: dict[str, str] = {}
        for draft in drafts:
            for drawn, modality in draft.objects:
                for named in drawn.names:
                    key = self.key(named, modality)
                    self._asked[_plain(named.name)] = key
                    if named.drawn:
                        self._spelt[key][_cut(named.name, modality) if self._short else named.name] += 1
                        self._patients[key].add(draft.shown.patient)
        self._everyone = {draft.shown.patient for draft in drafts}

    def key(self, named: Named, modality: str) -> str:
        """What all spellings of a name have in common."""
        return _plain(_cut(named.name, modality) if self._short else named.name)

    def shown(self, key: str) -> str:
        """How it is spelt most often."""
        return max(sorted(self._spelt[key]), key=lambda name: self._spelt[key][name])

    def of_most(self) -> list[str]:
        """The structures that more than half of the patients have."""
        return sorted(
            (key for key, who in self._patients.items() if 2 * len(who) > len(self._everyone)), key=natural
        )

    def asked(self, name: str) -> str | None:
        """The structure that somebody means by a name, None where no patient has it."""
        key = self._asked.get(_plain(name), _plain(name))
        return key if key in self._patients else None

    def shared(self) -> list[str]:
        """Names that may be shown: what one patient alone has may be anything, even a person's name."""
        at_least = min(2, len(self._everyone))
        return [
            self.shown(key) for key in sorted(self._patients, key=natural) if len(self._patients[key]) >= at_least
        ]

    def left_out(self, classes: Sequence[str]) -> list[str]:
        """A note on the structures that are not learnt."""
        names = {self.shown(key) for key in classes}
        rest = len(self._patients) - len(classes)
        if not rest:
            return []
        known = [name for name in self.shared() if name not in names]
        some = f", among them {first_few(known, at_most=_NAMES_SHOWN)}" if known else ""
        return [f"{rest} other structures are not learnt{some}: name what to learn with --target."]


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\s_]+", name.casefold().strip(" _")))


def _cut(name: str, modality: str) -> str:
    """The name without the words at its end that say which picture it was drawn on.

    >>> _cut("GTV_Mass_MR_T1", "MR"), _cut("GTV_PET", "CT"), _cut("CT", "CT")
    ('GTV_Mass', 'GTV_PET', 'CT')
    """
    words = list(re.finditer(r"[^\s_]+", name))
    while len(words) > 1 and words[-1][0].casefold() in _SAYS.get(modality, ()):
        words.pop()
    return name[words[0].start() : words[-1].end()] if words else name


def _collide(draft: _Draft) -> bool:
    """Would two structures have one name without the word for their picture?"""
    long = {(modality, _plain(named.name)) for drawn, modality in draft.objects for named in drawn.names}
    return len({_plain(_cut(name, modality)) for modality, name in long}) < len({name for _, name in long})


def _wanted(names: _Names, request: Request, folder: str) -> list[str]:
    """The structures that are learnt, in the order of their classes."""
    if request.target:
        asked = [name.strip() for name in request.target.split(",") if name.strip()]
        keys = []
        for name in asked:
            key = names.asked(name)
            if key is None:
                raise UnknownChoice.among("structure", name, names.shared())
            keys.append(key)
        wanted = list(dict.fromkeys(keys))
    else:
        wanted = names.of_most()
    if not wanted:
        known = names.shared()
        raise BadDataset(
            f"No structure of {folder} has the same name in most patients.",
            remedy=f"Name what to learn with --target. Some have {first_few(known, at_most=_NAMES_SHOWN)}."
            if known
            else "Give the same structure the same name in every patient.",
        )
    if len(wanted) > _AT_MOST_CLASSES:
        raise BadDataset(
            f"{folder} has {len(wanted)} structures that most patients have.",
            remedy=f"Name at most {_AT_MOST_CLASSES} with --target.",
        )
    return wanted


# --- cases ---------------------------------------------------------------------------------------------------


def _cases(
    drafts: Sequence[_Draft],
    names: _Names,
    classes: Sequence[str],
    others: dict[Shown, tuple[Source, ...]],
    root: Path,
) -> tuple[tuple[Case, ...], list[str]]:
    """(cases, notes)"""
    kept: list[tuple[_Draft, Outlines]] = []
    beyond = without = joined = 0
    lacking: Counter[str] = Counter()
    for draft in drafts:
        found: dict[str, list[tuple[Drawn, Named]]] = defaultdict(list)
        for drawn, modality in draft.objects:
            for named in drawn.names:
                found[names.key(named, modality)].append((drawn, named))
        listed = [(value, key) for value, key in enumerate(classes, start=1) if key in found]
        if not listed:
            without += 1
            continue
        rows = [(value, key, *row) for value, key in listed for row in found[key]]
        if draft.grid is not None and not all(named.lies_within(draft.grid) for _, _, _, named in rows):
            beyond += 1
            continue
        lacking.update(key for key in classes if key not in found)
        joined += any(len({drawn.path for drawn, _ in found[key]}) > 1 for _, key in listed)
        outlines = [
            Outline(drawn.path, named.item, value, names.shown(key))
            for value, key, drawn, named in rows
            if named.drawn
        ]
        outlines.sort(key=lambda one: (one.path, one.value))
        kept.append((draft, Outlines(rows[0][2].path, outlines=tuple(outlines), grid=draft.grid)))
    ids = _ids([draft for draft, _ in kept], others, root)
    cases = []
    for (draft, label), (name, place) in zip(kept, ids, strict=True):
        assert draft.shown.source is not None
        cases.append(
            Case(
                id=name,
                patient=draft.shown.patient,
                pictures=(draft.shown.source, *others[draft.shown]),
                label=label,
                split=next((split_of(part) for part in place.parts if split_of(part)), ""),
            )
        )
    notes = []
    for count, why in (
        (without, "have none of the structures that are learnt"),
        (beyond, "were outlined on slices that are not there"),
    ):
        if count:
            notes.append(f"{count} of {len(drafts)} cases {why}, and were left out.")
    for key, count in sorted(lacking.items(), key=lambda row: classes.index(row[0])):
        notes.append(
            f"'{names.shown(key)}' is not named in {count} of {len(kept)} cases: it counts as not there. "
            "If it was merely not drawn, choose other structures with --target."
        )
    if joined:
        notes.append(f"{joined} cases have a structure in several objects: they were joined.")
    return tuple(cases), notes


def _ids(drafts: Sequence[_Draft], others: dict[Shown, tuple[Source, ...]], root: Path) -> list[tuple[str, Path]]:
    """For each case its name and its folder below `root`: the folder that holds all of it, or its picture, where
    that tells the cases apart; else the pseudonym of its patient."""
    whole = [_shared(_files_of(draft, others[draft.shown]), root) for draft in drafts]
    alone = [_shared([one.path.parent for one in draft.shown.series.instances], root) for draft in drafts]
    for places in (whole, alone):
        names = [place.as_posix() for place in places]
        if len(set(names)) == len(names) and "." not in names:
            return list(zip(names, whole, strict=True))
    seen: Counter[str] = Counter()
    named = [""] * len(drafts)
    for n in sorted(range(len(drafts)), key=lambda n: min(drafts[n].shown.instance_uids, default="")):
        patient = drafts[n].shown.patient
        seen[patient] += 1
        named[n] = patient if seen[patient] == 1 else f"{patient} #{seen[patient]}"
    return list(zip(named, whole, strict=True))


def _files_of(draft: _Draft, others: Iterable[Source]) -> list[Path]:
    channels = [source.path if source.path.is_dir() else source.path.parent for source in others]
    pictures = [one.path.parent for one in draft.shown.series.instances]
    return [*pictures, *channels, *(drawn.path.parent for drawn, _ in draft.objects)]


def _shared(folders: Iterable[Path], root: Path) -> Path:
    place = Path(os.path.commonpath(list(folders)))
    return place.relative_to(root) if place.is_relative_to(root) else Path()
