"""What goes out: one reading of one study."""

from dataclasses import dataclass

from osler.core.arrays import Array
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
    """Which model was used: name, version and the digest of its weights, and what its card says of limits."""

    name: str
    version: str
    digest: str
    sees: str
    not_for: tuple[str, ...]
    licence: str
    tested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class KeyPicture:
    """A picture for the report: (rows, columns, 3) uint8, with what it shows."""

    title: str
    pixels: Array


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What a model drew on one picture of the study.

    picture      index of the study's picture, on whose grid the mask lies
    mask         its labels; a finding names its own in `Finding.label`
    probability  (labels, *mask's shape) float, 0 to 1, in the order of the mask's labels: how likely each voxel is
                 each label; None where the model gives none
    outer, inner  masks on the same grid with the same labels, where the model promises them: in the expected
                  patient the outer one misses at most the share `risk` of each label, and at most `risk` of the
                  inner one is not the label; None where there is no promise
    """

    picture: int
    mask: Mask
    probability: Array | None = None
    outer: Mask | None = None
    inner: Mask | None = None
    risk: float | None = None


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
