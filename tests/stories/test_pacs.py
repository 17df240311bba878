"""A real PACS: Orthanc, started here on this machine alone, takes what Osler writes and gives it back unchanged.

A made-up study goes in over DICOM and over the web, is found, comes back and is read as before; then the results
of a reading go the same two ways and are read back: the mask voxel by voxel, the findings number by number.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset
from pynetdicom import AE, build_role, evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from osler.clinic.measure.structure import measure_label
from osler.core.codes import Code
from osler.core.finding import Finding
from osler.core.mask import Mask
from osler.core.prediction import Prediction
from osler.core.report import Drawing, KeyPicture, ModelUse, Problem, Report
from osler.core.study import Study
from osler.core.volume import Volume
from osler.io.dicom.write import write_series
from osler.io.open import open_study
from osler.phantoms.volumes import made_up_patient
from osler.results.table import WRITERS, write_results

SHAPE, SPACING = (9, 40, 36), (5.0, 2.5, 2.25)
TITLE = "OSLERTEST"


@dataclass(frozen=True)
class Pacs:
    """An Orthanc of our own: where it listens, and how to talk to it."""

    dicom_port: int
    http_port: int

    @property
    def web(self) -> DICOMwebClient:
        return DICOMwebClient(f"http://127.0.0.1:{self.http_port}/dicom-web")

    def rest(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def store(self, paths: list[Path]) -> None:
        """By storescu of DCMTK, as a modality would."""
        tool = program("storescu")
        if tool is None:
            pytest.skip("storescu (Debian: dcmtk) is not installed")
        # -R asks for the classes of these files alone; the list of all is longer than an association may be.
        words = [tool, "-R", "-aet", "OSLER", "-aec", TITLE, "127.0.0.1", str(self.dicom_port), *map(str, paths)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr

    def empty(self) -> None:
        for name in self.rest("/studies"):
            self.rest(f"/studies/{name}", "DELETE")


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pacs]:
    """Orthanc with a folder and ports of its own; it ends with the tests."""
    orthanc = program("Orthanc")
    if orthanc is None:
        pytest.skip("Orthanc (Debian: orthanc, orthanc-dicomweb) is not installed")
    plugin = dicomweb_plugin(Path(orthanc))
    if plugin is None:
        pytest.skip("the DICOMweb plugin of Orthanc (Debian: orthanc-dicomweb) is not installed")
    folder = tmp_path_factory.mktemp("pacs")
    made = Pacs(*free_ports(2))
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": TITLE,
        "DicomPort": made.dicom_port,
        "HttpPort": made.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        # It listens on every interface and cannot be told otherwise, so it speaks with this machine alone.
        "DicomModalities": {"osler": ["OSLER", "127.0.0.1", 104]},
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "UnknownSopClassAccepted": True,
        "OverwriteInstances": True,
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([orthanc, str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
    try:
        wait_for(made, process, folder / "log")
        yield made
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def program(name: str) -> str | None:
    """Where a program lies, also in the folders of servers, which people do not search."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def dicomweb_plugin(server: Path) -> Path | None:
    """The plugin of the same installation, wherever its distribution puts libraries."""
    for prefix in server.resolve().parents:
        for place in ("share/orthanc/plugins", "lib/orthanc", "lib/orthanc/plugins", "lib/*/orthanc"):
            for path in sorted(prefix.glob(f"{place}/libOrthancDicomWeb.so*")):
                return path
    return None


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on; all are held until all are known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def wait_for(pacs: Pacs, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            pacs.rest("/system")
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"Orthanc does not answer: {log.read_text()}")


def send_study(folder: Path, seed: int) -> Study:
    """A small made-up CT study in `folder`, as Osler reads it."""
    volume, _ = made_up_patient(seed, shape=SHAPE, spacing=SPACING)
    write_series(volume, folder, seed=seed)
    return open_study(folder)


def only_volume(study: Study) -> Volume:
    (volume,) = study.pictures
    assert isinstance(volume, Volume)
    return volume


def assert_same(back: Study, sent: Study) -> None:
    """Equal voxels in equal places, of the same slices."""
    first, second = only_volume(back), only_volume(sent)
    assert (first.array == second.array).all() and first.array.dtype == second.array.dtype
    assert np.abs(first.geometry.affine - second.geometry.affine).max() < 1e-9
    assert first.instance_uids == second.instance_uids and first.series_uid == second.series_uid
    assert back.uid == sent.uid and first.facts == second.facts


def find_study(pacs: Pacs, uid: str) -> list[Dataset]:
    """C-FIND of one study."""
    entity = AE(ae_title="OSLER")
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
    link = entity.associate("127.0.0.1", pacs.dicom_port, ae_title=TITLE)
    assert link.is_established
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    asked.StudyInstanceUID = uid
    asked.PatientID = asked.NumberOfStudyRelatedInstances = asked.ModalitiesInStudy = ""
    answers = link.send_c_find(asked, StudyRootQueryRetrieveInformationModelFind)
    found = [item for status, item in answers if status and status.Status in (0xFF00, 0xFF01) and item is not None]
    link.release()
    return found


