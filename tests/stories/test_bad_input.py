"""What people really hand in: each ends in a sentence that names the file and the remedy, and leaves nothing.

Every story is told by the commands that a person would type.
"""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Pillow

from osler.cli.main import main

Make = Callable[[Path], Path]


def run_badly(
    words: list[object], out: Path, capsys: pytest.CaptureFixture[str], *, code: int, names: tuple[str, ...]
) -> str:
    """Run a command that must fail with `code`, naming `names`, and leave nothing at `out` or beside it."""
    before = set(out.parent.iterdir())
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    captured = capsys.readouterr()
    said = captured.err
    problem = said[said.index("osler: ") :]
    assert "Traceback" not in said and "defect in Osler" not in said, said
    assert captured.out == ""
    assert "\n  → " in problem and problem.partition("→")[2].strip(), "a remedy"
    for name in names:
        assert name in problem, f"{name!r} is not in: {problem}"
    assert not out.exists()
    left = set(out.parent.iterdir()) - before
    if "disk is full" in said:  # what was learnt so far is kept, to go on from when there is room
        left -= {out.parent / f".{out.name}.training"}
    assert left == set(), "nothing half-written"
    return problem


def png(path: Path, *, seed: int = 0, bright: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 120, (32, 32)) + bright
    Pillow.fromarray(noise.astype(np.uint8)).save(path)
    return path


def nifti(path: Path, array: np.ndarray, spacing: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([spacing, spacing, spacing, 1.0])), path)
    return path


def class_folders(root: Path, *, each: int = 8) -> Path:
    for number in range(each):
        png(root / "normal" / f"n{number}.png", seed=number)
        png(root / "ill" / f"i{number}.png", seed=100 + number, bright=100)
    return root


def pairs(root: Path, *, cases: int = 8) -> Path:
    """Small volumes with masks, as two folders."""
    draw = np.random.default_rng(0)
    for number in range(cases):
        mask = np.zeros((12, 12, 12), np.uint8)
        mask[4:8, 4:8, 4:8] = 1
        image = draw.normal(100, 10, mask.shape).astype(np.float32) + 50 * mask
        nifti(root / "images" / f"case_{number}.nii.gz", image)
        nifti(root / "labels" / f"case_{number}.nii.gz", mask)
    return root


def decathlon(root: Path) -> Path:
    """The same with a table of labels."""
    import json

    pairs(root)
    rows = [{"image": f"./images/case_{n}.nii.gz", "label": f"./labels/case_{n}.nii.gz"} for n in range(8)]
    table = {
        "name": "Boxes", "tensorImageSize": "3D", "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "box"}, "numTraining": 8, "numTest": 0, "training": rows, "test": [],
    }  # fmt: skip
    (root / "dataset.json").write_text(json.dumps(table))
    return root


def empty_folder(root: Path) -> Path:
    root.mkdir()
    return root


def one_class(root: Path) -> Path:
    for number in range(8):
        png(root / "normal" / f"n{number}.png", seed=number)
    return root


def mask_on_another_grid(root: Path) -> Path:
    pairs(root)
    nifti(root / "labels" / "case_3.nii.gz", np.ones((12, 12, 10), np.uint8))
    return root


def mask_elsewhere(root: Path) -> Path:
    """The same shape, but other millimetres: only the header tells."""
    pairs(root)
    nifti(root / "labels" / "case_3.nii.gz", np.ones((12, 12, 12), np.uint8), spacing=2.0)
    return root


def nan_volume(root: Path) -> Path:
    pairs(root)
    holes = np.ones((12, 12, 12), np.float32)
    holes[3, 3, 3] = np.nan
    nifti(root / "images" / "case_3.nii.gz", holes)
    return root


def truncated_nifti(root: Path) -> Path:
    broken = pairs(root) / "images" / "case_3.nii.gz"
    broken.write_bytes(broken.read_bytes()[:500])
    return root


def truncated_png(root: Path) -> Path:
    broken = class_folders(root) / "ill" / "i3.png"
    broken.write_bytes(broken.read_bytes()[:200])
    return root


def truncated_npz(root: Path) -> Path:
    root.mkdir()
    images = np.random.default_rng(0).integers(0, 255, (12, 28, 28)).astype(np.uint8)
    arrays = {f"{split}_{kind}": images if kind == "images" else np.arange(12).reshape(-1, 1) % 2
              for split in ("train", "val", "test") for kind in ("images", "labels")}  # fmt: skip
    np.savez(root / "whole.npz", **arrays)
    broken = root / "broken.npz"
    broken.write_bytes((root / "whole.npz").read_bytes()[:9000])
    (root / "whole.npz").unlink()
    return broken


def missing_paths(root: Path) -> Path:
    png(root / "here.png")
    rows = ["here.png,0", *(f"gone_{n}.png,{n % 2}" for n in range(9))]
    (root / "table.csv").write_text("image,label\n" + "\n".join(rows) + "\n")
    return root / "table.csv"


