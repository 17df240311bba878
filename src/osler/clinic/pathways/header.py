"""What a header says a picture shows, held against what a model reads.

The tables name what devices write; a word that is in none of them is not understood, and then says nothing.
Sources: DICOM PS3.16 annex L (body parts), PS3.3 C.7.3.1.1.1 (modalities), and what hospitals type.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from osler.core.facts import Facts
from osler.models.card import Sees
from osler.results.sentences import say

# region -> how headers spell it. In a body part, a spelling of four letters or more also counts inside a longer
# word: CHESTABDPELVIS names CHEST and PELVIS. Descriptions are searched for the same words, whole.
REGIONS = {
    "HEAD": ("HEAD", "BRAIN", "SKULL", "CRANIUM", "CEREBRUM", "CEREBRAL", "HIPPOCAMPUS", "NEURO", "SCHAEDEL"),
    "EYE": ("EYE", "EYES", "RETINA", "FUNDUS", "ORBIT", "MACULA"),
    "JAW": ("JAW", "TEETH", "TOOTH", "MANDIBLE", "MAXILLA", "DENTAL", "PANORAMIC"),
    "NECK": ("NECK", "THYROID", "LARYNX", "HALS"),
    "CHEST": ("CHEST", "THORAX", "LUNG", "LUNGS", "TORAX", "CXR", "TORACE", "POUMON"),
    "HEART": ("HEART", "CARDIAC", "CORONARY"),
    "BREAST": ("BREAST", "MAMMO", "MAMMA", "MAMMOGRAPHY", "MAMMOGRAM"),
    "ABDOMEN": (
        "ABDOMEN", "ABD", "ABDO", "LIVER", "KIDNEY", "PANCREAS", "SPLEEN", "BOWEL", "COLON", "STOMACH", "KUB",
    ),
    "PELVIS": ("PELVIS", "PROSTATE", "BLADDER", "UTERUS", "RECTUM", "BECKEN"),
    "SPINE": ("SPINE", "LUMBAR", "VERTEBRA", "SACRUM", "COCCYX", "WIRBELSAEULE"),
    "SHOULDER": ("SHOULDER", "CLAVICLE", "SCAPULA", "HUMERUS"),
    "ARM": ("ARM", "ELBOW", "FOREARM", "RADIUS", "ULNA"),
    "HAND": ("HAND", "WRIST", "FINGER", "THUMB"),
    "HIP": ("HIP", "HIPS"),
    "KNEE": ("KNEE", "PATELLA"),
    "LEG": ("LEG", "LEGS", "TIBIA", "FIBULA", "FEMUR", "THIGH", "CALF"),
    "FOOT": ("FOOT", "FEET", "ANKLE", "TOE", "TOES", "CALCANEUS", "HEEL"),
    "SKIN": ("SKIN",),
    "EXTREMITY": ("EXTREMITY", "EXTREMITIES", "LIMB"),
    "WHOLEBODY": ("WHOLEBODY", "WHOLE BODY", "POLYTRAUMA"),
}  # fmt: skip

# A region that holds others: it neither proves nor rules out one of them.
HOLDS = {
    "EXTREMITY": frozenset({"SHOULDER", "ARM", "HAND", "HIP", "KNEE", "LEG", "FOOT"}),
    "WHOLEBODY": frozenset(REGIONS),
    "CHEST": frozenset({"HEART", "BREAST"}),
    "HEAD": frozenset({"EYE", "JAW"}),
}

# Modalities that take the same kind of picture; a model for one reads the others.
FAMILIES = (
    frozenset({"CR", "DX", "DR", "RG", "XR"}),
    frozenset({"OP", "XC"}),
    frozenset({"PT", "PET"}),
    frozenset({"MR", "MRI"}),
)
SAYS_NOTHING = frozenset({"", "OT", "SC", "DOC"})  # other, secondary capture
SHOWS_BY_ITSELF = {"OP": "EYE", "OPT": "EYE", "MG": "BREAST", "PX": "JAW", "IO": "JAW"}

VIEWS = {
    "frontal": frozenset({"PA", "AP", "FRONTAL"}),
    "lateral": frozenset({"LATERAL", "LAT", "LL", "RL", "LLAT", "RLAT", "ML", "LM"}),
    "oblique": frozenset({"OBLIQUE", "LAO", "RAO", "LPO", "RPO", "LLO", "RLO"}),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one header agrees with what a model reads.

    support  2: the body part is the right one; 1: the modality is; 0: the header does not say
    against  why the model may not read it, "" when nothing speaks against
    silent   what the header does not say although the model cares: "modality", "body part", "view"
    odd      a sentence where the header contradicts itself, or ""
    """

    support: int
    against: str = ""
    silent: tuple[str, ...] = ()
    odd: str = ""


