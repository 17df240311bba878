import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest

from osler.core.report import NOT_A_DEVICE
from osler.lab.evaluate.answers import TASKS, Answers
from osler.lab.evaluate.compare import compare
from osler.lab.evaluate.evaluate import score
from osler.lab.evaluate.report import write_report

PLOTS = {
    "binary": {"ROC", "Precision and recall", "Reliability", "Confusion"},
    "multiclass": {"ROC", "Precision and recall", "Reliability", "Confusion"},
    "ordinal": {"ROC", "Precision and recall", "Reliability", "Confusion"},
    "multilabel": {"ROC", "Precision and recall", "Reliability"},
    "regression": {"Answer and truth"},
    "segmentation": {"Dice, one dot a case", "Surface Dice (NSD), one dot a case"},
}


class Balanced(HTMLParser):
    """Every opened tag is closed, in order."""

    EMPTY = ("meta", "link", "img", "br")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_a_page_that_needs_nothing_else(task, made_up, tmp_path):
    found = score(made_up(task), split="test")
    picture = ("Worst", "said pneumonia, was normal", np.zeros((8, 8, 3), np.uint8))
    place = write_report(found, tmp_path / "here", title="A title", about={"Model": "made up"}, pictures=[picture])
    page = place.read_text("utf-8")
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert NOT_A_DEVICE in page and "A title" in page and "made up" in page and "said pneumonia" in page
    for heading in ("What was tested", "On whom", "Numbers", "Plots", "Worst and best cases", "Limits"):
        assert f"<h2>{heading}</h2>" in page
    assert set(re.findall(r'<svg role="img" aria-label="(.*?)"', page)) == PLOTS[task]
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert links and all(link.startswith(("data:", "#")) for link in links)
    first = next(iter(found.metrics.values()))
    assert (f"{first.value:.3f}" if first.value < 10 else f"{first.value:.1f}") in page
    assert json.loads((tmp_path / "here" / "evaluation.json").read_text()) == json.loads(
        json.dumps(found.to_json())
    )
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["evaluation.html", "evaluation.json"]


def test_names_cannot_write_into_the_page(made_up, tmp_path):
    them = made_up("binary")
    hostile = Answers(
        them.task, ("<b>no", "<script>x</script>"), them.ids, them.patients, them.probabilities, truth=them.truth
    )
    place = write_report(score(hostile, split="<i>test"), tmp_path, title="<script>", about={"<u>": "</td>"})
    page = place.read_text("utf-8")
    assert "<script>" not in page and "<b>no" not in page and "<i>test" not in page and "<u>" not in page


def test_a_comparison_stands_on_the_page_and_in_the_json(made_up, tmp_path):
    first, second = (made_up("binary", skill=skill) for skill in (3.0, 0.5))
    place = write_report(score(first, split="test"), tmp_path, title="t", comparison=compare(first, second))
    assert "Against the other model" in place.read_text("utf-8")
    written = json.loads((tmp_path / "evaluation.json").read_text())
    assert set(written["comparison"]["metrics"]["auc"]) == {"first", "second", "value", "low", "high", "p"}


def test_what_is_not_defined_is_said_so(tmp_path):
    them = Answers("binary", ("no", "yes"), ("1", "2"), ("a", "b"), np.full((2, 2), 0.5), truth=np.zeros(2))
    page = write_report(score(them, split="test"), tmp_path, title="t").read_text("utf-8")
    assert "not defined" in page and "nan" not in page.lower().replace("finance", "")


def test_empty_masks_have_a_page_too(made_up, tmp_path):
    absent = {"dice": np.nan, "hd95_mm": np.nan, "nsd": np.nan, "volume_ml": 0.0, "reference_ml": 0.0}
    absent |= {"lesions": 0.0, "lesions_found": 0.0, "false_lesions": 0.0}
    them = Answers("segmentation", ("a",), ("1", "2"), ("p", "q"), masks=({"a": absent},) * 2)
    assert "not defined" in write_report(score(them, split="test"), tmp_path, title="t").read_text("utf-8")


def test_the_same_evaluation_makes_the_same_page(made_up, tmp_path):
    found = score(made_up("ordinal"), split="test")
    pages = [write_report(found, tmp_path / name, title="t").read_bytes() for name in ("a", "b")]
    assert pages[0] == pages[1]


def test_a_page_is_made_quickly(made_up, tmp_path):
    found = score(made_up("multilabel"), split="test")
    write_report(found, tmp_path, title="t")
    start = time.perf_counter()
    write_report(found, tmp_path, title="t")
    assert time.perf_counter() - start < 5


def test_scoring_needs_neither_torch_nor_plots():
    code = (
        "import sys; import osler.lab.evaluate.report, osler.lab.evaluate.evaluate\n"
        "heavy = ('torch', 'matplotlib', 'pandas', 'sklearn', 'SimpleITK', 'scipy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )
