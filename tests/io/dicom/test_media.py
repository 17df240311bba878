"""Zips and DICOMDIRs: unpacked and followed only as far as they can be trusted."""

import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from osler.core.errors import NoRoom, OslerError, Unreadable
from osler.io.dicom import media
from osler.io.dicom.media import directory_in, is_directory_file, is_zip, referenced_files, unpack

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of the odd names written here


def pack(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in entries.items():
            archive.writestr(name, value)
    return path


def write_directory(folder: Path, *ids: object, name: str = "DICOMDIR") -> Path:
    """A DICOMDIR whose records name these files; each record points back to the first, a circle."""
    made = Dataset()
    made.FileSetID = "TEST"
    made.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 400
    made.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 400
    made.FileSetConsistencyFlag = 0
    records = []
    for one in ids:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 400
        record.RecordInUseFlag = 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 400
        record.DirectoryRecordType = "IMAGE" if one is not None else "PATIENT"
        if one is not None:
            record.ReferencedFileID = one
        records.append(record)
    made.DirectoryRecordSequence = records
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as(folder / name, enforce_file_format=True, overwrite=True)
    return folder / name


def test_a_zip_is_unpacked_with_its_folders(tmp_path):
    path = pack(tmp_path / "study.zip", {"a/b/1.dcm": b"one", "2.dcm": b"two", "empty/": b""})
    folder, problems = unpack(path)
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == {
        "a/b/1.dcm": b"one",
        "2.dcm": b"two",
    }
    assert problems == ()


def test_what_was_unpacked_goes_when_the_process_ends(tmp_path):
    path = pack(tmp_path / "study.zip", {"1.dcm": b"one"})
    code = (
        f"from pathlib import Path; from osler.io.dicom.media import unpack; print(unpack(Path({str(path)!r}))[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() and not Path(done.stdout.strip()).exists()


@pytest.mark.parametrize(
    "name", ["../out.dcm", "a/../../out.dcm", "/etc/out.dcm", "..\\out.dcm", "C:\\out.dcm", "a/./b", "x" * 300]
)
def test_a_zip_that_names_places_outside_itself_is_refused(tmp_path, name):
    path = pack(tmp_path / "evil.zip", {"good.dcm": b"one", name: b"two"})
    if name == "a/./b":  # harmless: the zip's own spelling of a/b
        assert unpack(path)[1] == ()
        return
    with pytest.raises(Unreadable, match=r"evil\.zip names files outside itself") as caught:
        unpack(path)
    assert caught.value.remedy
    assert not (tmp_path / "out.dcm").exists()


def test_links_and_second_files_of_one_name_are_left_out_and_told(tmp_path):
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.dcm", b"one")
        link = zipfile.ZipInfo("link.dcm")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("1.dcm", b"another")
    folder, problems = unpack(path)
    assert [p.name for p in folder.iterdir()] == ["1.dcm"] and (folder / "1.dcm").read_bytes() == b"one"
    assert problems == (
        "1 entry of odd.zip is a link or device and was left out.",
        "1 name occurs twice in odd.zip; the first file of each was taken.",
    )


def test_an_encrypted_zip_is_refused(tmp_path):
    path = pack(tmp_path / "locked.zip", {"1.dcm": b"one"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\3\4") + 6] |= 1
    raw[raw.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match=r"locked\.zip is encrypted"):
        unpack(path)


def test_a_bomb_is_refused_by_what_it_says(tmp_path, monkeypatch):
    monkeypatch.setattr(media, "_FREELY", 1 << 20)
    path = pack(tmp_path / "bomb.zip", {"1.dcm": bytes(8 << 20)})
    with pytest.raises(Unreadable, match=r"bomb\.zip unfolds to more"):
        unpack(path)


def test_a_bomb_that_lies_about_its_size_is_stopped_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(media, "_FREELY", 1 << 20)
    path = pack(tmp_path / "bomb.zip", {"1.dcm": bytes(8 << 20)})
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = raw.index(mark) + offset
        raw[place : place + 4] = struct.pack("<L", 100)
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match=r"bomb\.zip"):
        unpack(path)


def test_too_many_entries_and_too_little_room(tmp_path, monkeypatch):
    path = pack(tmp_path / "many.zip", {f"{n}.dcm": b"x" for n in range(20)})
    with monkeypatch.context() as patch:
        patch.setattr(media, "_MOST_ENTRIES", 10)
        with pytest.raises(Unreadable, match="holds 20 files"):
            unpack(path)
    monkeypatch.setattr(media.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 3}))
    with pytest.raises(NoRoom, match=r"many\.zip"):
        unpack(path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_cut_zip_is_refused(tmp_path, keep):
    path = pack(tmp_path / "cut.zip", {f"{n}.dcm": bytes(range(256)) for n in range(4)})
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * keep)])
    with pytest.raises(Unreadable, match=r"cut\.zip cannot be read as a zip"):
        unpack(path)


