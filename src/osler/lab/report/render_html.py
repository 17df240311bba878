"""A document as one HTML file that needs no network and prints well."""

import base64
import io
from importlib import resources

import numpy as np

from osler.core.arrays import Array
from osler.lab.report.document import Bullets, Document, Figure, Paragraph, Photo, Row, Table, numbered, places


def render_html(document: Document) -> str:
    """The page. Whatever a card, a data set or a person said is escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.tests |= {
        "paragraph": lambda block: isinstance(block, Paragraph),
        "bullets": lambda block: isinstance(block, Bullets),
        "table": lambda block: isinstance(block, Table),
        "row": lambda block: isinstance(block, Row),
        "figure": lambda part: isinstance(part, Figure),
        "photo": lambda part: isinstance(part, Photo),
    }
    environment.filters |= {"svg": Markup, "png": _png}
    template = environment.from_string(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    return template.render(
        document=document, sections=list(numbered(document.sections)), places=places(document.sections)
    )


def _png(pixels: Array) -> str:
    from PIL import Image

    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, dtype=np.uint8)).save(written, format="PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode("ascii")
