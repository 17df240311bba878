"""A decoder that ends its process does not end ours."""

import io

import numpy as np
import pytest
from pydicom.encaps import encapsulate

from osler.io.dicom import apart
from osler.io.dicom.apart import decode_apart

BASELINE, LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"


def told(**changes: object) -> dict[str, object]:
    return {
        "rows": 16,
        "columns": 16,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_representation": 0,
        "bits_allocated": 8,
        "bits_stored": 8,
        "planar_configuration": 0,
        "pixel_keyword": "PixelData",
        **changes,
    }


def lossy() -> bytes:
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(np.full((16, 16), 77, np.uint8)).save(held, "JPEG", quality=95)
    return encapsulate([held.getvalue()], has_bot=False)


def test_rubbish_is_told_and_the_next_frame_is_decoded():
    for data in (b"\0\0", b"\xff\xd8\xff\xd9", bytes(300)):
        with pytest.raises(ValueError):
            decode_apart(encapsulate([data], has_bot=False), LOSSLESS, "gdcm", told())
    found = decode_apart(lossy(), BASELINE, "gdcm", told())
    assert np.abs(found.astype(int) - 77).max() <= 1


def test_a_process_that_ended_is_started_again():
    decode_apart(lossy(), BASELINE, "gdcm", told())
    helper = apart._helper()
    helper.kill()
    helper.wait()
    assert decode_apart(lossy(), BASELINE, "gdcm", told()).shape == (16, 16)
    assert apart._helper() is not helper


def test_a_process_that_ends_meanwhile_is_told(monkeypatch):
    import subprocess

    monkeypatch.setattr(apart, "_helper", lambda: apart.started("print()", stdout=subprocess.PIPE))
    with pytest.raises(ValueError, match="fell over"):
        decode_apart(lossy(), LOSSLESS, "gdcm", told())


def test_a_frame_that_takes_too_long_is_given_up(monkeypatch):
    import subprocess

    monkeypatch.setattr(apart, "_LONGEST_SECONDS", 0.2)
    slow = "import time; time.sleep(60)"
    monkeypatch.setattr(apart, "_helper", lambda: apart.started(slow, stdout=subprocess.PIPE))
    with pytest.raises(ValueError, match="fell over"):
        decode_apart(lossy(), LOSSLESS, "gdcm", told())


def test_a_process_that_may_end_decodes_by_itself(monkeypatch):
    monkeypatch.setattr(apart, "_HERE", [])
    monkeypatch.setattr(apart, "_helper", lambda: pytest.fail("asked another process"))
    apart.decode_here()
    assert decode_apart(lossy(), BASELINE, "gdcm", told()).shape == (16, 16)
