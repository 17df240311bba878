"""From a fingerprint to a plan."""

import math
from dataclasses import replace

import pytest

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.lab.plan.ask import Ask
from osler.lab.plan.fingerprint import ChannelPrint, Fingerprint
from osler.lab.plan.plan import check_settings, read_plan, with_settings, write_plan
from osler.lab.plan.rules import Machine, make_plan
from osler.models.model import build_net

CPU = Machine(False, 16 << 30)
GREY = ChannelPrint("image", "", True, 0, 255, (120.0,), (50.0,))
CT = ChannelPrint("CT", "CT", False, -900, 1200, (60.0,), (80.0,))


def looks(**changes):
    base = Fingerprint(
        cases=160, patients=160, dims=3, colour=False, shape=(36, 51, 35), largest=(47, 59, 43), uniform=False,
        spacing=(1.0, 1.0, 1.0), spacing_fine=(1.0, 1.0, 1.0), channels=(replace(CT, modality="MR"),),
        counts=(160, 160, 160), foreground=0.05,
    )  # fmt: skip
    return replace(base, **changes)


def flat(**changes):
    return looks(
        dims=2, shape=(28, 28), largest=(28, 28), spacing=None, spacing_fine=None, channels=(GREY,), **changes
    )


def segmentation(fingerprint, **settings):
    ask = Ask(settings=settings)
    return make_plan(fingerprint, ask, CPU, task="segmentation", classes=("background", "a", "b"))


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((36, 51, 35), (1.0, 1.0, 1.0)), ((20, 320, 320), (3.6, 0.6, 0.6)), ((114, 215, 252), (3.27, 0.98, 0.98)),
     ((5, 256, 256), (8.0, 1.0, 1.0)), ((12, 12, 12), (1.0, 1.0, 1.0)), ((160, 512, 512), (2.5, 0.8, 0.8))],
)  # fmt: skip
def test_every_window_fits_its_net_and_the_machine(shape, spacing):
    plan = segmentation(looks(shape=shape, largest=shape, spacing=spacing, spacing_fine=spacing))
    strides = plan.net.arguments["strides"]
    for axis, size in enumerate(plan.recipe.size):
        total = math.prod(stride[axis] for stride in strides)
        assert size % total == 0
        assert size // total >= min(2, size)
    assert math.prod(plan.recipe.size) <= 1.6 * 44**3
    build_net(plan.net, plan.recipe, 3)


def test_thick_slices_are_not_shrunk_before_the_plane_has_caught_up():
    plan = segmentation(looks(shape=(20, 320, 320), spacing=(6.0, 0.6, 0.6), spacing_fine=(3.0, 0.6, 0.6)))
    assert plan.recipe.spacing == (3.0, 0.6, 0.6)  # the 10th percentile of the thick axis
    assert plan.net.arguments["strides"][1] == (1, 2, 2)
    assert plan.net.arguments["kernels"][0] == (1, 3, 3)
    assert plan.augmentation.in_plane
    assert 0 not in plan.augmentation.flips


def test_numbers_are_normalized_by_what_they_mean():
    rows = (CT, replace(CT, name="PET", modality="PT", low=0.1, high=9.0), replace(CT, name="T1", modality="MR"))
    how = [c.normalization.how for c in segmentation(looks(channels=rows)).recipe.channels]
    assert how == ["clip", "clip", "zscore"]
    first = segmentation(looks(channels=rows)).recipe.channels[0].normalization
    assert (first.low, first.high, first.mean, first.std) == (-900, 1200, (60.0,), (80.0,))


def test_every_choice_that_follows_from_the_data_has_a_reason():
    plan = segmentation(looks())
    assert {"spacing", "size", "strides", "batch", "widths", "normalization of CT"} <= set(plan.because)
    assert all(len(reason) > 10 for reason in plan.because.values())


def test_small_sets_get_several_nets_and_large_ones_one():
    def members(cases):
        return make_plan(flat(cases=cases), Ask(), CPU, task="binary", classes=("a", "b")).training.members

    assert members(500) > 1
    assert members(100_000) == 1


def test_few_tiny_pictures_get_narrow_nets_that_see_each_often():
    def plan(cases, seconds):
        asked = Ask(budget_seconds=seconds)
        return make_plan(flat(cases=cases), asked, CPU, task="binary", classes=("a", "b"))

    few, many, hasty = plan(546, 600), plan(4708, 600), plan(546, 60)
    assert max(few.net.arguments["widths"]) < max(many.net.arguments["widths"])
    assert few.training.members > 1 and hasty.training.members == 1  # one net learnt well before a second one


def test_a_plan_survives_its_file_and_a_wrong_field_is_named(tmp_path):
    plan = segmentation(looks())
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    text = (tmp_path / "plan.json").read_text().replace('"batch": ', '"batch": "many", "was": ')
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(AskedWrongly, match="was"):
        read_plan(tmp_path / "plan.json")


def test_settings_by_hand_win_and_say_so():
    plan = segmentation(looks(), batch="7", rotate="0", widths="[8,16,32,64]")
    assert plan.training.batch == 7
    assert plan.augmentation.rotate == 0
    assert plan.net.arguments["widths"] == (8, 16, 32, 64)
    assert plan.because["batch"] == "set by hand"
    with pytest.raises(UnknownChoice, match="'bach'"):
        with_settings(plan, {"bach": "7"})
    with pytest.raises(AskedWrongly, match="batch should be int"):
        with_settings(plan, {"batch": "many"})


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("batch", "0", "batch cannot be 0"),
        ("widths", "wide", "widths should be a list"),
        ("widths", "[]", "empty"),
        ("widths", "[8,-8]", "widths cannot be -8"),
        ("rate", "NaN", "rate cannot be nan"),
        ("members", "0", "members cannot be 0"),
        ("precision", "half", "no precision named 'half'"),
        ("net", "resent", "no net named 'resent'"),
    ],
)
def test_choices_that_cannot_be_are_refused_before_the_data_are_looked_at(name, text, told):
    with pytest.raises(AskedWrongly, match=told):
        check_settings({name: text})


def test_so_are_those_of_an_edited_file_and_those_that_the_pictures_cannot_have(tmp_path):
    plan = segmentation(looks())
    write_plan(replace(plan, training=replace(plan.training, members=0)), tmp_path / "plan.json")
    with pytest.raises(AskedWrongly, match="members cannot be 0"):
        read_plan(tmp_path / "plan.json")
    write_plan(replace(plan, net=replace(plan.net, arguments={"widths": "wide"})), tmp_path / "plan.json")
    with pytest.raises(AskedWrongly, match="widths should be a list"):
        read_plan(tmp_path / "plan.json")
    for name, text in (("size", "[28]"), ("spacing", "[1,1,1]"), ("flips", "[0,2]")):
        with pytest.raises(AskedWrongly, match=name):
            make_plan(flat(), Ask(settings={name: text}), CPU, task="binary", classes=("a", "b"))
    for task, net in (("segmentation", "softmax"), ("binary", "unet")):
        with pytest.raises(AskedWrongly, match=f"The net {net} does not learn {task}"):
            make_plan(looks(), Ask(settings={"net": net}), CPU, task=task, classes=("a", "b"))


def test_the_textbook_net_is_trained_as_in_the_textbook():
    plan = make_plan(flat(), Ask(settings={"net": "softmax"}), CPU, task="binary", classes=("a", "b"))
    assert (plan.net.name, plan.training.optimizer, plan.training.rate) == ("softmax", "descent", 0.5)
    assert plan.augmentation.flips == ()
