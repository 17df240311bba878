"""`osler evaluate` with what a reviewer asks."""

import argparse
from pathlib import Path

import pytest

from osler.cli.evaluate import cost, share


def test_shares_and_costs_as_people_write_them() -> None:
    assert (share("0.95"), share("2%"), cost("5:1"), cost("5"), cost("3:2")) == (0.95, 0.02, 5.0, 5.0, 1.5)
    for text in ("0", "1", "95", "x", "-0.1"):
        with pytest.raises(argparse.ArgumentTypeError):
            share(text)
    for text in ("0", "5:0", "a:b", "-1", "inf"):
        with pytest.raises(argparse.ArgumentTypeError):
            cost(text)


def test_everything_a_reviewer_asks_in_one_command(
    osler, model_folder: Path, pictures: Path, tmp_path: Path
) -> None:
    words = ("--split", "all", "--prevalence", "2%", "--robustness", "--external", pictures)
    done = osler("evaluate", model_folder, pictures, *words, "--out", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert {"decision_curve", "operating_points", "robustness", "external"} <= set(done.json)
    assert done.json["operating_points"][0]["elsewhere"]["prevalence"] == 0.02
    assert "degrading" in done.err
    told = osler("evaluate", model_folder, pictures, *words)
    for line in ("Net benefit:", "Worse pictures", "Elsewhere,", "at a prevalence of 0.02: ppv"):
        assert line in told.out
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "On worse pictures" in page and "Elsewhere: " in page


def test_two_rules_at_once_and_no_validation_are_refused(osler, model_folder: Path, pictures: Path) -> None:
    both = osler("evaluate", model_folder, pictures, "--sensitivity", "0.9", "--cost", "5:1")
    assert both.code == 2 and "not allowed with" in both.err
    none = osler("evaluate", model_folder, pictures, "--sensitivity", "0.9")
    assert none.code == 2 and "validation" in none.err
    column = osler("evaluate", model_folder, pictures, "--by", "scanner")
    assert column.code == 2 and "scanner" in column.err