def get_study(pacs: Pacs, uid: str, folder: Path) -> None:
    """C-GET of one study into `folder`."""
    folder.mkdir()

    def keep(event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
        return 0

    entity = AE(ae_title="OSLER")
    entity.add_requested_context(StudyRootQueryRetrieveInformationModelGet)
    entity.add_requested_context(CTImageStorage)
    link = entity.associate(
        "127.0.0.1",
        pacs.dicom_port,
        ae_title=TITLE,
        ext_neg=[build_role(CTImageStorage, scp_role=True)],
        evt_handlers=[(evt.EVT_C_STORE, keep)],
    )
    assert link.is_established
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", uid
    statuses = [status.Status for status, _ in link.send_c_get(asked, StudyRootQueryRetrieveInformationModelGet)]
    link.release()
    assert statuses[-1] == 0


def test_a_study_sent_over_dicom_is_found_and_comes_back_as_it_was(pacs: Pacs, tmp_path: Path) -> None:
    sent = send_study(tmp_path / "sent", seed=21)
    pacs.store(sorted((tmp_path / "sent").iterdir()))
    (found,) = find_study(pacs, sent.uid)
    assert found.PatientID == "MADE-UP-21" and found.NumberOfStudyRelatedInstances == SHAPE[0]
    assert find_study(pacs, "1.2.3.4") == []
    get_study(pacs, sent.uid, tmp_path / "back")
    assert len(list((tmp_path / "back").iterdir())) == SHAPE[0]
    assert_same(open_study(tmp_path / "back"), sent)


def test_a_study_sent_over_the_web_is_found_and_comes_back_as_it_was(pacs: Pacs, tmp_path: Path) -> None:
    sent = send_study(tmp_path / "sent", seed=22)
    answer = pacs.web.store_instances([pydicom.dcmread(path) for path in (tmp_path / "sent").iterdir()])
    assert len(answer.ReferencedSOPSequence) == SHAPE[0] and not answer.get("FailedSOPSequence")
    (found,) = pacs.web.search_for_studies(search_filters={"StudyInstanceUID": sent.uid})
    assert found["00100020"]["Value"] == ["MADE-UP-22"] and found["00201208"]["Value"] == [SHAPE[0]]
    (tmp_path / "back").mkdir()
    for dataset in pacs.web.retrieve_series(sent.uid, only_volume(sent).series_uid):
        dataset.save_as(tmp_path / "back" / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
    assert_same(open_study(tmp_path / "back"), sent)


def reading_of(study: Study, seed: int) -> Report:
    """What a model would say of a made-up study: the right answer, with sizes and probabilities."""
    volume = only_volume(study)
    _, answer = made_up_patient(seed, shape=SHAPE, spacing=SPACING, lesions=1)
    mask = Mask(answer.array, {1: "Organ", 2: "Lesion"}, geometry=volume.geometry)
    drawn = Prediction("segmentation", ("Organ", "Lesion"), mask=mask)
    chance = np.stack([np.where(mask.of(label), 0.875, 0.0625).astype(np.float32) for label in (1, 2)])
    return Report(
        study=study.name,
        study_uid=study.uid,
        facts=study.facts,
        pathway="made-up",
        declined=(),
        cautions=(),
        findings=(
            Finding("Organ", "Organ: outlined.", present=True, measurements=measure_label(drawn, 1), label=1),
            Finding(
                "Lesion", "Lesion: outlined.", Code("52988006", "SCT", "Lesion"), present=mask.of(2).any().item(),
                measurements=measure_label(drawn, 2), label=2,
            ),
            Finding("Pneumonia", "Pneumonia: 0.93.", Code("233604007", "SCT", "Pneumonia"), 0.9312, True),
            Finding("Effusion", "Effusion: 0.02.", probability=0.0213, present=False),
            Finding("Grade", "Grade: 2.", grade="2", distribution=(("1", 0.375), ("2", 0.625))),
        ),
        key_pictures=(KeyPicture("Axial", np.full((40, 36, 3), 90, np.uint8)),),
        models=(ModelUse("made-up-organ", "1", "abc123", "nobody", ("real patients",), "Apache-2.0"),),
        seconds=(),
        software="osler 0.1.0",
        created="2026-01-02T03:04:05+00:00",
        uid=f"2.25.{10**20 + seed}",
        drawings=(Drawing(0, mask, chance),),
    )  # fmt: skip


@dataclass(frozen=True)
class Results:
    """A study, its report, and the files of each DICOM format."""

    study: Study
    report: Report
    files: dict[str, tuple[Path, ...]]

    @property
    def paths(self) -> list[Path]:
        return [path for paths in self.files.values() for path in paths]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("results")
    study = send_study(folder / "study", seed=23)
    report = reading_of(study, seed=23)
    written = write_results(report, study, folder / "report", WRITERS)
    assert written.refused == {}
    dicom = {name: paths for name, paths in written.files.items() if paths[0].suffix == ".dcm"}
    del dicom["labelmap"]  # Debian's storescu does not know its class yet
    assert {"seg", "sr"} <= set(dicom)
    return Results(study, report, dicom)


def plain(dataset: Dataset) -> Dataset:
    """What was written, as the standard's JSON model: how a server encodes it may differ."""
    return Dataset.from_json(dataset.to_json_dict(bulk_data_threshold=10**9))


def fetched(pacs: Pacs, results: Results, folder: Path) -> dict[str, list[Path]]:
    """Every result as the PACS gives it back over the web, checked against what was sent."""
    back: dict[str, list[Path]] = {}
    folder.mkdir()
    for name, paths in results.files.items():
        for path in paths:
            sent = pydicom.dcmread(path)
            uids = (sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
            got = pacs.web.retrieve_instance(*uids)
            assert plain(got) == plain(sent), name
            got.save_as(folder / path.name, enforce_file_format=True)
            back.setdefault(name, []).append(folder / path.name)
    return back


def assert_read_back(back: dict[str, list[Path]], results: Results) -> None:
    """The mask voxel by voxel, the findings number by number."""
    from osler.io.dicom.segmentation import read_mask
    from osler.io.dicom.structured_report import read_findings

    drawn = results.report.drawings[0].mask
    mask = read_mask(back["seg"][0], grid=drawn.geometry)
    assert (mask.array == drawn.array).all() and mask.labels == drawn.labels and mask.array.any()
    findings = read_findings(back["sr"][0], results.study)
    assert [f.name for f in findings] == [f.name for f in results.report.findings]
    for got, sent in zip(findings, results.report.findings, strict=True):
        assert (got.present, got.grade, got.probability) == (sent.present, sent.grade, sent.probability)
        assert got.distribution == sent.distribution and got.picture == sent.picture
        assert [m.name for m in got.measurements] == [m.name for m in sent.measurements]
        for one, other in zip(got.measurements, sent.measurements, strict=True):
            assert one.quantity.value == pytest.approx(other.quantity.value, rel=1e-12)
            assert one.quantity.unit == other.quantity.unit


def test_results_sent_over_dicom_lie_beside_the_images_and_come_back_equal(
    pacs: Pacs, results: Results, tmp_path: Path
) -> None:
    pacs.empty()
    images = [origin.path for origin in only_volume(results.study).origins]
    pacs.store([*images, *results.paths])
    (found,) = find_study(pacs, results.study.uid)
    assert found.NumberOfStudyRelatedInstances == len(images) + len(results.paths)
    kinds = {pydicom.dcmread(path, stop_before_pixels=True).Modality for path in results.paths}
    assert set(found.ModalitiesInStudy) == kinds | {"CT"}
    assert_read_back(fetched(pacs, results, tmp_path / "back"), results)


def test_results_sent_over_the_web_come_back_equal(pacs: Pacs, results: Results, tmp_path: Path) -> None:
    pacs.empty()
    answer = pacs.web.store_instances([pydicom.dcmread(path) for path in results.paths])
    assert len(answer.ReferencedSOPSequence) == len(results.paths) and not answer.get("FailedSOPSequence")
    series = pacs.web.search_for_series(results.study.uid)
    sent = {(d.SeriesInstanceUID, d.Modality) for path in results.paths for d in [pydicom.dcmread(path)]}
    assert {(one["0020000E"]["Value"][0], one["00080060"]["Value"][0]) for one in series} == sent
    assert_read_back(fetched(pacs, results, tmp_path / "back"), results)


def test_a_declined_reading_is_on_record_too(pacs: Pacs, results: Results, tmp_path: Path) -> None:
    from osler.io.dicom.structured_report import read_findings

    why = Problem("No model may read this study.", "Train one.", "choose")
    nothing: dict[str, Any] = {"findings": (), "models": (), "drawings": (), "key_pictures": ()}
    declined = replace(results.report, declined=(why,), uid="2.25.9999", **nothing)
    (path,) = WRITERS["sr"](declined, results.study, tmp_path)
    pacs.store([path])
    sent = pydicom.dcmread(path)
    got = pacs.web.retrieve_instance(sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
    got.save_as(tmp_path / "back.dcm", enforce_file_format=True)
    assert read_findings(tmp_path / "back.dcm") == ()
    assert why.what in got.to_json()
