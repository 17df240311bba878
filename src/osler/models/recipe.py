"""How a picture becomes a tensor: the numbers, stored with the weights. Training and reading use the same."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Normalization:
    """How numbers of one channel are brought to about -1 .. 1.

    how        "clip": clip to low..high, then (x - mean) / std; numbers from the training foreground (CT)
               "zscore": each picture by its own mean and deviation (MR and whatever has no unit)
               "percentile": each picture's low..high percentiles to -1..1, clipped (radiographs)
               "fixed": (x - mean) / std with the training set's numbers (8-bit pictures, PET in SUV)
    low, high  values for "clip", percentiles 0-100 for "percentile"
    mean, std  for "clip" and "fixed"; three numbers each for colour
    """

    how: str
    low: float = 0.0
    high: float = 0.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Channel:
    """One picture of a case: its name, its modality and how it is normalized."""

    name: str
    modality: str
    normalization: Normalization


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the pictures of a case become one tensor (channels, *size).

    dims       2: images (rows, columns); 3: volumes (slices, rows, columns)
    colour     the images have red, green and blue
    channels   one row a picture, in order
    whole      True: the whole picture is brought to `size`; False: windows of `size` slide over it
    size       of the tensor, along (slices,) rows, columns
    fit        whole pictures: "stretch" to size, or "pad" to keep the sides' ratio
    spacing    windows: millimetres along the axes the volume is resampled to; None leaves the grid
    reference  index of the channel whose grid the answer is given on
    target_mean, target_std  regression only: the answer is output x std + mean
    """

    dims: int
    colour: bool
    channels: tuple[Channel, ...]
    whole: bool
    size: tuple[int, ...]
    fit: str = "stretch"
    spacing: tuple[float, ...] | None = None
    reference: int = 0
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def planes(self) -> int:
        """First axis of the tensor: three a colour picture, one a grey picture or volume."""
        return len(self.channels) * (3 if self.colour else 1)