def test_changed_zips_end_in_our_errors_only(tmp_path):
    import random

    chance = random.Random(0)
    raw = pack(tmp_path / "a.zip", {f"d/{n}.dcm": bytes(range(256)) for n in range(3)}).read_bytes()
    for _ in range(150):
        odd = bytearray(raw)
        for _ in range(3):
            odd[chance.randrange(len(odd))] = chance.randrange(256)
        (tmp_path / "odd.zip").write_bytes(odd)
        try:
            unpack(tmp_path / "odd.zip")
        except OslerError as error:
            assert "odd.zip" in error.problem


def test_one_name_for_a_file_and_a_folder_is_refused(tmp_path):
    path = pack(tmp_path / "both.zip", {"a": b"file", "a/b": b"below"})
    with pytest.raises(Unreadable, match=r"both\.zip"):
        unpack(path)


def test_what_is_a_zip(tmp_path):
    path = pack(tmp_path / "a.zip", {"1": b"x"})
    assert is_zip(path)
    path.rename(tmp_path / "export")
    assert is_zip(tmp_path / "export")
    (tmp_path / "export").rename(tmp_path / "a.npz")
    assert not is_zip(tmp_path / "a.npz")
    (tmp_path / "b.zip").write_bytes(b"not at all")
    assert is_zip(tmp_path / "b.zip")  # so that it is told that it is broken
    assert not is_zip(tmp_path / "nowhere")


def test_a_directory_leads_to_its_files_in_any_case(tmp_path):
    (tmp_path / "ims" / "st1").mkdir(parents=True)
    (tmp_path / "ims" / "st1" / "im1").write_bytes(b"x")
    (tmp_path / "IM2").write_bytes(b"y")
    path = write_directory(
        tmp_path, None, ["IMS", "ST1", "IM1"], "IM2", ["IMS", "ST1", "IM1"], ["IMS", "ST1", "IM9"]
    )
    assert is_directory_file(path) and directory_in(tmp_path) == path
    listed = referenced_files(path)
    assert listed.files == (tmp_path / "ims" / "st1" / "im1", tmp_path / "IM2")
    assert listed.problems == ("1 of 3 files that DICOMDIR lists is missing.",)


def test_a_directory_cannot_lead_outside_its_folder(tmp_path):
    (tmp_path / "secret").write_bytes(b"x")
    disc = tmp_path / "disc"
    disc.mkdir()
    (disc / "good").write_bytes(b"x")
    (disc / "link").symlink_to(tmp_path / "secret")
    path = write_directory(
        disc,
        "good",
        ["..", "secret"],
        ["", "etc", "passwd"],
        "../secret",
        "/etc/passwd",
        ["C:", "x"],
        "..\\secret",
        "link",
    )
    listed = referenced_files(path)
    assert listed.files == (disc / "good",)
    assert any("point outside its folder" in problem for problem in listed.problems)


def test_a_directory_that_names_nothing_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="DICOMDIR lists no files"):
        referenced_files(write_directory(tmp_path))
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 200)
    with pytest.raises(Unreadable, match="DICOMDIR"):
        referenced_files(tmp_path / "DICOMDIR")


def test_pydicoms_own_discs():
    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    if not (folder / "DICOMDIR").is_file():
        pytest.skip("pydicom was installed without its test files")
    listed = referenced_files(folder / "DICOMDIR")
    assert len(listed.files) == 31 and listed.problems == ()
