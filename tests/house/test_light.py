"""Help is quick, and asking for it loads nothing heavy."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import osler
from osler.cli.demo import real_images
from osler.cli.main import COMMANDS

HEAVY = (
    "torch",
    "numpy",
    "pydicom",
    "pandas",
    "scipy",
    "sklearn",
    "matplotlib",
    "SimpleITK",
    "nibabel",
    "PIL",
    "rich",
)


def loaded_by(code: str) -> set[str]:
    """Which of HEAVY a fresh Python has loaded after `code`."""
    ask = f"{code}\nimport sys\nsys.stderr.write('LOADED ' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(HEAVY) & set(done.stderr.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([verb, "--help"] for verb in COMMANDS)], ids=" ".join
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    assert loaded_by(f"from osler.cli.main import main\nassert main({words!r}) == 0") == set()


def test_reading_a_radiograph_with_its_explanations_loads_only_what_it_needs(tmp_path: Path) -> None:
    """Half of its four seconds is the import of torch; every other library costs a tenth more."""
    radiograph = real_images()["real radiograph of a chest"]
    words = ["read", str(radiograph), "--out", str(tmp_path / "report")]
    assert loaded_by(f"from osler.cli.main import main\nassert main({words!r}) == 0") == {"torch", "numpy", "PIL"}
    report = json.loads((tmp_path / "report/report.json").read_text(encoding="utf-8"))
    assert {reason["way"] for reason in report["reasons"]} >= {"finer", "similar"}


def test_the_face_loads_nothing_heavy_until_it_is_used() -> None:
    assert loaded_by("import osler") == set()
    assert "torch" not in loaded_by("import osler\nosler.open_study, osler.Volume")


def test_every_name_of_the_face_is_there() -> None:
    assert set(osler.__all__) == set(dir(osler))
    for name in osler.__all__:
        assert getattr(osler, name) is not None
    with pytest.raises(AttributeError):
        osler.magic  # noqa: B018


def test_help_answers_in_under_a_third_of_a_second() -> None:
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "osler.cli.main", "--help"], capture_output=True, check=True)
        best = min(best, time.perf_counter() - start)
    assert best < 0.3


@pytest.mark.parametrize(
    "module",
    [
        "osler.io.open",
        "osler.lab.catalog.recognize",
        "osler.lab.catalog.show",
        "osler.clinic.reading",
        "osler.results.table",
    ],
)
def test_rooms_that_read_load_no_torch(module: str) -> None:
    assert loaded_by(f"import {module}") & {"torch", "matplotlib", "pandas", "SimpleITK", "sklearn"} == set()
