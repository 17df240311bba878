"""Durations, settings, and complaints that help."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as some

from osler.cli.arguments import add_language, duration, new_parser, setting, spoken
from osler.core.errors import AskedWrongly, UnknownChoice
from osler.results.sentences import current


@given(some.integers(0, 99), some.integers(0, 59), some.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(hours: int, minutes: int, seconds: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds
    if total:
        assert duration(f"{hours}h{minutes}m{seconds}s") == total


@pytest.mark.parametrize("text", ["", "10", "ten minutes", "0s", "-5m", "5m10h", "1d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write 90s, 10m or 1h30m"):
        duration(text)


@pytest.mark.parametrize("text", ["", "net", "=softmax"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="KEY=VALUE"):
        setting(text)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert setting("a=b=c") == ("a", "b=c")


def test_an_unknown_option_proposes_the_near_one() -> None:
    parser = new_parser("train", "x", "osler train x")
    parser.add_argument("--budget")
    with pytest.raises(AskedWrongly) as caught:
        parser.parse_args(["--budgte", "3"])
    assert "--budgte" in caught.value.problem and "Did you mean --budget?" in caught.value.remedy


def test_the_language_is_said_or_that_of_the_variable_or_english(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = new_parser("read", "x", "osler read x")
    add_language(parser)
    heard: list[str] = []

    @spoken
    def run(arguments: argparse.Namespace) -> int:
        heard.append(current())
        return 0

    run(parser.parse_args([]))
    monkeypatch.setenv("OSLER_LANG", "zh")
    run(parser.parse_args([]))
    run(parser.parse_args(["--lang", "en"]))
    assert heard == ["en", "zh", "en"] and current() == "en"
    with pytest.raises(UnknownChoice, match="Known: en, zh"):
        parser.parse_args(["--lang", "zz"])
