"""Why, in a reading: a map that passed its checks, and the cases it is like."""

import json

import numpy as np
import pytest
import torch

from osler.clinic.pathways.why import ways_named
from osler.clinic.reading import answer_of, read_study
from osler.core.errors import UnknownChoice
from osler.core.facts import Facts
from osler.core.image import Image
from osler.core.study import Study
from osler.models.card import Sees
from osler.models.likeness import FeatureSpace
from osler.models.model import TorchNet
from osler.models.nets.resnet import ResNet
from osler.models.trust import Trust
from osler.results.html import report_to_html
from osler.results.json import report_to_json

CHEST = Sees("a frontal radiograph of the chest", 2, ("image",), ("CR",), ("CHEST",))


def net(outputs=2) -> TorchNet:
    """Says the last class of what is bright in one place."""
    module = ResNet(dims=2, planes=1, outputs=outputs, size=(32, 32), widths=(4, 6), blocks=1)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, torch.nn.Conv2d):
                part.weight.fill_(1 / part.weight[0].numel())
        module.linear.weight[:] = torch.linspace(-0.05, 0.05, outputs)[:, None]
        module.linear.bias.zero_()
    return TorchNet(module)


def film(at=(60, 90)) -> Study:
    rows, columns = np.indices((120, 160))
    spot = 200 * np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / 200)
    grain = np.random.default_rng(0).normal(20, 3, (120, 160))
    facts = Facts(modality="CR", body_part="CHEST")
    return Study((Image((spot + grain).clip(0, 255).astype(np.uint8), facts=facts),), facts, name="a film")


@pytest.fixture
def chest(bench, monkeypatch):
    """A model of bright spots. Every net marks the only spot, so the check by other weights is left out."""
    from osler.explain import why

    monkeypatch.setattr(why, "likeness_when_redrawn", lambda *_: 0.1)
    bench.add("spots", "binary", ("NORMAL", "BRIGHTNESS"), CHEST, net())
    return bench


def test_a_reading_shows_why(chest):
    report = read_study(film(), chest.shelf)
    (reason,) = report.reasons
    assert reason.way in ("gradcam", "finer") and reason.about == "Brightness"
    (shown,) = reason.pictures
    assert shown == len(report.key_pictures) - 1 and "no outline" in report.key_pictures[shown].title
    assert "passed its checks" in reason.statement and "19 tries" in reason.statement
    figures = dict(reason.figures)
    assert figures["fall_marked"] > figures["fall_elsewhere_most"] and 0 <= figures["likeness_redrawn"] < 0.5
    # The map is marked around the spot: row 60 of 120 and column 90 of 160, on a page 720 wide.
    plain, marked = report.key_pictures[0].pixels, report.key_pictures[shown].pixels[:540]
    changed = np.argwhere(np.abs(plain.astype(int) - marked).max(axis=2) > 40)
    assert np.abs(changed.mean(axis=0) - np.array([60, 90]) * 4.5).max() < 40
    assert dict(report.seconds)["explain"] > 0


def test_page_and_json_hold_the_reasons(chest):
    report = read_study(film(), chest.shelf)
    page = report_to_html(report)
    assert page.count("data:image/png") == len(report.key_pictures)
    assert report.reasons[0].statement.replace("'", "&#39;") in page and "no proof" in page
    told = json.loads(json.dumps(report_to_json(report)))["reasons"][0]
    assert told["files"] == ["picture-2.png"] and told["figures"]["elsewhere"] == 19


def test_it_can_be_left_out_and_chosen(chest):
    plain = read_study(film(), chest.shelf, explain="no")
    assert plain.reasons == () and len(plain.key_pictures) == 1
    (reason,) = read_study(film(), chest.shelf, explain="occlusion").reasons
    assert reason.way == "occlusion"
    with pytest.raises(UnknownChoice, match="gradcamm"):
        read_study(film(), chest.shelf, explain="gradcamm")
    assert ways_named("similar, gradcam,similar") == ("similar", "gradcam") and ways_named("no") == ()


def test_a_declined_study_shows_no_map(chest):
    report = read_study(
        Study((Image(np.zeros((120, 160), np.uint8), facts=film().facts),), film().facts), chest.shelf
    )
    assert report.declined and report.reasons == () and report.key_pictures == ()
    foot = Facts(modality="CR", body_part="FOOT")
    model = chest.load(chest.folder / "spots")
    answer = answer_of(Study((Image(film().pictures[0].array, facts=foot),), foot), model)
    assert isinstance(answer, tuple) and "FOOT" in answer[0].what


def test_a_map_that_fails_is_not_shown_but_told(chest, monkeypatch):
    from osler.explain import why

    monkeypatch.setattr(
        why, "falls", lambda nets, question, pictures: tuple(float(n) for n in range(len(pictures)))
    )
    report = read_study(film(), chest.shelf)
    assert [reason.way for reason in report.reasons] == ["finer", "gradcam"] and len(report.key_pictures) == 1
    assert all("did not pass" in reason.statement and reason.pictures == () for reason in report.reasons)


def test_similar_cases_are_counted_and_never_named(chest, monkeypatch):
    from dataclasses import replace

    from osler.models import model as models

    features = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float16)
    space = FeatureSpace(features.mean(0), np.eye(6), features, np.arange(40) % 2)
    monkeypatch.setattr(
        models, "load_model", lambda folder, device="cpu": replace(chest.load(folder), space=space)
    )
    *_, like = read_study(film(), chest.shelf).reasons
    assert like.way == "similar" and like.pictures == () and "40 cases compared" in like.statement
    figures = dict(like.figures)
    assert figures["neighbours"] == 5 and 0 <= figures["agreeing"] <= 5
    assert f"{figures['agreeing']:.0f} are labelled Brightness" in like.statement


def test_grades_labels_and_numbers_say_what_is_explained(bench):
    bench.add("grade", "ordinal", ("0", "1", "2"), CHEST, net(2))
    (reason, *_) = read_study(film(), bench.shelf, explain="occlusion").reasons
    assert reason.about in ("0", "'1' or worse", "2")
    bench.add("labels", "multilabel", ("a", "b", "c"), CHEST, net(3), trust=Trust(operating_point=0.5001))
    report = read_study(film(), bench.shelf, pathway="labels", explain="occlusion")
    assert [reason.about for reason in report.reasons] == [f.name for f in report.findings if f.present][::-1]
    bench.add("number", "regression", ("age",), CHEST, net(1))
    (reason,) = read_study(film(), bench.shelf, pathway="number", explain="occlusion").reasons
    assert reason.about == "Age" and "lowers Age by" in reason.statement


def test_an_outline_explains_itself(starters, noise):
    from osler.core.geometry import Geometry
    from osler.core.volume import Volume

    facts = Facts(modality="MR", body_part="HIPPOCAMPUS")
    volume = Volume(noise(32, 32, 32).astype(np.float32), Geometry.from_spacing((32,) * 3, (1, 1, 1)), facts=facts)
    report = read_study(Study((volume,), facts), starters.shelf)
    assert not report.declined and report.reasons == ()
