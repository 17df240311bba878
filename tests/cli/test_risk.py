"""`osler risk` from a table to one patient's page."""

import csv

import numpy as np
import pytest


@pytest.fixture
def table(tmp_path):
    draw = np.random.default_rng(0)
    path = tmp_path / "patients.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["patient", "age", "sex", "days", "died"])
        for n in range(60):
            age, sex = draw.normal(60, 10), "mf"[n % 2]
            lasted, lost = draw.exponential(300 * np.exp(-0.1 * (age - 60))), draw.uniform(100, 800)
            writer.writerow([f"P{n}", round(age), sex, round(min(lasted, lost)), int(lasted <= lost)])
    return path


@pytest.fixture
def quick(monkeypatch):
    from osler.lab.risk.cross import REPEATS

    monkeypatch.setattr("osler.lab.risk.fit.DRAWS", 20)
    monkeypatch.setitem(REPEATS, "cox", 1)
    monkeypatch.setitem(REPEATS, "logistic", 1)


def test_train_evaluate_and_show(osler, table, tmp_path, quick):
    out = tmp_path / "m"
    trained = osler("risk", "train", table, "--time", "days", "--event", "died", "--out", out, "--json")
    assert trained.code == 0 and trained.json["n"] == {"patients": 60, "events": trained.json["card"]["events"]}
    assert {one["part"] for one in trained.json["figures"]} == {"facts", "average"}
    tested = osler("risk", "evaluate", out, table, "--out", tmp_path / "tested")
    assert tested.code == 0 and "C-index (Harrell)" in tested.out and "no fair test" not in tested.out
    assert (tmp_path / "tested" / "evaluation.html").is_file()
    page = tmp_path / "risk.html"
    words = ("--patient", "age=60,sex=F", "--earlier", "days=90,age=59,sex=F", "--out", page)
    shown = osler("risk", "show", out, *words)
    assert shown.code == 0 and "died within" in shown.out and "only 60 patients" in shown.out
    assert "not a medical device" in shown.out and page.is_file()
    told = osler("risk", "show", out, *words, "--json").json
    assert told["changes"][0]["days_before"] == 90 and told["part"] == "facts"
    assert osler("risk", "show", out, "--patient", "sex=F").code == 3
    assert osler("risk", "show", out, "--patient", "age=160,sex=F").code == 3
    assert osler("risk", "show", out, "--patient", "age=60,sex=F,pulse=3").code == 2
    assert osler("risk", "show", out, "--patient", "age=60,sex=F", "--image", table).code == 2
    assert osler("risk", "show", out, "--patient", "age=old,sex=F").code == 2
    assert osler("risk", "show", out, "--patient", "age=60,sex=F", "--earlier", "age=59").code == 2
    assert osler("risk", "show", out, "--patient", "age=60,sex=F", "--out", tmp_path).code == 2
    chinese = osler("risk", "show", out, "--patient", "age=60,sex=F", "--lang", "zh")
    assert "仅资料" in chinese.out


def test_pictures_are_learnt_from_with_a_model(osler, table, tmp_path, quick, model_folder, pictures):
    files = sorted(pictures.rglob("*.png"))
    rows = list(csv.reader(table.open()))
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows[0], "file"])
        writer.writerows([*row, files[n % 12]] for n, row in enumerate(rows[1:]))
    out = tmp_path / "m"
    words = ("--event", "died", "--facts", "age,sex", "--image", "file", "--out", out)
    assert osler("risk", "train", table, *words).code == 2  # no model said
    trained = osler("risk", "train", table, *words, "--model", model_folder, "--json")
    assert trained.code == 0 and trained.json["card"]["image"]["model"] == "tiny"
    assert {one["part"] for one in trained.json["figures"]} == {"facts", "image", "both", "average"}
    patient = ("--patient", "age=60,sex=F", "--image", files[0], "--model", model_folder)
    assert osler("risk", "show", out, *patient, "--json").json["part"] == "both"
    tested = osler("risk", "evaluate", out, table, "--image", "file", "--model", model_folder, "--json")
    assert tested.code == 0 and "both" in {one["part"] for one in tested.json["figures"]}
    other = osler(
        "risk", "show", out, "--patient", "age=60,sex=F", "--image", files[0], "--model", "chest-pneumonia"
    )
    assert other.code == 2 and "other weights" in other.err


def test_what_cannot_be_learnt_is_said(osler, table, tmp_path):
    words = ("risk", "train", table, "--time", "days", "--out", tmp_path / "m")
    assert "Did you mean 'died'" in osler(*words, "--event", "dyed").err
    assert osler(*words, "--event", "died", "--kind", "logistic").code == 2
    assert osler(*words, "--event", "died", "--horizons", "-3").code == 2
    assert osler(*words, "--event", "died", "--horizons", "100000").code == 1
    busy = tmp_path / "busy"
    busy.mkdir()
    (busy / "letter.txt").write_text("keep me")
    assert osler("risk", "train", table, "--event", "died", "--out", busy).code == 2
    assert (busy / "letter.txt").read_text() == "keep me" and not (tmp_path / "m").exists()
