"""Windows exactly as the standard says, by its own words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.core.errors import AskedWrongly, UnknownChoice
from osler.core.image import Image
from osler.imaging.window import Window, looked_up, to_display, windowed


def by_the_book(x: float, c: float, w: float, function: str) -> float:
    """The pseudocode of PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, for ymin 0 and ymax 1."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (x - c) / w))
    if function == "LINEAR_EXACT":
        return 0 if x <= c - w / 2 else 1 if x > c + w / 2 else (x - c) / w + 0.5
    if x <= c - 0.5 - (w - 1) / 2:
        return 0
    return 1 if x > c - 0.5 + (w - 1) / 2 else (x - (c - 0.5)) / (w - 1) + 0.5


@given(
    st.floats(-3000, 3000),
    st.floats(-1000, 1000),
    st.floats(1, 4000),
    st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
)
def test_windows_follow_the_standard(x, c, w, function):
    with np.errstate(over="ignore"):
        expected = by_the_book(x, c, w, function)
    found = windowed(np.array([x]), Window(c, w, function))
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(expected, abs=1e-6)


def test_the_narrowest_window_is_a_threshold():
    values = np.array([127.0, 127.5, 127.6, 128.0])
    np.testing.assert_array_equal(windowed(values, Window(128, 1)), [0, 0, 1, 1])


def test_windows_that_cannot_be():
    for bad in (0.5, 0, -3, float("nan")):
        with pytest.raises(AskedWrongly):
            Window(40, bad)
    assert Window(40, 0.5, "LINEAR_EXACT").width == 0.5
    with pytest.raises(AskedWrongly):
        Window(40, 0, "SIGMOID")
    with pytest.raises(UnknownChoice, match="LINEER"):
        Window(40, 400, "LINEER")


def test_a_table_holds_its_ends():
    table = np.array([0, 10, 255], np.uint16)
    shown = looked_up(np.array([-5, 100, 101, 102, 4000]), 100, table, 8)
    np.testing.assert_allclose(shown, np.array([0, 0, 10, 255, 255]) / 255)


def test_a_page_shows_the_window_of_a_header():
    image = Image(np.array([[0.0, 50.0, 100.0]]))
    np.testing.assert_array_equal(
        to_display(image, window=Window(50, 100, "LINEAR_EXACT"))[0, :, 0], [0, 128, 255]
    )
    assert to_display(image, window=Window(50, 100, "SIGMOID"))[0, 0, 0] == round(255 / (1 + np.exp(2)))