def three_patients(root: Path) -> Path:
    rows = []
    for number in range(12):
        png(root / f"p{number}.png", seed=number, bright=100 * (number % 2))
        rows.append(f"p{number}.png,{number % 2},patient{number % 3}")
    (root / "table.csv").write_text("image,label,patient\n" + "\n".join(rows) + "\n")
    return root / "table.csv"


def unknown_label(root: Path) -> Path:
    decathlon(root)
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[4:8, 4:8, 4:8] = 7
    nifti(root / "labels" / "case_3.nii.gz", mask)
    return root


STORIES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "an empty folder": (empty_folder, ("empty",)),
    "one class only": (one_class, ("class",)),
    "a mask of another shape": (mask_on_another_grid, ("case_3.nii.gz",)),
    "a mask with other voxels": (mask_elsewhere, ("case_3.nii.gz",)),
    "NaN in a volume": (nan_volume, ("case_3.nii.gz", "NaN")),
    "a truncated NIfTI": (truncated_nifti, ("case_3.nii.gz",)),
    "a truncated PNG": (truncated_png, ("i3.png",)),
    "a truncated npz": (truncated_npz, ("broken.npz",)),
    "a table whose pictures are missing": (missing_paths, ("table.csv", "gone_")),
    "three patients": (three_patients, ("patients",)),
    "an unknown label": (unknown_label, ("case_3.nii.gz", "7")),
}


@pytest.fixture(autouse=True)
def own_shelf(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.mark.parametrize("story", STORIES)
def test_training_on_it_says_what_is_wrong(story: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, names = STORIES[story]
    data = make(tmp_path / "data")
    out = tmp_path / "out" / "model"
    out.parent.mkdir()
    run_badly(
        ["train", data, "--budget", "5s", "--set", "steps=1", "--out", out], out, capsys, code=1, names=names
    )


@pytest.mark.parametrize("suffix", [".png", ".nii.gz", ".npy", ".dcm"])
def test_reading_a_broken_file_says_so(suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / f"broken{suffix}"
    if suffix == ".png":
        png(broken)
    elif suffix == ".nii.gz":
        nifti(broken, np.random.default_rng(0).normal(size=(12, 12, 12)))
    elif suffix == ".npy":
        np.save(broken, np.random.default_rng(0).normal(size=(12, 12, 12)))
    else:
        from osler.cli.demo import real_images

        shutil.copyfile(real_images()["real radiograph of a chest"], broken)
    broken.write_bytes(broken.read_bytes()[: 2 * broken.stat().st_size // 3])
    out = tmp_path / "out" / "report"
    out.parent.mkdir()
    run_badly(["read", broken, "--out", out], out, capsys, code=1, names=(broken.name,))


def test_a_dicom_that_is_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian, generate_uid

    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = BasicTextSRStorage, generate_uid()
    report.StudyInstanceUID, report.SeriesInstanceUID = generate_uid(), generate_uid()
    report.Modality, report.PatientName, report.PatientID = "SR", "Doe^Jane", "4711"
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = BasicTextSRStorage
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID
    report.save_as(tmp_path / "letter.dcm", enforce_file_format=True)
    out = tmp_path / "out" / "report"
    out.parent.mkdir()
    said = run_badly(["read", tmp_path / "letter.dcm", "--out", out], out, capsys, code=1, names=("letter.dcm",))
    assert "Doe" not in said and "4711" not in said


def test_one_flipped_byte_in_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, model = class_folders(tmp_path / "data"), tmp_path / "model"
    words = ["--set", "net=softmax", "--set", "steps=1", "--budget", "1s"]
    assert main(["train", str(data), "--out", str(model), *words]) == 0
    out = tmp_path / "out" / "answers"
    out.parent.mkdir()
    files = sorted(path for path in model.rglob("*") if path.is_file())
    assert len(files) > 4
    for file in files:  # weights, recipe, trust, evaluation, and the card itself
        whole = file.read_bytes()
        place = len(whole) // 2
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        picture = data / "ill" / "i0.png"
        run_badly(["predict", model, picture, "--out", out], out, capsys, code=1, names=("model",))
        file.write_bytes(whole)


@pytest.mark.parametrize("verb", ["train", "predict"])
def test_a_full_disk(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, model = class_folders(tmp_path / "data"), tmp_path / "model"
    words: list[object] = ["--set", "net=softmax", "--set", "steps=1", "--budget", "1s"]
    out = tmp_path / "out" / "new"
    out.parent.mkdir()
    if verb == "predict":
        assert main([str(word) for word in ["train", data, "--out", model, *words]]) == 0
        words = ["predict", model, data / "ill" / "i0.png", "--out", out]
    else:
        words = ["train", data, "--out", out, *words]
    write_text = Path.write_text

    def full(self: Path, *args: object, **kwargs: object) -> int:
        made_beside = ".training" in str(self) and "model" not in self.parts  # the disk fills up at the very end
        if out.parent in self.parents and not made_beside:
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return write_text(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    run_badly(words, out, capsys, code=1, names=("The disk is full", "Free some space"))
