"""The JSON that programs read."""

import json
import re
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from osler.core.conclusion import Conclusion, Ground, Priority
from osler.core.facts import Facts
from osler.core.finding import Finding
from osler.core.report import KeyPicture, Report
from osler.core.study import Study
from osler.io.open import open_picture
from osler.results.json import REPORT_VERSION, report_to_json, write_report_json

EMPTY = Report("a", "", Facts(), "", (), (), (), (), (), (), "osler 0.1.0", "2026-01-02T03:04:05+00:00")


def test_every_key_is_documented():
    concluded = Conclusion("g", "1", "T", "A", "So.", grounds=(Ground("n", "v"),))
    full = replace(
        EMPTY, findings=(Finding("a", "b"),), conclusions=(concluded,), priority=Priority("now", "It bleeds.")
    )
    plain = report_to_json(full)
    words = set(re.findall(r"\w+", report_to_json.__doc__ or ""))
    keys = {*plain, *plain["study"], *plain["study"]["header"], *plain["findings"][0], *plain["priority"]}
    keys |= {*plain["conclusions"][0], *plain["conclusions"][0]["grounds"][0]}
    assert keys - words == set()
    assert plain["report_version"] == REPORT_VERSION


@given(some.floats())
def test_any_probability_gives_strict_json(probability):
    finding = Finding("a", "b", probability=probability, distribution=(("x", probability),))
    text = json.dumps(report_to_json(replace(EMPTY, findings=(finding,))), allow_nan=False)
    back = json.loads(text)["findings"][0]["probability"]
    assert back == probability if np.isfinite(probability) else back is None


def test_the_pictures_named_lie_beside_it(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (12, 14, 3)).astype(np.uint8)
    (path,) = write_report_json(replace(EMPTY, key_pictures=(KeyPicture("one", pixels),) * 2), Study(()), tmp_path)
    named = [picture["file"] for picture in json.loads(path.read_text())["key_pictures"]]
    assert named == ["picture-1.png", "picture-2.png"]
    for name in named:
        assert (open_picture(tmp_path / name).array == pixels).all()
