"""What a header proposes for display."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from osler.core.errors import Unreadable
from osler.imaging.window import Window, looked_up
from osler.io.dicom.voi import tables_of, windows_of


def test_windows_of_a_header_and_only_those_that_can_be():
    header = pydicom.Dataset()
    header.WindowCenter, header.WindowWidth = [40, -600, 7], [400, 1500, 0]
    assert windows_of(header) == (Window(40, 400), Window(-600, 1500))
    header.VOILUTFunction = "SIGMOID"
    assert windows_of(header)[0].function == "SIGMOID"
    header.VOILUTFunction = "WISHFUL"
    assert windows_of(header) == ()


def test_tables_of_a_header():
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS", [3, -2, 8])
    item.add_new("LUTData", "OW", b"\x00\x80\xff\x00")
    header = pydicom.Dataset()
    header.VOILUTSequence = [item]
    ((first, table, bits),) = tables_of(header, Path("x.dcm"), signed=True)
    assert (first, bits) == (-2, 8)
    np.testing.assert_allclose(looked_up(np.array([-9, -1, 0]), first, table, bits) * 255, [0, 128, 255])
    item["LUTData"].value = b""
    with pytest.raises(Unreadable, match=r"x\.dcm"):
        tables_of(header, Path("x.dcm"), signed=True)
