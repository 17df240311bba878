"""The edge: answers to stdout, everything else to stderr, and what happened as an exit code."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from osler.core.errors import AskedWrongly, Declined, NoRoom, OslerError

GOOD, FAILED, ASKED_WRONGLY, DECLINED, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = {GOOD: "good", FAILED: "failed", ASKED_WRONGLY: "asked wrongly", DECLINED: "declined"}


def exit_code(error: OslerError) -> int:
    """The process's exit code for an expected failure. The only place where the two are mapped."""
    if isinstance(error, AskedWrongly):
        return ASKED_WRONGLY
    return DECLINED if isinstance(error, Declined) else FAILED


def say(text: str) -> None:
    """The answer, for people, on stdout."""
    sys.stdout.write(text + "\n")


def say_json(value: Any) -> None:
    """The answer, for machines, on stdout. Numbers that are none (NaN, infinity) become null."""
    say(json.dumps(_finite(value), indent=1, ensure_ascii=False, allow_nan=False))


def note(text: str) -> None:
    """A line of the log, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def guarded(work: Callable[[], int], *, as_json: bool, debug: bool) -> int:
    """Run `work`; whatever goes wrong is told in two lines and becomes an exit code, never a traceback.

    as_json  tell failures as {"error": {"kind", "problem", "remedy"}} on stdout
    debug    print the traceback too, on stderr
    """
    try:
        code = work()
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `osler models list | head`: the reader has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        stopped = OslerError("Stopped from the keyboard.", remedy="Run the same command again to go on.")
        return _tell(stopped, kind="Interrupted", as_json=as_json, code=INTERRUPTED)
    except Exception as error:  # the last resort: whatever is raised must end as a sentence
        if debug:
            traceback.print_exc()
        known = as_expected(error)
        if known is not None:
            return _tell(known, kind=type(known).__name__, as_json=as_json, code=exit_code(known))
        return _tell(_defect(error), kind="Defect", as_json=as_json, code=FAILED)


def as_expected(error: Exception) -> OslerError | None:
    """The failure in Osler's own words where it is one that may be expected, else None."""
    if isinstance(error, OslerError):
        return error
    # torch says "DefaultCPUAllocator: can't allocate memory" in a RuntimeError.
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and _no_memory(str(error))):
        return NoRoom(
            "The memory is full.",
            remedy="Close other programs, give smaller pictures, or use a smaller --set batch=N when training.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f": {error.filename} was not written" if error.filename else ""
        return NoRoom(f"The disk is full{where}.", remedy="Free some space and run it again.")
    if isinstance(error, PermissionError):
        what = error.filename or "a file"
        return OslerError(
            f"{what} may not be read or written.", remedy="Change its permissions, or choose another."
        )
    return None


def _no_memory(text: str) -> bool:
    return "can't allocate memory" in text or "out of memory" in text.lower()


def _defect(error: Exception) -> OslerError:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "osler" in Path(frame.filename).parts]
    where = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in (ours or list(frames))[-1:])
    # The message itself may hold a path or a name from a header, so only its type is told.
    return OslerError(
        f"This is a defect in Osler, not in your data: {type(error).__name__}{where}.",
        remedy="Run it again with --debug and report what it prints, after reading it for names of persons.",
    )


def _tell(error: OslerError, *, kind: str, as_json: bool, code: int) -> int:
    if as_json:
        say_json({"error": {"kind": kind, "problem": error.problem, "remedy": error.remedy}})
    else:
        note(f"osler: {error.problem}\n  → {error.remedy}")
    return code


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):  # numpy, without importing it
        return _finite(value.tolist())
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
