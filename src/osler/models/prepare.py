"""Pictures in, one tensor out, and the way back to the grid that came in."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.errors import AskedWrongly, BadGeometry, BadPixels
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.mask import Mask
from osler.core.study import Picture
from osler.core.volume import Volume
from osler.imaging.resample import resample_to, resize
from osler.imaging.shear import straight_grid, straightened
from osler.models.recipe import Normalization, Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A case ready for the net.

    array     (planes, *spatial) float32; spatial is the recipe's size for whole pictures, any for windows
    geometry  of the tensor's voxels; None for flat pictures and stretched volumes
    native    the picture whose grid the answer is given on
    inside    whole flat pictures padded to keep their ratio: the part of the tensor that holds the picture
    """

    array: Array
    geometry: Geometry | None
    native: Picture
    inside: tuple[slice, ...]


def prepare(pictures: Sequence[Picture], recipe: Recipe) -> Prepared:
    """Bring the pictures of one case to the tensor that the net of `recipe` takes.

    pictures  one a channel, in the recipe's order
    Raises AskedWrongly for another number or kind of pictures, BadPixels for NaN or nothing at all.
    """
    if len(pictures) != len(recipe.channels):
        names = ", ".join(channel.name for channel in recipe.channels)
        raise AskedWrongly(
            f"The model needs {len(recipe.channels)} pictures a case ({names}), not {len(pictures)}.",
            remedy="Give them in this order, separated by commas.",
        )
    for picture in pictures:
        if isinstance(picture, Volume) != (recipe.dims == 3):
            raise AskedWrongly(
                f"The model reads {'volumes' if recipe.dims == 3 else 'flat images'}, this is the other kind.",
                remedy="Choose a model made for such pictures: see `osler models list`.",
            )
        if not np.isfinite(picture.array).all():
            raise BadPixels("The picture holds NaN or infinite values.", remedy="Repair or export it again.")
    native = pictures[recipe.reference]
    if recipe.dims == 2:
        planes = [_planes(p, recipe) for p in pictures if isinstance(p, Image)]
        tensor, inside = _whole_image(planes, recipe, native.array.shape[:2])
        return Prepared(tensor, None, native, inside)
    volumes = [p for p in pictures if isinstance(p, Volume)]
    if recipe.whole:
        grids = [
            resize(normalized(straightened(v).array, c.normalization), recipe.size)
            for v, c in zip(volumes, recipe.channels, strict=True)
        ]
        return Prepared(np.stack(grids), None, native, tuple(slice(0, n) for n in recipe.size))
    geometry = window_geometry(volumes[recipe.reference].geometry, recipe)
    grids = [
        _onto(v, normalized(v.array, c.normalization), geometry)
        for v, c in zip(volumes, recipe.channels, strict=True)
    ]
    return Prepared(np.stack(grids), geometry, native, tuple(slice(0, n) for n in geometry.shape))


def prepare_mask(mask: Mask, prepared: Prepared, recipe: Recipe) -> Array:
    """The labels on the prepared grid, nearest neighbour, uint8.

    Raises BadGeometry when the mask does not lie on the grid of the picture it belongs to.
    """
    native = prepared.native
    if isinstance(native, Image):
        if mask.array.shape != native.array.shape[:2]:
            raise BadGeometry(
                f"The mask {mask.array.shape} and its picture {native.array.shape[:2]} have different sizes.",
                remedy="Export the mask on the grid of its picture.",
            )
        canvas = np.zeros(recipe.size, np.uint8)
        extent = (
            prepared.inside[0].stop - prepared.inside[0].start,
            prepared.inside[1].stop - prepared.inside[1].start,
        )
        canvas[prepared.inside] = resize(mask.array, extent, nearest=True)
        return canvas
    if mask.geometry is None or not mask.geometry.matches(native.geometry, tolerance_mm=1.0):
        raise BadGeometry(
            f"The mask {mask.array.shape} does not lie on the grid of its picture {native.array.shape}.",
            remedy="Export the mask on the grid of its picture.",
        )
    if prepared.geometry is None:
        return resize(mask.array, recipe.size, nearest=True).astype(np.uint8)
    if prepared.geometry.matches(native.geometry):
        return mask.array.astype(np.uint8)
    return resample_to(mask.array, native.geometry, prepared.geometry, nearest=True).astype(np.uint8)


