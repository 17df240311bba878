"""From labelled pictures to a tested model, by commands alone."""

from pathlib import Path

import pytest

from osler.cli.train import stoppable
from osler.core.errors import AskedWrongly
from osler.core.progress import silent
from osler.lab.learn import replaceable


def test_train_evaluate_and_show(osler, pictures: Path, tmp_path: Path) -> None:
    words = ("--set", "net=softmax", "--set", "steps=2", "--budget", "1s", "--name", "textbook", "--json")
    done = osler("train", pictures, "--out", tmp_path / "model", *words)
    assert done.code == 0, done.err
    assert Path(done.json["model"]) == tmp_path / "model" and Path(done.json["page"]).is_file()
    assert "training" in done.err, "progress goes to stderr"
    assert done.json["evaluation"]["split"] == "test"

    tested = osler("evaluate", tmp_path / "model", pictures, "--out", tmp_path / "tested", "--json")
    assert tested.code == 0, tested.err
    told = tested.json
    assert {"task", "split", "n", "metrics", "per_class"} <= set(told)
    assert told["metrics"]["auc"] == done.json["evaluation"]["metrics"]["auc"], "the same split, the same figures"
    assert (tmp_path / "tested" / "evaluation.html").is_file()

    both = osler(
        "evaluate", tmp_path / "model", pictures, "--split", "all", "--versus", tmp_path / "model", "--json"
    )
    assert both.json["versus"]["metrics"]["auc"]["value"] == 0

    described = osler("data", "show", pictures, "--out", tmp_path / "page.html", "--json")
    assert described.json["classes"] == ["normal", "opacity"] and (tmp_path / "page.html").is_file()
    assert "normal" in osler("data", "show", pictures).out


def test_an_unknown_setting_proposes_the_near_one(osler, pictures: Path, tmp_path: Path) -> None:
    done = osler("train", pictures, "--set", "bacth=3", "--out", tmp_path / "model")
    assert done.code == 2 and "bacth" in done.err and "'batch'" in done.err
    assert not (tmp_path / "model").exists()


def test_a_folder_that_holds_other_things_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AskedWrongly):
        replaceable(tmp_path)
    (tmp_path / "card.json").write_text("{}")
    replaceable(tmp_path)
    assert (tmp_path / "thesis.txt").is_file()


def test_ctrl_c_while_training_stops_softly_and_ends_at_once_otherwise() -> None:
    import signal

    with stoppable(silent) as (tell, stopped):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        tell("training", 1, 2, "")
        assert not stopped()
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
