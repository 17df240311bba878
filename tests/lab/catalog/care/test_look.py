"""One look at a case."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osler.lab.catalog.care.look import look_at, look_over
from osler.lab.catalog.dataset import Case, Dataset, Source
from osler.phantoms.volumes import made_up_patient


def case(*sources: Source) -> Case:
    return Case("one", "one", sources, 0)


def picture(path: Path, *, value: int = 0, **options: object) -> Source:
    pixels = np.random.default_rng(0).integers(20, 200, (40, 60), dtype=np.uint8)
    pixels[0, 0] = value
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return Source(path)


def test_what_a_header_says(tmp_path: Path) -> None:
    look = look_at(case(picture(tmp_path / "a.jpg", quality=50)))
    assert look.problem == ""
    assert (look.header["rows"], look.header["columns"], look.header["slices"]) == (40, 60, 1)
    assert (look.header["suffix"], look.header["format"], look.header["bits"]) == (".jpg", "JPEG", 8)
    assert look.header["bytes"] == (tmp_path / "a.jpg").stat().st_size
    better = look_at(case(picture(tmp_path / "b.jpg", quality=95)))
    assert better.header["JPEG table"] < look.header["JPEG table"]


def test_the_thumbnail_is_square_and_scaled(tmp_path: Path) -> None:
    look = look_at(case(picture(tmp_path / "a.png")))
    assert look.thumbnail.shape == (64, 64)
    assert look.thumbnail.dtype == np.float32
    assert look.thumbnail.min() >= 0 and look.thumbnail.max() <= 1


def test_colour_is_a_share_of_what_the_type_holds(tmp_path: Path) -> None:
    Image.new("RGB", (20, 30), (255, 51, 0)).save(tmp_path / "a.png")
    look = look_at(case(Source(tmp_path / "a.png")))
    assert look.colour == pytest.approx([1, 0.2, 0])
    assert look.header["colour"] == 1


def test_a_digest_is_of_pixels_and_a_file_of_bytes(tmp_path: Path) -> None:
    one = look_at(case(picture(tmp_path / "a.png", compress_level=1)))
    same = look_at(case(picture(tmp_path / "b.png", compress_level=9)))
    other = look_at(case(picture(tmp_path / "c.png", value=1)))
    assert one.digest == same.digest != other.digest
    assert one.file != same.file


def test_parts_of_an_npz(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (3, 28, 28), dtype=np.uint8)
    images[2] = images[0]
    np.savez(tmp_path / "a.npz", images=images)
    looks = [look_at(case(Source(tmp_path / "a.npz", f"images:{n}"))) for n in range(3)]
    assert looks[0].digest == looks[2].digest != looks[1].digest
    assert looks[0].file == ""
    assert "bytes" not in looks[0].header  # of the whole file: says nothing of one picture


def test_a_volume(tmp_path: Path) -> None:
    from osler.io.nifti import write_volume

    volume, _ = made_up_patient(0)
    write_volume(volume, tmp_path / "a.nii.gz")
    look = look_at(case(Source(tmp_path / "a.nii.gz")))
    assert look.header["slices"] == volume.array.shape[0]
    assert look.header["slice spacing"] == pytest.approx(volume.geometry.spacing[0])
    assert look.header["suffix"] == ".nii.gz"


def test_what_cannot_be_read_is_told_in_its_place(tmp_path: Path) -> None:
    good = picture(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:300])
    cases = (
        Case("a", "a", (good,), 0),
        Case("b", "b", (Source(tmp_path / "cut.png"),), 0),
        Case("c", "c", (Source(tmp_path / "none.png"),), 0),
    )
    looks = look_over(Dataset("made", tmp_path, "binary", ("x", "y"), ("image",), cases, "made up"))
    assert [look.case for look in looks] == ["a", "b", "c"]
    assert [bool(look.problem) for look in looks] == [False, True, True]
    assert looks[1].thumbnail.size == 0
