"""What goes out: one reading of one study."""

from dataclasses import dataclass

from osler.core.arrays import Array
from osler.core.conclusion import Conclusion, Priority
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.mask import Mask

NOT_A_DEVICE = "Decision support for research, not a medical device. A qualified person decides."


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a study was declined, or what to mind when reading the report.

    what    the sentence a person reads
    remedy  what to do about it
    check   the name of the check that said so
    """

    what: str
    remedy: str
    check: str


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Which model was used: name, version and the digest of its weights, and what its card says of limits.

    version  "" for outlines that came with the request: somebody drew them, and no model was asked
    """

    name: str
    version: str
    digest: str
    sees: str
    not_for: tuple[str, ...]
    licence: str
    tested: tuple[str, ...] = ()

    @property
    def given(self) -> bool:
        """Did outlines that came with the request stand in for a model?"""
        return not self.version


@dataclass(frozen=True, slots=True, eq=False)
class KeyPicture:
    """A picture for the report: (rows, columns, 3) uint8, with what it shows."""

    title: str
    pixels: Array


@dataclass(frozen=True, slots=True)
class Reason:
    """What can be said of why a model gave an answer, by one way of explaining.

    way        "gradcam", "finer", "gradients", "occlusion" or "similar"
    about      what is explained, as the report calls it: "Pneumonia", "Grade 2 or worse"
    statement  the sentences a person reads, the checks of the map among them
    pictures   indices of the key pictures that show the map; () where it failed a check, or there is none
    figures    of the checks, by name: (("share hidden", .15), ...)
    """

    way: str
    about: str
    statement: str
    pictures: tuple[int, ...] = ()
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What a model drew on one picture of the study.

    picture      index of the study's picture, on whose grid the mask lies
    mask         its labels; a finding names its own in `Finding.label`
    probability  (labels, *mask's shape) float, 0 to 1, in the order of the mask's labels: how likely each voxel is
                 each label; None where the model gives none
    outer, inner  where the model promises more: one probability a label, in the same order, from which on a voxel
                  belongs to the label's outer or inner mask; None: no promise of that label; (): of none
    risk          in the expected patient the outer mask misses at most this share of the label, and at most this
                  share of the inner mask is not the label

    Outer masks of neighbours overlap, which labels on one grid cannot: so the numbers are kept, and masks made of
    them where they are needed.
    """

    picture: int
    mask: Mask
    probability: Array | None = None
    outer: tuple[float | None, ...] = ()
    inner: tuple[float | None, ...] = ()
    risk: float | None = None

    def outer_of(self, label: int) -> Array | None:
        """The outer mask of a label, booleans of the mask's shape; None where none is promised.

        It always holds the mask: a voxel more can only miss less.
        """
        row, least = self._promise(label, self.outer)
        if self.probability is None or least is None:
            return None
        held: Array = (self.probability[row] >= least) | self.mask.of(label)
        return held

    def inner_of(self, label: int) -> Array | None:
        """The inner mask of a label, likewise; never more than the mask.

        From one half on a label is the likeliest, and the promise stands for every higher probability too.
        """
        row, least = self._promise(label, self.inner)
        if self.probability is None or least is None:
            return None
        sure: Array = self.probability[row] >= max(least, 0.5)
        return sure

    def _promise(self, label: int, of: tuple[float | None, ...]) -> tuple[int, float | None]:
        row = list(self.mask.labels).index(label)
        return row, of[row] if of else None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One reading of one study.

    study          the study's name (of its file or folder), never a person's
    study_uid      Study Instance UID, ""
    facts          what the header says
    pathway        which clinical use read it, "" when none could
    declined       why no answer is given; findings are then empty
    cautions       what to mind
    findings       what is said
    key_pictures   pictures with the overlay
    models         what was used
    seconds        per stage: (("quality", .02), ...)
    software       "osler 0.1.0"
    created        ISO 8601, UTC
    uid            of this reading, "2.25.": every object written of it has UIDs made from this one
    drawings       masks, one for each picture on which something was outlined
    reasons        why the model said so, as far as that can be told; () where it was not asked or declined
    conclusions    what follows from the findings by published rules; those that may not be used here say why
    priority       how soon a person should look at it; None where nothing says so
    language       of its sentences: "en", "zh"
    """

    study: str
    study_uid: str
    facts: Facts
    pathway: str
    declined: tuple[Problem, ...]
    cautions: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    key_pictures: tuple[KeyPicture, ...]
    models: tuple[ModelUse, ...]
    seconds: tuple[tuple[str, float], ...]
    software: str
    created: str
    uid: str = ""
    drawings: tuple[Drawing, ...] = ()
    reasons: tuple[Reason, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    priority: Priority | None = None
    language: str = "en"
