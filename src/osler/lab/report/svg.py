"""A plot's SVG drawn on a page of a PDF, so that both documents show the same lines.

Not any SVG: the paths, uses, groups, clips and pictures that matplotlib's writer makes, with absolute coordinates.
"""

import base64
import io
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_CALL = re.compile(r"(\w+)\(([^)]*)\)")
_STEP = re.compile(r"([MLQCz])([^MLQCz]*)")
_CAPS = {"butt": 0, "round": 1, "square": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}
_LINK = "{http://www.w3.org/1999/xlink}href"


def size_of_svg(text: str) -> tuple[float, float]:
    """(width, height) in points."""
    root = ElementTree.fromstring(text)
    return float(root.attrib["width"].removesuffix("pt")), float(root.attrib["height"].removesuffix("pt"))


def draw_svg(canvas: "Canvas", text: str, *, scale: float) -> None:
    """Draw the SVG with its lower left corner at the canvas's origin."""
    root = ElementTree.fromstring(text)
    height = float(root.attrib["height"].removesuffix("pt"))
    named = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    canvas.saveState()
    canvas.transform(scale, 0, 0, -scale, 0, height * scale)  # SVG counts rows downwards
    for element in root:
        _draw(canvas, element, {}, named)
    canvas.restoreState()


def _draw(
    canvas: "Canvas",
    element: ElementTree.Element,
    above: Mapping[str, str],
    named: Mapping[str, ElementTree.Element],
) -> None:
    kind = element.tag.rpartition("}")[2]
    if kind in ("defs", "style", "clipPath"):
        return
    style = {**above, **_style(element)}
    canvas.saveState()
    for numbers in _transforms(element.get("transform", "")):
        canvas.transform(*numbers)
    clip = re.fullmatch(r"url\(#(.+)\)", element.get("clip-path", ""))
    if clip:
        canvas.clipPath(_shape(canvas, named[clip[1]][0]), stroke=0, fill=0)
    if kind == "g":
        for below in element:
            _draw(canvas, below, style, named)
    elif kind == "use":
        canvas.translate(float(element.get("x", 0)), float(element.get("y", 0)))
        _draw(canvas, named[element.attrib[_LINK].removeprefix("#")], style, named)
    elif kind in ("path", "rect"):
        _paint(canvas, element, style)
    elif kind == "image":
        _picture(canvas, element)
    canvas.restoreState()


def _paint(canvas: "Canvas", element: ElementTree.Element, style: Mapping[str, str]) -> None:
    from reportlab.lib.colors import HexColor

    fill, stroke = style.get("fill", "#000000"), style.get("stroke", "none")
    opacity = float(style.get("opacity", 1))
    if fill != "none":
        canvas.setFillColor(HexColor(fill))
        canvas.setFillAlpha(opacity * float(style.get("fill-opacity", 1)))
    if stroke != "none":
        canvas.setStrokeColor(HexColor(stroke))
        canvas.setStrokeAlpha(opacity * float(style.get("stroke-opacity", 1)))
        canvas.setLineWidth(float(style.get("stroke-width", 1)))
        canvas.setLineCap(_CAPS[style.get("stroke-linecap", "butt")])
        canvas.setLineJoin(_JOINS[style.get("stroke-linejoin", "round")])
        dashes = style.get("stroke-dasharray", "none")
        if dashes != "none":
            canvas.setDash([float(one) for one in dashes.split(",")], float(style.get("stroke-dashoffset", 0)))
    canvas.drawPath(_shape(canvas, element), stroke=int(stroke != "none"), fill=int(fill != "none"))


def _shape(canvas: "Canvas", element: ElementTree.Element) -> Any:
    path = canvas.beginPath()
    if element.tag.endswith("rect"):
        path.rect(*(float(element.get(name, 0)) for name in ("x", "y", "width", "height")))
        return path
    here = (0.0, 0.0)
    for letter, text in _STEP.findall(element.get("d", "")):
        numbers = [float(one) for one in text.split()]
        if letter == "z":
            path.close()
        elif letter == "M":
            path.moveTo(*numbers)
        elif letter == "L":
            path.lineTo(*numbers)
        elif letter == "C":
            path.curveTo(*numbers)
        else:  # a quadratic curve is this cubic one
            (x0, y0), (x1, y1, x2, y2) = here, numbers
            path.curveTo(
                *(x0 + 2 / 3 * (x1 - x0), y0 + 2 / 3 * (y1 - y0)),
                *(x2 + 2 / 3 * (x1 - x2), y2 + 2 / 3 * (y1 - y2)),
                *(x2, y2),
            )
        if numbers:
            here = (numbers[-2], numbers[-1])
    return path


def _picture(canvas: "Canvas", element: ElementTree.Element) -> None:
    from reportlab.lib.utils import ImageReader

    x, y, width, height = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
    stored = base64.b64decode(element.attrib[_LINK].partition(",")[2])
    canvas.transform(1, 0, 0, -1, x, y + height)
    canvas.drawImage(ImageReader(io.BytesIO(stored)), 0, 0, width, height, mask="auto")


def _transforms(text: str) -> Iterator[tuple[float, ...]]:
    from math import cos, radians, sin

    for name, inside in _CALL.findall(text):
        numbers = [float(one) for one in re.split(r"[ ,]+", inside.strip())]
        if name == "translate":
            yield 1, 0, 0, 1, numbers[0], numbers[1] if len(numbers) > 1 else 0
        elif name == "scale":
            yield numbers[0], 0, 0, numbers[-1], 0, 0
        elif name == "rotate":
            turn = radians(numbers[0])
            yield cos(turn), sin(turn), -sin(turn), cos(turn), 0, 0
        elif name == "matrix":
            yield tuple(numbers)


def _style(element: ElementTree.Element) -> dict[str, str]:
    rows = (row.partition(":") for row in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in rows if name.strip()}
