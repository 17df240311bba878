"""Made-up patients: small CT volumes of an abdomen that nobody has, with known answers."""

from dataclasses import dataclass

import numpy as np

from osler.core.arrays import Array
from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.mask import Mask
from osler.core.volume import Volume
from osler.phantoms.noise import clouds

LABELS = {1: "organ", 2: "lesion"}


@dataclass(frozen=True, slots=True)
class _Space:
    """The body's own coordinates on the grid: -1 to 1 from edge to edge, bent a little for each patient.

    head, back, left  (slices, rows, columns) each; mm holds half the extent along the same axes
    """

    head: Array
    back: Array
    left: Array
    mm: tuple[float, float, float]

    def ball(
        self, centre: tuple[float, float, float], radius_mm: tuple[float, float, float], power: float = 2
    ) -> Array:
        """Distance from a centre in units of the radii: below 1 is inside the ellipsoid."""
        out = np.zeros_like(self.head)
        for axis, middle, half, radius in zip(
            (self.head, self.back, self.left), centre, self.mm, radius_mm, strict=True
        ):
            out += np.abs((axis - middle) * half / radius) ** power
        return out


def made_up_patient(
    seed: int,
    *,
    shape: tuple[int, int, int] = (40, 56, 48),
    spacing: tuple[float, float, float] = (2.5, 1.5, 1.5),
    lesions: int | None = None,
) -> tuple[Volume, Mask]:
    """A CT volume in HU and its mask: 1 the organ, 2 the lesions inside it. The same seed gives the same patient.

    shape, spacing  (slices, rows, columns), mm
    lesions         how many; None draws 0 to 2

    The organ is as bright as its neighbours and lesions are as dark as the bowel beside it, so that no threshold
    finds either; size, place, form, contrast, sharpness and noise differ from patient to patient.
    """
    from scipy import ndimage

    draw = np.random.default_rng([seed, 40])
    space = _bent_space(draw, shape, spacing)
    organ_hu = draw.uniform(55, 115)  # contrast phase
    hu, cavity = _surroundings(draw, space, organ_hu)

    place = (draw.uniform(-0.15, 0.15), draw.uniform(-0.18, -0.02), draw.uniform(-0.42, -0.3))
    size = tuple(draw.uniform(0.85, 1.15) * r for r in (27.0, 20.0, 16.0))
    organ = space.ball(place, (size[0], size[1], size[2])) < 1
    # A second lobe across the middle, thinner: the outline is then no ellipsoid.
    lobe = (place[0] + draw.uniform(0.05, 0.2), place[1] - 0.2, place[2] + draw.uniform(0.3, 0.4))
    organ |= space.ball(lobe, (size[0] * 0.55, size[1] * 0.5, size[2] * 0.95)) < 1
    organ &= cavity
    hu[organ] = organ_hu + 3 * clouds(draw, shape, 4)[organ]
    hu[organ & (np.abs(clouds(draw, shape, 5)) < 0.09)] += draw.uniform(15, 40)  # vessels

    labels = organ.astype(np.uint8)
    wanted = int(draw.choice(3, p=(0.2, 0.4, 0.4))) if lesions is None else lesions
    for lesion in _lesions(draw, organ, spacing, wanted):
        labels[lesion] = 2
        hu[lesion] = organ_hu - draw.uniform(35, 60) + 3 * clouds(draw, shape, 6)[lesion]

    sharp = draw.uniform(0.35, 0.75)  # voxels in the plane; slices blur less, they are thick already
    hu = ndimage.gaussian_filter(hu, (sharp / 2, sharp, sharp))
    grain = ndimage.gaussian_filter(draw.normal(size=shape).astype(np.float32), (0, 0.6, 0.6))
    hu += grain / grain.std() * draw.uniform(8, 16)

    extent = [n * mm for n, mm in zip(shape, spacing, strict=True)]
    origin = tuple(float((mm - e) / 2) for e, mm in zip(extent[::-1], spacing[::-1], strict=True))
    geometry = Geometry.from_spacing(shape, spacing, (origin[0], origin[1], origin[2]))
    facts = Facts(
        modality="CT",
        body_part="ABDOMEN",
        sex=("F", "M")[int(draw.integers(2))],
        age_years=float(draw.integers(30, 85)),
        manufacturer="Osler phantoms",
        description="made-up abdomen",
    )
    array = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return Volume(array, geometry, unit="HU", facts=facts), Mask(labels, dict(LABELS), geometry=geometry)


