"""Codes, sentences and JSON at the edge."""

import errno
import json

import pytest

from osler.cli import output
from osler.core.errors import AskedWrongly, BadModel, Declined, NoRoom, OslerError, UnknownChoice, Unreadable


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OslerError("a", remedy="b"), 1),
        (Unreadable("a", remedy="b"), 1),
        (BadModel("a", remedy="b"), 1),
        (NoRoom("a", remedy="b"), 1),
        (AskedWrongly("a", remedy="b"), 2),
        (UnknownChoice("a", remedy="b"), 2),
        (Declined("a", remedy="b"), 3),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 1),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 1),
        (OSError(errno.ENOSPC, "No space left on device", "x.nii.gz"), 1),
        (PermissionError(errno.EACCES, "Permission denied", "/somewhere/x"), 1),
        (ZeroDivisionError("secret name"), 1),
    ],
)
def test_every_failure_is_two_lines_and_a_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert output.guarded(lambda: _raise(error), as_json=False, debug=False) == code
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    problem, remedy = captured.err.splitlines()
    assert problem.startswith("osler: ") and remedy.startswith("  → ")


def test_json_failures_say_kind_problem_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert output.guarded(lambda: _raise(Unreadable("a", remedy="b")), as_json=True, debug=False) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": {"kind": "Unreadable", "problem": "a", "remedy": "b"}}
    assert captured.err == ""


def test_a_full_disk_and_a_full_memory_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    output.guarded(lambda: _raise(OSError(errno.ENOSPC, "", "x.nii.gz")), as_json=False, debug=False)
    assert "The disk is full: x.nii.gz was not written" in capsys.readouterr().err
    output.guarded(lambda: _raise(MemoryError()), as_json=False, debug=False)
    assert "The memory is full" in capsys.readouterr().err


def test_a_defect_names_type_and_line_but_not_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    output.guarded(lambda: _raise(KeyError("Jane Doe")), as_json=False, debug=False)
    said = capsys.readouterr().err
    assert "defect in Osler" in said and "KeyError at " in said and ".py:" in said and "Jane" not in said


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    output.guarded(lambda: _raise(KeyError("x")), as_json=False, debug=True)
    assert "Traceback" in capsys.readouterr().err


def test_json_has_null_where_a_number_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    output.say_json({"a": float("nan"), "b": (np.float32(1.5), np.arange(2)), "c": float("inf")})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1.5, [0, 1]], "c": None}
