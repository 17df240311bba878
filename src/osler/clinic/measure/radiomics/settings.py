"""How a region is prepared for its features. Features made with other settings cannot be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.registry import Registry

SPACES = ("2D", "2.5D", "3D")
MOST_BINS = 2048


@dataclass(frozen=True, slots=True)
class Bins:
    """How intensities become grey levels 1, 2, ...: bins of one size, or a number of bins. Exactly one of both.

    size   width of a bin, in the picture's unit (IBSI: fixed bin size)
    start  lower edge of the first bin of a fixed size; None: the region's lowest intensity. What lies below goes
           into the first bin
    count  bins between the region's lowest and highest intensity (IBSI: fixed bin number)
    """

    size: float | None = None
    start: float | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        if (self.size is None) == (self.count is None) or (self.count is not None and self.start is not None):
            raise AskedWrongly(
                "Bins are given by their size, or by their count.",
                remedy='Write {"size": 25, "start": -1000} or {"count": 32}.',
            )
        if (self.size is not None and not self.size > 0) or (
            self.count is not None and not 1 <= self.count <= MOST_BINS
        ):
            raise AskedWrongly(
                "Bins need a size above zero, or a count.", remedy=f"Give a count of 1 to {MOST_BINS}."
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """From a picture and a mask to grey levels.

    spacing_mm     (slices, rows, columns) of the grid that features are computed on; 0 keeps an axis as it is
    interpolation  "linear" or "cubic", of the picture; the mask is always linear and kept at .5 and above
    rounded        intensities are rounded to whole numbers first and after interpolation, as CT's are stored
    between        intensities outside [low, high] leave the region (but not its shape); None: all stay
    sigmas         intensities farther than so many standard deviations from the mean leave it; None: all stay
    bins           grey levels of the intensity histogram and of texture
    volume_bins    those of the intensity-volume histogram; None: intensities as they are, in whole steps
    spaces         where neighbours are looked for: "2D" slice by slice, averaged; "2.5D" in slices, merged; "3D"
    unit           what the ranges and sizes are in: a picture in another unit is refused; "": they suit any
    """

    spacing_mm: tuple[float, float, float] = (0, 0, 0)
    interpolation: str = "linear"
    rounded: bool = False
    between: tuple[float, float] | None = None
    sigmas: float | None = None
    bins: Bins = Bins(count=32)
    volume_bins: Bins | None = Bins(count=1000)
    spaces: tuple[str, ...] = ("3D",)
    unit: str = ""

    def __post_init__(self) -> None:
        if self.interpolation not in ("linear", "cubic"):
            raise UnknownChoice.among("interpolation", self.interpolation, ("linear", "cubic"))
        for space in self.spaces:
            if space not in SPACES:
                raise UnknownChoice.among("space", space, SPACES)
        if not self.spaces or len(self.spacing_mm) != 3 or not all(0 <= s < 1000 for s in self.spacing_mm):
            raise AskedWrongly(
                "Features need three spacings in mm and at least one space.",
                remedy='Write "spacing_mm": [2, 2, 2], with 0 for an axis that stays, and "spaces": ["3D"].',
            )
        if self.between is not None and not self.between[0] < self.between[1]:
            raise AskedWrongly("The range of intensities is empty.", remedy='Write "between": [low, high].')
        if self.sigmas is not None and not self.sigmas > 0:
            raise AskedWrongly("Outliers need a number of standard deviations.", remedy='Write "sigmas": 3.')


_CT = Settings(rounded=True, unit="HU")
_BY_SLICE = ("2D", "2.5D")
SETTINGS: Registry[Settings] = Registry(
    "settings of features",
    # One bin of 25 HU means the same in every patient; -1000 HU is air. Nothing leaves the region.
    ct=replace(_CT, spacing_mm=(2, 2, 2), bins=Bins(size=25, start=-1000), volume_bins=None),
    # Most MR has no unit, so levels are relative to the region; 3 sigma takes off spikes of vessels and artefacts.
    mr=Settings(spacing_mm=(1, 1, 1), sigmas=3),
    # Half a SUV a bin, counted from zero, so that a bin means the same in every patient (Leijenaar, Sci Rep 2015).
    pet=Settings(
        spacing_mm=(3, 3, 3), bins=Bins(size=0.5, start=0), volume_bins=Bins(size=0.1, start=0), unit="SUV"
    ),
    **{
        "ibsi-digital": Settings(bins=Bins(size=1), volume_bins=None, spaces=SPACES),
        "ibsi-a": replace(
            _CT, between=(-500, 400), bins=Bins(size=25, start=-500), volume_bins=None, spaces=_BY_SLICE
        ),
        "ibsi-b": replace(
            _CT, spacing_mm=(0, 2, 2), between=(-500, 400), bins=Bins(count=32), volume_bins=None, spaces=_BY_SLICE
        ),
        "ibsi-c": replace(
            _CT,
            spacing_mm=(2, 2, 2),
            between=(-1000, 400),
            bins=Bins(size=25, start=-1000),
            volume_bins=Bins(size=2.5, start=-1000),
        ),
        "ibsi-d": replace(_CT, spacing_mm=(2, 2, 2), sigmas=3, bins=Bins(count=32), volume_bins=None),
        "ibsi-e": replace(
            _CT,
            spacing_mm=(2, 2, 2),
            interpolation="cubic",
            between=(-1000, 400),
            sigmas=3,
            bins=Bins(count=32),
            volume_bins=Bins(count=1000),
        ),
    },
)


def settings_from(written: Mapping[str, Any]) -> Settings:
    """Settings from the fields of a JSON object; "like" names the ones to begin with, the others are changed.

    Raises UnknownChoice for a field or a name that there is none of, AskedWrongly for a value without sense.

    >>> settings_from({"like": "ct", "bins": {"count": 64}}).bins
    Bins(size=None, start=None, count=64)
    """
    wishes = dict(written)
    like = wishes.pop("like", None)
    base = SETTINGS[str(like)] if like is not None else Settings()
    known = [one.name for one in fields(Settings)]
    for name in wishes:
        if name not in known:
            raise UnknownChoice.among("setting of features", name, [*known, "like"])
    try:
        for name in ("bins", "volume_bins"):
            if isinstance(wishes.get(name), Mapping):
                wishes[name] = Bins(**wishes[name])
        for name in ("spacing_mm", "between"):
            if wishes.get(name) is not None:
                wishes[name] = tuple(float(number) for number in wishes[name])
        if "spaces" in wishes:
            wishes["spaces"] = tuple(wishes["spaces"])
        made = replace(base, **wishes)
    except (TypeError, ValueError) as error:
        raise AskedWrongly(
            "The settings of features hold a value of the wrong kind.",
            remedy=f"Compare with the example in docs/how-to/measure.md: {error}.",
        ) from error
    if not isinstance(made.unit, str) or not isinstance(made.rounded, bool):
        raise AskedWrongly('"unit" is a text, "rounded" is true or false.', remedy="See docs/how-to/measure.md.")
    if not isinstance(made.bins, Bins) or not isinstance(made.volume_bins, Bins | None):
        raise AskedWrongly("Bins are an object.", remedy='Write {"size": 25, "start": -1000} or {"count": 32}.')
    return made


def settings_for(modality: str, unit: str) -> str | None:
    """The name of the settings that suit a picture; None where its header does not say what it is.

    modality  DICOM spelling; unit  of its intensities, "HU", "SUV" or ""

    A PET in Bq/ml gets none: its bins would be of SUV.
    """
    if unit == "HU" or modality == "CT":
        return "ct"
    if unit == "SUV":
        return "pet"
    return "mr" if modality == "MR" else None
