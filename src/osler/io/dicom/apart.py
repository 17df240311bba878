"""Decoders in a process of its own: a broken stream makes GDCM and CharLS end the process that they work in.

The process starts with the first frame that one of them reads, and ends with ours. It is told over a pipe what to
decode: a line of JSON, then bytes, both ways.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any

import numpy as np

from osler.core.arrays import Array

_LONGEST_SECONDS = 60.0  # for one frame; a mammogram takes two
_LOCK = threading.Lock()
_HELPERS: dict[int, "subprocess.Popen[bytes]"] = {}  # by the process that started it: after a fork it is another's
_HERE: list[bool] = []  # not empty in a process that may end
_TWELVE_BITS = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")


def decode_apart(data: bytes, syntax: str, plugin: str, told: dict[str, Any]) -> Array:
    """One frame, decoded elsewhere.

    data    the frame as PixelData holds it: an empty offset table, then the fragments as items
    plugin  pydicom's name of the decoder: "gdcm" or "pyjpegls"
    told    what pydicom's decoders are told of a frame: rows, columns, bits_stored ...

    Raises ValueError for a stream that it cannot decode, that makes it fall over, or that takes too long.
    """
    if _HERE:
        return _decode(data, syntax, plugin, told)
    with _LOCK:
        helper = _helper()
        assert helper.stdin is not None
        assert helper.stdout is not None
        slow = threading.Timer(_LONGEST_SECONDS, helper.kill)
        slow.start()
        try:
            _send(helper.stdin, {"syntax": syntax, "plugin": plugin, "told": told}, data)
            answer, pixels = _receive(helper.stdout)
        except (OSError, ValueError) as error:
            _HELPERS.pop(os.getpid(), None)
            helper.kill()
            helper.wait()
            raise ValueError("the decoder fell over") from error
        finally:
            slow.cancel()
    if "problem" in answer:
        raise ValueError(answer["problem"])
    return np.frombuffer(pixels, answer["dtype"]).reshape(answer["shape"]).copy()


def started(code: str, **options: Any) -> "subprocess.Popen[bytes]":
    """This Python, in another process, running `code` with the same modules."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, **options
    )


def decode_here() -> None:
    """This process may end: what was to be decoded apart is decoded in it from now on."""
    _HERE.append(True)


def serve() -> None:
    """What the other process does: decode what comes, until nothing comes any more."""
    while True:
        try:
            asked, data = _receive(sys.stdin.buffer)
        except ValueError:
            return
        try:
            array = _decode(data, asked["syntax"], asked["plugin"], asked["told"])
            _send(sys.stdout.buffer, {"dtype": array.dtype.str, "shape": array.shape}, array.tobytes())
        except Exception as error:  # pydicom and GDCM raise many kinds, and all of them are told to who asked
            _send(sys.stdout.buffer, {"problem": type(error).__name__}, b"")


def _helper() -> "subprocess.Popen[bytes]":
    helper = _HELPERS.get(os.getpid())
    if helper is None or helper.poll() is not None:
        helper = started("from osler.io.dicom.apart import serve; serve()", stdout=subprocess.PIPE)
        _HELPERS[os.getpid()] = helper
    return helper


@atexit.register
def _end() -> None:
    helper = _HELPERS.pop(os.getpid(), None)
    if helper is not None:
        helper.kill()
        helper.wait()
        for pipe in (helper.stdin, helper.stdout):
            with suppress(OSError):
                assert pipe is not None
                pipe.close()


def _send(pipe: IO[bytes], head: dict[str, Any], data: bytes) -> None:
    pipe.write(json.dumps({**head, "bytes": len(data)}).encode() + b"\n")
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Raises ValueError when the other side is gone."""
    head = json.loads(pipe.readline())
    data = pipe.read(head["bytes"])
    if len(data) < head["bytes"]:
        raise ValueError("the pipe ended")
    return head, data


def _decode(data: bytes, syntax: str, plugin: str, told: dict[str, Any]) -> Array:
    from pydicom.encaps import get_frame
    from pydicom.pixels import get_decoder

    if syntax in _TWELVE_BITS:
        return _twelve_bits(get_frame(data, 0, number_of_frames=1), syntax, told)
    array, _ = get_decoder(syntax).as_array(data, index=0, decoding_plugin=plugin, **told)
    return np.ascontiguousarray(array)


def _twelve_bits(data: bytes, syntax: str, told: dict[str, Any]) -> Array:
    """Lossy JPEG of twelve bits, which GDCM reads when told the depth; pydicom's plug-in does not try."""
    import gdcm

    if told["samples_per_pixel"] != 1 or told["bits_allocated"] != 16:
        raise ValueError("twelve bits of colour")
    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(data)
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((told["columns"], told["rows"], 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2"))
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, told["pixel_representation"]))
    decoded = image.GetBuffer().encode("utf-8", "surrogateescape")  # bytes come as text
    kind = "<i2" if told["pixel_representation"] else "<u2"
    out: Array = np.frombuffer(decoded, kind, told["rows"] * told["columns"])
    return out.reshape(told["rows"], told["columns"])
