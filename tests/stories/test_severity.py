"""From two pictures of one knee to a decision that cannot be changed unnoticed, and the book that holds it."""

import datetime
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from osler.cli.main import main
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.record import to_plain
from osler.io.dicom.write import write_radiograph
from osler.io.files import write_json
from osler.models.card import ModelCard, Sees
from osler.models.digest import seal
from osler.models.model import NetPlan, build_net
from osler.models.recipe import Channel, Normalization, Recipe
from osler.models.tasks.table import TASKS
from osler.models.trust import Conformal, Trust

GRADES = ("0", "1", "2", "3", "4")


def knee(seed: int) -> np.ndarray:
    """Bone that fills the width, a dark gap in the middle, soft tissue at the edges."""
    picture = np.full((224, 224), 60.0)
    picture[:, 18:206] = 170
    picture[112:126] = 70
    return np.clip(picture + np.random.default_rng(seed).normal(0, 12, (224, 224)), 0, 255).astype(np.uint8)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shelf with an ordinal knee model of random weights."""
    folder = tmp_path / "made"
    folder.mkdir()
    channel = Channel("image", "", Normalization("fixed", mean=(128.0,), std=(64.0,)))
    recipe = Recipe(2, False, (channel,), whole=True, size=(32, 32))
    net = NetPlan("resnet", {"widths": (4, 8), "blocks": 1})
    torch.manual_seed(0)
    outputs = TASKS["ordinal"].outputs(len(GRADES))
    save_file(build_net(net, recipe, outputs).state_dict(), folder / "member-0.safetensors")
    write_json(folder / "recipe.json", {"recipe": to_plain(recipe), "net": to_plain(net)})
    sets = Conformal("grades", (0.9,), ((0.85,),), cases=34, patients=17)
    write_json(folder / "trust.json", to_plain(Trust(sets=sets)))
    sees = Sees("a radiograph of one knee", 2, ("image",), ("CR", "DX"), ("KNEE",))
    seal(folder, ModelCard("knee", "1", "Knee", "ordinal", GRADES, sees, use="knee-osteoarthritis"))
    monkeypatch.setenv("OSLER_HOME", str(tmp_path / "home"))
    assert main(["models", "add", str(folder)]) == 0


def take(folder: Path, seed: int, day: str, *, patient: str = "77-1234", side: str = "L") -> Path:
    """A DICOM radiograph of a knee, with a name in its header."""
    import pydicom

    facts = Facts(modality="DX", body_part="KNEE", laterality=side, sex="F", age_years=61.0)
    path = folder / f"{day}-{seed}-{side}.dcm"
    folder.mkdir(exist_ok=True)
    write_radiograph(Image(knee(seed), facts=facts, spacing_mm=(0.2, 0.2)), path, seed=seed)
    header = pydicom.dcmread(path)
    header.PatientName, header.PatientID = "Featherstone^Janice", patient
    header.StudyDate = header.SeriesDate = header.AcquisitionDate = day
    header.PatientBirthDate, header.ImageLaterality, header.PatientSex = "19650203", side, "F"
    header.save_as(path)
    return path


def request(folder: Path, **changed: object) -> Path:
    asked = {
        "purpose": "disability",
        "pseudonym": "P-7f3a91",
        "consent": {"reference": "C-17", "date": datetime.date.today().isoformat(), "scope": ["disability"]},
        "assessor": {"name": "Mara Lind", "role": "orthopaedic surgeon"},
        "objection": {"contact": "Complaints office, 12 Hill Road", "within_days": 30},
        "side": "L",
    }
    path = folder / "request.json"
    path.write_text(json.dumps(asked | changed))
    return path


def test_from_pictures_to_a_decision(shelf, tmp_path, capsys):
    now, before = take(tmp_path / "in", 1, "20260501"), take(tmp_path / "in", 2, "20250501")
    out = tmp_path / "cases" / "first"
    words = ["assess", str(now), "--request", str(request(tmp_path)), "--earlier", str(before), "--out", str(out)]
    assert main(words) == 0, capsys.readouterr().err
    stated = json.loads((out / "statement.json").read_text())
    [item] = stated["items"]
    assert item["side"] == "L" and item["coverage"] == 0.9 and item["lowest"] <= item["level"] <= item["highest"]
    [change] = stated["changes"]
    assert change["days"] == 365 and stated["subject"] == {"sex": "F", "age_band": "60-69"}
    assert stated["conclusions"][0]["guideline"] == "kellgren-lawrence"
    for path in out.iterdir():
        if path.suffix in (".json", ".html"):
            text = re.sub(r"data:image/png;base64,[^\"]*", "", path.read_text())
            assert not re.search("Featherstone|Janice|77-1234|19650203|20260501|2026-05-01", text), path.name

    refused = [
        "assess",
        "decide",
        str(out),
        "--by",
        "osler, model",
        "--decision",
        "agree",
        "--reason",
        "as computed",
    ]
    assert main(refused) == 2 and not list(out.glob("decision-*"))
    other = (item["level"] + 1) % 5
    decide = ["assess", "decide", str(out), "--by", "Mara Lind, orthopaedic surgeon", "--decision", "changed"]
    assert main([*decide, "--grade", str(other), "--reason", "The film shows the joint space better."]) == 0
    assert (
        main(["assess", str(tmp_path / "cases"), "--audit", "--by", "sex", "--out", str(tmp_path / "audit")]) == 0
    )
    audit = json.loads((tmp_path / "audit" / "audit.json").read_text())
    agreed = audit["scales"][0]["agreement"]
    assert (
        agreed["up"] + agreed["down"] == 1
        and "n = 1: too few" in audit["scales"][0]["subgroups"][0]["groups"][0]["note"]
    )

    record = out / "decision-1.json"
    record.write_text(record.read_text().replace("Mara Lind", "Otto Berg"))
    assert main(["assess", str(tmp_path / "cases"), "--audit", "--out", str(tmp_path / "audit")]) == 1
    assert "chain of decisions" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("earlier", "asked", "code", "why"),
    [
        ({"patient": "88-9999"}, {}, 1, "two patients"),
        ({"side": "R"}, {}, 1, "sides of the studies conflict"),
        ({"day": "20260601"}, {}, 1, "days after"),
        ({}, {"side": "R"}, 1, "asks for side R"),
        ({}, {"pseudonym": "77-1234"}, 2, "number in the header"),
        ({}, {"consent": {}}, 2, "no consent"),
    ],
)
def test_what_does_not_belong_together_is_refused(shelf, tmp_path, capsys, earlier, asked, code, why):
    now = take(tmp_path / "in", 1, "20260501")
    day = str(earlier.get("day", "20250501"))
    more = {name: value for name, value in earlier.items() if name != "day"}
    before = take(tmp_path / "in", 2, day, **more)
    out = tmp_path / "out"
    capsys.readouterr()
    words = ["assess", str(now), "--request", str(request(tmp_path, **asked)), "--earlier", str(before)]
    assert main([*words, "--out", str(out)]) == code
    told = capsys.readouterr().err
    assert why in told and "→" in told and not out.exists()
    assert not re.search("Featherstone|Janice|1965|88-9999", told)


def test_the_same_picture_again_gets_the_same_grade(shelf, tmp_path):
    path = take(tmp_path / "in", 1, "20260501")
    for name in ("one", "two"):
        words = ["assess", str(path), "--request", str(request(tmp_path)), "--out", str(tmp_path / "cases" / name)]
        assert main(words) == 0
    assert main(["assess", str(tmp_path / "cases"), "--audit", "--out", str(tmp_path / "audit")]) == 0
    audit = json.loads((tmp_path / "audit" / "audit.json").read_text())
    assert audit["scales"][0]["retest"]["again"] == [1, 1] and audit["persons"] == 1
