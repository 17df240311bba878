"""`osler report`: one command, three files; what is wrong is said before work begins."""

import json


def test_a_model_is_tested_now_and_told(osler, model_folder, pictures, tmp_path):
    done = osler("report", model_folder, pictures, "--quick", "--pictures", "--out", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert set(done.json) == {"html", "pdf", "json", "items"}
    assert set(done.json["items"]) == {"claim", "tripod_ai"}
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "12 cases of 12 patients" in page and "data:image/png" in page and "case_" not in page
    assert (tmp_path / "out" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_names_of_cases_are_shown_only_when_asked(osler, model_folder, pictures, tmp_path):
    words = ("report", model_folder, pictures, "--quick", "--pictures", "--out", tmp_path / "out")
    assert osler(*words, "--cases").code == 0
    assert "case_" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_a_model_that_was_never_tested_says_so(osler, model_folder, tmp_path):
    done = osler("report", model_folder, "--out", tmp_path / "out")
    assert done.code == 0 and "holds no test" in done.err
    assert "not known" in done.out


def test_a_wrong_fact_proposes_the_near_one(osler, model_folder, tmp_path):
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps({"study.fundin": "x"}), encoding="utf-8")
    done = osler("report", model_folder, "--facts", facts, "--out", tmp_path / "out")
    assert done.code == 2 and "study.funding" in done.err and not (tmp_path / "out").exists()


def test_missing_data_and_a_file_in_the_way_are_asked_wrongly(osler, model_folder, tmp_path):
    assert osler("report", model_folder, tmp_path / "nowhere", "--out", tmp_path / "out").code == 2
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert osler("report", model_folder, "--out", tmp_path / "file").code == 2
    assert osler("report", "no-such-model", "--out", tmp_path / "out").code == 2


def test_the_report_joins_what_is_in_the_folder(osler, model_folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("x", encoding="utf-8")
    assert osler("report", model_folder, "--out", out).code == 0
    assert {path.name for path in out.iterdir()} == {"mine.txt", "report.html", "report.json", "report.pdf"}