def agreement(facts: Facts, sees: Sees, *, modality: str = "", asked: bool = False) -> Agreement:
    """Hold the header of one picture against what a model reads.

    modality  of the one channel of a model that reads several; "" takes those of `sees`
    asked     somebody named the model: then a card that says nothing is enough
    """
    silent: list[str] = []
    support = 0
    wanted = (modality,) if modality else sees.modalities
    if wanted and facts.modality in SAYS_NOTHING:
        silent.append("modality")
    elif wanted and not any(same_modality(facts.modality, one) for one in wanted):
        return Agreement(0, say("against.modality", said=facts.modality, wanted=_listed(wanted)))
    elif wanted:
        support = 1

    shown, odd = regions_of(facts)
    reads = _regions_read(sees)
    if facts.body_part in reads:  # a part that is in no table, spelled alike on card and header
        shown = shown | {facts.body_part}
    if reads and not shown:
        silent.append("body part")
    elif reads and shown & reads:
        support = 2
    elif reads and shown and not _may_hold(shown, reads):
        said = _listed(sorted(shown))
        return Agreement(0, say("against.body_part", said=said, wanted=_listed(sees.body_parts)))
    elif shown and not reads and not wanted and not asked:
        return Agreement(0, say("against.silent_card", said=_listed(sorted(shown))))

    if sees.views:
        view, name = view_of(facts)
        if not view:
            silent.append("view")
        elif view not in (kinds := {kind for one in sees.views if (kind := _view(one))}) and kinds:
            return Agreement(0, say("against.view", said=name, wanted=_listed(sees.views)))
    return Agreement(support, "", tuple(silent), odd)


def same_modality(one: str, other: str) -> bool:
    """Do both modalities take the same kind of picture?

    >>> same_modality("CR", "DX"), same_modality("CT", "MR")
    (True, False)
    """
    return one == other or any(one in family and other in family for family in FAMILIES)


def regions_of(facts: Facts) -> tuple[frozenset[str], str]:
    """The regions a header names, and a sentence where its body part and its description contradict each other.

    The body part counts first, then what the modality always shows, then the description's words.

    >>> regions_of(Facts(body_part="CHEST PA"))[0]
    frozenset({'CHEST'})
    >>> regions_of(Facts(description="tibia left"))[0]
    frozenset({'LEG'})
    """
    described = _regions(facts.description, inside=False)
    stated = _regions(facts.body_part)
    if not stated and facts.modality in SHOWS_BY_ITSELF:
        stated = frozenset({SHOWS_BY_ITSELF[facts.modality]})
    if not stated:
        return described, ""
    if _may_hold(stated, described):
        return stated | described, ""  # "EXTREMITY" and "tibia": the description is the finer one
    if described and not described & stated:
        return stated, say("odd.body_part", said=_listed(sorted(stated)), described=_listed(sorted(described)))
    return stated, ""


def view_of(facts: Facts) -> tuple[str, str]:
    """The kind of view ("frontal", "lateral", "oblique", "" when not said) and the header's word for it."""
    if kind := _view(facts.view):
        return kind, facts.view
    # A study is often called "chest pa and lateral": only one kind of view in the description says something.
    kinds = {kind for word in _words(facts.description) if (kind := _view(word)) and len(word) > 1}
    return (kind := kinds.pop(), kind) if len(kinds) == 1 else ("", "")


def _view(text: str) -> str:
    words = _words(text)
    for kind in ("lateral", "oblique", "frontal"):  # "AP OBLIQUE" is oblique
        if any(word in VIEWS[kind] for word in words):
            return kind
    return ""


def _regions(text: str, *, inside: bool = True) -> frozenset[str]:
    words = _words(text)
    whole = " ".join(words)
    found = set()
    for region, spellings in REGIONS.items():
        for spelling in spellings:
            within = inside and len(spelling) >= 4 and any(spelling in word for word in words)
            if within or spelling in words or (" " in spelling and spelling in whole):
                found.add(region)
    return frozenset(found)


def _regions_read(sees: Sees) -> frozenset[str]:
    """The regions on a card; a part that is in no table stands for itself."""
    found: set[str] = set()
    for part in sees.body_parts:
        found |= _regions(part) or {part.upper()}
    return frozenset(found)


def _may_hold(shown: frozenset[str], reads: frozenset[str]) -> bool:
    """Is one of the regions part of one of the others?"""
    return any(HOLDS.get(one, frozenset()) & reads for one in shown) or any(
        HOLDS.get(one, frozenset()) & shown for one in reads
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.upper())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
