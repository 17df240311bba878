"""RECIST 1.1 and iRECIST: targets, nadir, the table of overall responses, the state under immune therapy."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.clinic.guidelines.decide import decide
from osler.clinic.guidelines.recist import (
    RECIST,
    Sums,
    Target,
    choose_targets,
    immune_state,
    measurable,
    response,
)
from osler.core.errors import AskedWrongly
from osler.core.quantity import Quantity


def sums(*mm: float, day: float | None = None) -> Sums:
    """Targets L1, L2, ... of these diameters, 0 meaning absent, each in an organ of its own."""
    targets = (
        Target(f"L{n}", x, site=f"organ {n}", state="measured" if x else "absent") for n, x in enumerate(mm, 1)
    )
    return Sums(tuple(targets), day)


def answer(baseline: Sums, earlier: list[Sums], now: Sums, **known: object) -> str:
    given = {"non_target": "none", "new_lesions": False} | known
    return response(baseline, earlier, now, **given).category


@pytest.mark.parametrize(
    ("baseline", "nadir", "now", "expected"),
    [
        (100, 100, 70.1, "SD"),
        (100, 100, 70.0, "PR"),
        (100, 100, 69.9, "PR"),
        (100, 100, 119.9, "SD"),
        (100, 100, 120.0, "PD"),
        (100, 100, 120.1, "PD"),
        (100, 50, 59.9, "PR"),  # above the nadir by less than 20 %
        (100, 50, 60.0, "PD"),
        (40.5, 40.5, 48.6, "PD"),  # 20 % to the last tenth, whatever the floating point says
        (100, 20, 24.9, "PR"),  # 24.5 % but less than 5 mm
        (100, 20, 25.0, "PD"),  # 5 mm
        (100, 24.9, 29.9, "PD"),
        (100, 25.1, 30.1, "PR"),  # 5 mm, but 19.9 %
        (100, 80, 100, "PD"),  # back to the baseline is progression from the nadir
    ],
)
def test_the_limits_of_the_target_response(baseline, nadir, now, expected):
    assert answer(sums(baseline), [sums(nadir)], sums(now)) == expected
    table = {"baseline_mm": baseline, "nadir_mm": nadir, "now_mm": now, "non_target": "none", "new_lesions": False}
    assert decide(RECIST, table).category == expected


def test_the_nadir_is_the_smallest_sum_and_may_be_the_baseline():
    assert answer(sums(100), [sums(130), sums(110)], sums(118)) == "SD"
    assert answer(sums(100), [sums(60), sums(90)], sums(72)) == "PD"
    assert answer(sums(100), [sums(90), sums(60)], sums(72)) == "PD"


# Eisenhauer 2009, table 1: targets, non-targets, new lesions -> overall. None: any.
PRINTED = [
    ("CR", "complete", False, "CR"),
    ("CR", "none", False, "CR"),
    ("CR", "persistent", False, "PR"),
    ("CR", "not-evaluated", False, "PR"),
    ("PR", "complete", False, "PR"),
    ("PR", "persistent", False, "PR"),
    ("PR", "not-evaluated", False, "PR"),
    ("SD", "complete", False, "SD"),
    ("SD", "persistent", False, "SD"),
    ("SD", "not-evaluated", False, "SD"),
    ("NE", "complete", False, "NE"),
    ("NE", "persistent", False, "NE"),
    ("PD", None, None, "PD"),
    (None, "progression", None, "PD"),
    (None, None, True, "PD"),
]
NOW = {"CR": sums(0, 0), "PR": sums(30, 30), "SD": sums(50, 45), "PD": sums(70, 60)}
NOW["NE"] = Sums((Target("L1", 45, site="organ 1"), Target("L2", site="organ 2", state="not-evaluated")))


@pytest.mark.parametrize(("targets", "others", "new", "expected"), PRINTED)
def test_the_printed_table_of_overall_responses(targets, others, new, expected):
    for now, non_target, fresh in itertools.product(
        [targets] if targets else NOW,
        [others] if others else ["none", "complete", "persistent", "progression", "not-evaluated"],
        [new] if new is not None else [True, False],
    ):
        found = answer(sums(50, 50), [], NOW[now], non_target=non_target, new_lesions=fresh)
        assert found == expected, (now, non_target, fresh)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ("complete", "CR"),
        ("persistent", "Non-CR/Non-PD"),
        ("not-evaluated", "NE"),
        ("progression", "PD"),
        ("none", ""),
    ],
)
def test_without_targets_the_others_decide(others, expected):
    assert answer(Sums(()), [], Sums(()), non_target=others) == expected
    assert answer(Sums(()), [], Sums(()), non_target=others, new_lesions=True) == "PD"


def node(name: str, mm: float) -> Target:
    return Target(name, mm, node=True)


@pytest.mark.parametrize(("mm", "expected"), [(9.9, "CR"), (10.0, "PR")])
def test_a_complete_response_has_nodes_below_ten_millimetres(mm, expected):
    start = Sums((Target("L1", 30, site="liver"), node("N1", 20)))
    now = Sums((Target("L1", site="liver", state="absent"), node("N1", mm)))
    assert answer(start, [], now) == expected


def test_a_node_near_ten_millimetres_leaves_the_complete_response_open():
    start = Sums((Target("L1", 30, site="liver"), node("N1", 20)))
    now = Sums((Target("L1", site="liver", state="absent"), node("N1", Quantity(9.5, "mm", low=8.9, high=10.2))))
    found = response(start, [], now, non_target="none", new_lesions=False)
    assert (found.category, found.nearby) == ("CR", ("PR",))


def test_a_target_too_small_to_measure_counts_five_millimetres():
    now = Sums((Target("L1", site="organ 1", state="too-small"), Target("L2", 31, site="organ 2")))
    found = response(sums(50, 50), [], now, non_target="none", new_lesions=False)
    assert "sum 36 mm" in found.statement


def test_what_was_not_evaluated_cannot_respond_but_may_progress():
    missing = Target("L2", site="organ 2", state="not-evaluated")
    assert answer(sums(50, 50), [], Sums((Target("L1", 20, site="organ 1"), missing))) == "NE"
    assert answer(sums(50, 50), [], Sums((Target("L1", 20, site="organ 1"),))) == "NE"
    assert answer(sums(50, 50), [], Sums((Target("L1", 130, site="organ 1"), missing))) == "PD"


def test_a_time_at_which_a_target_was_not_evaluated_is_no_nadir():
    gap = Sums((Target("L1", 20, site="organ 1"),))
    assert answer(sums(50, 50), [gap], sums(50, 45)) == "SD"


def test_what_comes_back_after_a_complete_response_is_progression():
    assert answer(sums(50, 50), [sums(0, 0)], sums(3, 0)) == "PD"
    assert answer(sums(50, 50), [sums(0, 20)], sums(3, 20)) == "PR"
    one_alone = Sums((Target("L1", site="organ 1", state="absent"),))  # the other was not evaluated
    assert answer(sums(50, 50), [one_alone], sums(3, 20)) == "PR"


def test_the_interval_of_a_sum_adds_the_ends():
    now = Sums(
        (
            Target("L1", Quantity(35, "mm", low=33, high=38), site="organ 1"),
            Target("L2", 33, site="organ 2"),
        )
    )
    assert now.total == Quantity(68, "mm", 66, 71)
    found = response(sums(50, 50), [], now, non_target="none", new_lesions=False)
    assert (found.category, found.nearby) == ("PR", ("SD",))


def test_new_lesions_must_be_known_unless_it_is_progression_anyway():
    assert "new lesions" in response(sums(100), [], sums(70), non_target="none").refused
    assert response(sums(100), [], sums(130), non_target="none").category == "PD"


@pytest.mark.parametrize(
    ("baseline", "earlier", "now", "word"),
    [
        (sums(50, day=10), [], sums(50, day=3), "order of time"),
        (sums(50, day=0), [sums(50, day=90)], sums(50, day=60), "order of time"),
        (sums(50, day=0), [sums(50, day=-5)], sums(50, day=60), "order of time"),
        (sums(50), [], sums(50, 20), "not one of the baseline's"),
        (sums(9.9), [], sums(12), "could not be measured"),
        (Sums((node("N1", 14.9),)), [], Sums((node("N1", 12),)), "could not be measured"),
        (sums(50), [], Sums((Target("L1", 50), Target("L1", 50))), "twice"),
        (sums(*[20] * 6), [], sums(*[20] * 6), "more than 5"),
        (
            Sums(tuple(Target(f"L{n}", 20, site="liver") for n in range(3))),
            [],
            Sums(()),
            "more than 2 in one organ",
        ),
        (sums(50), [], Sums((Target("L1", 20, state="gone"),)), "state"),
        (sums(50), [], Sums((Target("L1"),)), "no size"),
        (sums(50), [], Sums((node("L1", 20),)), "lymph node"),
    ],
)
def test_targets_that_do_not_add_up(baseline, earlier, now, word):
    with pytest.raises(AskedWrongly, match=word):
        response(baseline, earlier, now, non_target="none", new_lesions=False)


def test_other_techniques_cannot_be_compared():
    assert response(sums(50), [], sums(20), non_target="none", new_lesions=False, same_technique=False).refused


@pytest.mark.parametrize(
    ("slice_mm", "longest", "expected"),
    [
        (5, 9.9, "non-target"),
        (5, 10, "measurable"),
        (1, 10, "measurable"),
        (6, 11.9, "non-target"),
        (6, 12, "measurable"),
        (5.1, 10.1, "non-target"),
    ],
)
def test_measurable_lesions(slice_mm, longest, expected):
    assert measurable(node=False, longest_mm=longest, slice_mm=slice_mm).category == expected


@pytest.mark.parametrize(
    ("short", "slice_mm", "expected"),
    [
        (9.9, 5, "normal"),
        (10, 5, "non-target"),
        (14.9, 5, "non-target"),
        (15, 5, "measurable"),
        (15, 8, "non-target"),
        (16, 8, "measurable"),
    ],
)
def test_measurable_nodes(short, slice_mm, expected):
    assert measurable(node=True, short_mm=short, slice_mm=slice_mm).category == expected


def test_targets_are_the_largest_at_most_five_and_two_of_an_organ():
    lesions = [
        Target("A", 40, site="liver"),
        Target("B", 35, site="Liver "),
        Target("C", 30, site="liver"),
        Target("D", 9, site="lung"),
        Target("E", 12, site="lung"),
        *(node(f"N{n}", mm) for n, mm in enumerate((25, 20, 18, 14))),
        Target("F", 11, site="spleen"),
    ]
    assert [one.name for one in choose_targets(lesions, 5.0)] == ["A", "B", "N0", "N1", "E"]
    assert [one.name for one in choose_targets(lesions, 6.0)] == ["A", "B", "N0", "N1", "E"]
    assert choose_targets([Target("D", 9.9, site="lung")], 5.0) == ()


def test_lesions_of_unknown_site_are_not_one_organ():
    assert len(choose_targets([Target(f"L{n}", 20 + n) for n in range(7)], 5.0)) == 5


@pytest.mark.parametrize(
    ("recist", "before", "further", "weeks", "expected"),
    [
        ("PD", False, None, None, "iUPD"),
        ("PD", True, True, 3.9, "iUPD"),
        ("PD", True, True, 4, "iCPD"),
        ("PD", True, True, 8, "iCPD"),
        ("PD", True, False, 6, "iUPD"),
        ("SD", True, None, 6, "iSD"),
        ("PR", True, None, 6, "iPR"),
        ("CR", False, None, None, "iCR"),
        ("NE", True, None, 6, "NE"),
        ("Non-CR/Non-PD", False, None, None, "Non-iCR/Non-iUPD"),
        ("PD", True, None, 6, ""),
    ],
)
def test_the_state_under_immune_therapy(recist, before, further, weeks, expected):
    found = immune_state(recist, unconfirmed=before, further=further, weeks_since=weeks)
    assert found.category == expected


mm = st.floats(10, 200)


@given(mm, st.lists(st.floats(0.1, 200), max_size=3), st.floats(0.1, 300))
def test_progression_of_targets_iff_twenty_percent_and_five_millimetres_above_the_nadir(first, between, last):
    nadir = min([first, *between])
    expected = last - nadir >= 5 - 1e-9 and last >= 1.2 * nadir - 1e-9
    close = min(abs(last - nadir - 5), abs(last - 1.2 * nadir)) < 1e-6
    found = answer(sums(first), [sums(x) for x in between], sums(last))
    assert close or (found == "PD") == expected
    if not expected and not close and abs(last - 0.7 * first) > 1e-6:
        assert found == ("PR" if last <= 0.7 * first else "SD")


@given(mm, st.floats(0.1, 200), st.floats(0.1, 300), st.floats(0, 100))
def test_a_larger_sum_is_never_a_better_response(first, nadir, last, more):
    order = ("CR", "PR", "SD", "PD")
    small, large = (answer(sums(first), [sums(nadir)], sums(x)) for x in (last, last + more))
    assert order.index(small) <= order.index(large)