def restore(probabilities: Array, prepared: Prepared) -> Array:
    """Class probabilities (classes, *prepared spatial) back on the native grid, (classes, *native spatial)."""
    native = prepared.native
    if isinstance(native, Image):
        rows, columns = native.array.shape[:2]
        return np.stack([resize(p[prepared.inside], (rows, columns)) for p in probabilities])
    if prepared.geometry is None:
        return np.stack([resize(p, native.geometry.shape) for p in probabilities])
    if prepared.geometry.matches(native.geometry):
        return probabilities
    return np.stack([resample_to(p, prepared.geometry, native.geometry) for p in probabilities])


def window_geometry(native: Geometry, recipe: Recipe) -> Geometry:
    """The grid that windows slide over: the native box at the recipe's spacing, at right angles.

    A tilted gantry makes a sheared grid, on which a net would see every organ leaning.
    """
    native = straight_grid(native)
    if recipe.spacing is None:
        return native
    spacing = (recipe.spacing[0], recipe.spacing[1], recipe.spacing[2])
    if all(abs(a / b - 1) < 0.05 for a, b in zip(native.spacing, spacing, strict=True)):
        return native  # resampling by less than 5 % costs sharpness and buys nothing
    s, r, c = (
        max(1, round(n * old / new)) for n, old, new in zip(native.shape, native.spacing, spacing, strict=True)
    )
    return native.with_grid((s, r, c), spacing)


def normalized(array: Array, rule: Normalization) -> Array:
    """The numbers of one channel by `rule`, float32, same shape."""
    values = np.asarray(array, np.float32)
    if rule.how == "clip":
        return np.asarray((np.clip(values, rule.low, rule.high) - rule.mean[0]) / rule.std[0], np.float32)
    if rule.how == "zscore":
        return np.asarray((values - values.mean()) / max(float(values.std()), 1e-6), np.float32)
    if rule.how == "percentile":
        low, high = np.percentile(values, (rule.low, rule.high))
        spread = max(float(high - low), 1e-6)
        return np.asarray(np.clip((values - low) / spread, 0, 1) * 2 - 1, np.float32)
    mean, std = np.asarray(rule.mean, np.float32), np.asarray(rule.std, np.float32)
    return np.asarray((values - mean) / std, np.float32)


def _planes(image: Image, recipe: Recipe) -> Array:
    """Grey made colour or colour made grey, as the recipe wants it; (rows, columns[, 3])."""
    array = image.array
    if recipe.colour and not image.colour:
        return np.repeat(array[..., None], 3, axis=2)
    if not recipe.colour and image.colour:
        # ITU-R BT.601 luma, the weights every grey conversion of 8-bit pictures uses.
        return np.asarray(np.asarray(array, np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))
    return array


def _whole_image(
    planes: Sequence[Array], recipe: Recipe, native: tuple[int, ...]
) -> tuple[Array, tuple[slice, ...]]:
    """Each plane to the recipe's size; padding is the normalized darkest value of the plane."""
    height, width = recipe.size
    if recipe.fit == "pad":
        scale = min(height / native[0], width / native[1])
        extent = (max(1, round(native[0] * scale)), max(1, round(native[1] * scale)))
    else:
        extent = (height, width)
    top, left = (height - extent[0]) // 2, (width - extent[1]) // 2
    inside = (slice(top, top + extent[0]), slice(left, left + extent[1]))
    tensor = []
    for plane, channel in zip(planes, recipe.channels, strict=True):
        small = normalized(resize(plane, extent), channel.normalization)
        for layer in [small] if small.ndim == 2 else np.moveaxis(small, 2, 0):
            canvas = np.full(recipe.size, layer.min(), np.float32)
            canvas[inside] = layer
            tensor.append(canvas)
    return np.stack(tensor), inside


def _onto(volume: Volume, array: Array, geometry: Geometry) -> Array:
    if volume.geometry.matches(geometry):
        return array
    return resample_to(array, volume.geometry, geometry, fill=float(array.min())).astype(np.float32)