def _bent_space(
    draw: np.random.Generator, shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> _Space:
    axes = np.meshgrid(*[(np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1 for n in shape], indexing="ij")
    bent = [axis + 0.025 * clouds(draw, shape, 3) for axis in axes]
    s, r, c = (n * mm / 2 for n, mm in zip(shape, spacing, strict=True))
    # Organs are sized for a box of 100 x 84 x 72 mm; other boxes scale them, as other patients would.
    scale = min(s / 50, r / 42, c / 36)
    return _Space(bent[0], bent[1], bent[2], (s / scale, r / scale, c / scale))


def _surroundings(draw: np.random.Generator, space: _Space, organ_hu: float) -> tuple[Array, Array]:
    """HU of everything but the organ, and where organs may lie."""
    _, half_r, half_c = space.mm
    radii = (1e6, half_r * draw.uniform(0.8, 0.92), half_c * draw.uniform(0.84, 0.94))
    body = space.ball((0, 0, 0), radii, power=2.3)
    inner = draw.uniform(0.74, 0.86)
    hu = np.full(body.shape, -1000, np.float32)
    hu[body < 1] = -105 + 4 * clouds(draw, body.shape, 6)[body < 1]  # fat under the skin
    hu[(body < 1) & (body > 0.95)] = -10  # skin
    hu[body < inner] = 50  # muscle wall
    hu[body < inner - 0.12] = -90 + 8 * clouds(draw, body.shape, 5)[body < inner - 0.12]  # fat between organs
    cavity = body < inner - 0.1

    spine = space.ball((0, 0.62, 0), (1e6, 8.5, 9))
    hu[spine < 1] = draw.uniform(160, 260)
    hu[(spine < 1) & (spine > 0.72)] = draw.uniform(400, 650)
    hu[space.ball((0, 0.75, 0), (1e6, 3, 3.4)) < 1] = 25  # canal
    hu[space.ball((0, 0.34, draw.uniform(0.02, 0.14)), (1e6, 4.5, 4.5)) < 1] = organ_hu + draw.uniform(40, 110)
    for side in (-1, 1):
        muscle = (0.0, 0.6, side * 0.38)
        hu[space.ball(muscle, (1e6, 8, 7)) < 1] = draw.uniform(45, 60)
        kidney = (draw.uniform(-0.3, 0.3), 0.36, side * draw.uniform(0.44, 0.56))
        whole = space.ball(kidney, (draw.uniform(18, 24), 8, 7)) < 1
        hu[whole & cavity] = organ_hu + draw.uniform(-5, 55)
    spleen = space.ball((draw.uniform(0.1, 0.5), 0.05, 0.6), (draw.uniform(16, 24), 14, 7)) < 1
    hu[spleen & cavity] = organ_hu + draw.uniform(-15, 20)  # the organ's double
    for _ in range(int(draw.integers(5, 9))):  # bowel: the lesions' double
        place = (draw.uniform(-0.9, 0.9), draw.uniform(-0.6, 0.1), draw.uniform(0, 0.6))
        radius = draw.uniform(4, 8)
        loop = space.ball(place, (radius * draw.uniform(1, 2), radius, radius))
        hu[(loop < 1) & cavity] = draw.uniform(15, 60)
        if draw.random() < 0.4:
            hu[(loop < 0.4) & cavity] = -700  # gas
    return hu, cavity


def _lesions(
    draw: np.random.Generator, organ: Array, spacing: tuple[float, float, float], wanted: int
) -> list[Array]:
    """Where the lesions are: bumpy balls, wholly inside the organ."""
    from scipy import ndimage

    depth = ndimage.distance_transform_edt(organ, sampling=spacing)
    index = np.meshgrid(*[np.arange(n) * mm for n, mm in zip(organ.shape, spacing, strict=True)], indexing="ij")
    found = []
    for _ in range(wanted):
        radius = draw.uniform(0.35, 0.75) * float(depth.max())
        places = np.argwhere(depth > radius * 0.7)
        if not len(places):
            break
        centre = places[draw.integers(len(places))] * np.asarray(spacing)
        away = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(index, centre, strict=True)))
        bumpy = away < radius * (1 + 0.08 * clouds(draw, organ.shape, 7))
        found.append(bumpy & (depth > 1))
        depth = np.where(away < 1.6 * radius, 0, depth)  # the next one lies elsewhere
    return found
