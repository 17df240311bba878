"""What a study holds, in words, as JSON and as a page; nobody's name in any of them."""

import os
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.facts import Facts
from osler.core.geometry import Geometry
from osler.core.image import Image
from osler.core.volume import Volume
from osler.io.dicom.write import write_radiograph, write_series
from osler.io.holdings import lies_how, look_into, read_example
from osler.io.raster import write_image
from osler.results.study_page import thumbnail


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A CT with an oblique plane, a radiograph, a report that is no picture, and a PNG."""
    draw = np.random.default_rng(0)
    turn = np.radians(30)
    affine = np.eye(4)
    affine[:3, 0] = np.array([0, -np.sin(turn), np.cos(turn)]) * 4
    affine[:3, 1] = np.array([0, np.cos(turn), np.sin(turn)]) * 0.8
    affine[:3, 2] = (0.8, 0, 0)
    facts = Facts(modality="CT", description="secret words")
    ct = Volume(
        draw.integers(-1000, 1000, (6, 20, 24)).astype(np.int16), Geometry((6, 20, 24), affine), "HU", facts
    )
    folder = tmp_path / "study"
    paths = write_series(ct, folder / "ct", patient="Secret^Name", seed=1)
    write_radiograph(Image(draw.integers(0, 4000, (30, 40)).astype(np.uint16)), folder / "film.dcm", seed=1)
    report = pydicom.dcmread(paths[0])
    for keyword in ("PixelData", "Rows", "Columns", "ImagePositionPatient"):
        delattr(report, keyword)
    report.SOPClassUID, report.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.77"
    report.SeriesInstanceUID, report.Modality, report.SeriesNumber = "1.2.78", "SR", 9
    report.SeriesDescription = "<script>alert(1)</script>"
    report.save_as(folder / "report.dcm")
    (folder / "broken.dcm").write_bytes(paths[0].read_bytes()[:400])
    write_image(draw.integers(0, 255, (10, 12)).astype(np.uint8), folder / "photo.png")
    return folder


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_tree_in_words(osler, study: Path) -> None:
    done = osler("show", study)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "study: 1 study, 3 series, 8 DICOM files, 1 other file"
    assert lines[1] == "Study 1"
    assert "    volume, 6 x 20 x 24, 4 x 0.8 x 0.8 mm, oblique, 30 degrees from axial" in lines
    assert any(line.endswith("radiograph (DX), 1 file") for line in lines)
    assert "  Series 9: structured report (SR), basic text, 1 file" in lines
    assert "    image, 10 x 12, uint8" in lines
    assert "  broken.dcm cannot be read as DICOM: it is damaged or cut short." in lines


def test_nobody_is_named_and_descriptions_only_when_asked_for(osler, study: Path, tmp_path: Path) -> None:
    for words in (("show", study), ("show", study, "--json"), ("show", study, "--out", tmp_path / "page")):
        done = osler(*words)
        assert done.code == 0 and not re.search("secret|MADE-UP|<script", done.out, re.IGNORECASE)
    page = (tmp_path / "page" / "study.html").read_text()
    assert not re.search("secret|MADE-UP|script", page, re.IGNORECASE)
    said = osler("show", study, "--descriptions").out
    assert "secret words" in said and "Secret^Name" not in said
    osler("show", study, "--descriptions", "--out", tmp_path / "page")
    page = (tmp_path / "page" / "study.html").read_text()
    assert "&lt;script&gt;" in page and "<script" not in page


def test_json_says_the_same(osler, study: Path) -> None:
    told = osler("show", study, "--json").json
    [one] = told["studies"]
    assert one["number"] == 1 and len(one["series"]) == 3
    volume = next(s for s in one["series"] if s["modality"] == "CT")
    assert volume["files"] == 6 and volume["kind"] == "CT slice" and "description" not in volume
    [piece] = volume["pieces"]
    assert (piece["what"], piece["shape"]) == ("volume", [6, 20, 24])
    assert piece["spacing_mm"] == pytest.approx([4, 0.8, 0.8])
    assert told["files"][0]["name"] == "photo.png" and len(told["problems"]) == 1
    described = osler("show", study, "--json", "--descriptions").json
    assert any(s["description"].endswith("secret words") for s in described["studies"][0]["series"])


def test_the_page_needs_nothing_else_and_has_a_picture_of_everything(osler, study: Path, tmp_path: Path) -> None:
    assert osler("show", study, "--out", tmp_path / "page").code == 0
    tags = Tags()
    tags.feed((tmp_path / "page" / "study.html").read_text())
    pictures = [given["src"] for tag, given in tags.found if tag == "img"]
    assert len(pictures) == 3 and all(one and one.startswith("data:image/png") for one in pictures)
    assert {tag for tag, _ in tags.found} & {"script", "link", "iframe", "a"} == set()


def test_a_gap_is_refused_with_its_reason(osler, study: Path) -> None:
    sorted((study / "ct").iterdir())[2].unlink()
    out = osler("show", study).out
    assert "gap" in out and "1 of 6" in out


def test_a_folder_without_anything_and_a_missing_one(osler, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in ("empty", "nowhere"):
        done = osler("show", tmp_path / path)
        assert done.code == 1 and path in done.err and "→" in done.err


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.png"])
def test_other_formats_are_shown_too(osler, tmp_path: Path, name: str) -> None:
    import SimpleITK

    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    if name.endswith(".png"):
        write_image(array[0], tmp_path / name)
    else:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(tmp_path / name))
    done = osler("show", tmp_path / name, "--json", "--out", tmp_path / "page")
    assert done.code == 0, done.out
    assert done.json["files"][0]["pieces"][0]["shape"] == ([4, 5] if name == "a.png" else [3, 4, 5])
    assert "data:image/png" in (tmp_path / "page" / "study.html").read_text()


def test_slides_are_shown_and_never_read(osler, test_data: Path) -> None:
    folder = test_data / "slides"
    if not folder.is_dir():
        pytest.skip("no slides")
    lines = osler("show", folder).out.splitlines()
    assert "  small_HE.svs: whole slide" in lines
    assert any(line.startswith("    slide, 2967 x 2220, 0.000499 x 0.000499 mm") for line in lines)
    assert any("whole slide (SM)" in line for line in lines)


def test_how_grids_lie() -> None:
    upright = Geometry.from_spacing((9, 9, 9), (5.0, 0.5, 0.5))
    sheared, turned = upright.affine.copy(), upright.affine.copy()
    sheared[1, 0] = 5 * np.tan(np.radians(12))
    cosine, sine = np.cos(np.radians(10)), np.sin(np.radians(10))
    turned[:3, 1], turned[:3, 2] = np.array([-sine, cosine, 0]) * 0.5, np.array([cosine, sine, 0]) * 0.6
    assert lies_how(upright) == ("axial",)
    assert lies_how(Geometry((9, 9, 9), sheared)) == ("axial", "sheared by 12.0 degrees, as by a tilted gantry")
    assert lies_how(Geometry((9, 9, 9), turned)) == (
        "axial",
        "turned by 10 degrees in its plane",
        "pixels not square",
    )
    assert lies_how(Geometry((9, 9, 9), upright.affine[:, [1, 0, 2, 3]])) == ("coronal", "pixels not square")


@pytest.mark.parametrize("along", [(0.5, 0, 0), (0, 0.5, 0)])
def test_pictures_on_the_sheet_have_square_millimetres(along: tuple[float, float, float]) -> None:
    """10 rows of 2 mm and 20 columns of 0.5 mm are twice as high as wide, or lying on the side twice as wide."""
    affine = np.eye(4)
    affine[:3, 2] = along
    affine[:3, 1] = (0, 2, 0) if along[0] else (2, 0, 0)
    affine[2, 0] = 1
    volume = Volume(
        np.random.default_rng(0).normal(size=(3, 10, 20)).astype(np.float32), Geometry((3, 10, 20), affine)
    )
    rows, columns = thumbnail(volume).shape[:2]
    assert rows / columns == pytest.approx(2 if along[0] else 0.5, rel=0.02)


def test_the_example_is_the_middle_slice(study: Path) -> None:
    held = look_into(study)
    [volume] = [p for s in held.studies[0] for p in s.pieces if p.what == "volume"]
    found = read_example(volume)
    assert found is not None
    picture, _ = found
    assert picture.array.shape == (1, 20, 24)
    whole = pydicom.dcmread(sorted((study / "ct").iterdir())[3]).pixel_array
    assert np.array_equal(picture.array[0], whole)


def test_real_folders(osler, test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "sarcoma" / "dicom" / "STS_019"
    if not folder.is_dir():
        pytest.skip("no sarcoma")
    done = osler("show", folder, "--json", "--out", tmp_path / "page")
    assert done.code == 0
    shapes = [p["shape"] for s in done.json["studies"][0]["series"] for p in s["pieces"] if p["what"] == "volume"]
    assert shapes == [[47, 28, 28], [47, 134, 136], [47, 110, 112]]
    assert (tmp_path / "page" / "study.html").read_text().count("data:image/png") == 3


def test_nothing_unpacked_stays_on_the_disk_after_the_command(tmp_path: Path) -> None:
    """The `osler` script ends its process at once, and what a zip held may be somebody's pictures."""
    volume = Volume(np.zeros((3, 8, 8), np.int16), Geometry.from_spacing((3, 8, 8), (1, 1, 1)), facts=Facts("CT"))
    paths = write_series(volume, tmp_path / "ct")
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    place = tmp_path / "temporary"
    place.mkdir()
    script = "import sys; from osler.cli.main import leave; leave()"
    done = subprocess.run(
        [sys.executable, "-c", script, "show", str(tmp_path / "study.zip")],
        env={**os.environ, "TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and "3 x 8 x 8" in done.stdout
    assert list(place.iterdir()) == []
