"""Explanations of single answers as one page: it needs no other file, no network and no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.report import KeyPicture, Problem, Reason
from osler.io.files import replacing
from osler.results.pictures import as_data_uri
from osler.results.sentences import current, say


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """One file, and why the model said what it said of it.

    name        of the file
    answers     what the model said, a sentence each
    declined    why it said nothing; the rest is then empty
    cautions    what to mind
    reasons     `Reason.pictures` are indices among `pictures`
    pictures    maps over the picture
    neighbours  the nearest cases of the data that were given, the picture itself first; () without such data
    """

    name: str
    answers: tuple[str, ...] = ()
    declined: tuple[Problem, ...] = ()
    cautions: tuple[Problem, ...] = ()
    reasons: tuple[Reason, ...] = ()
    pictures: tuple[KeyPicture, ...] = ()
    neighbours: tuple[KeyPicture, ...] = ()


def write_why_page(model: str, cases: Sequence[Explained], path: Path) -> None:
    """Write the page to `path`, in the current language. Raises NoRoom when the disk is full."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    rooms = Environment(
        loader=PackageLoader("osler.results"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rooms.filters["uri"] = as_data_uri
    page = rooms.get_template("why.html").render(model=model, cases=cases, say=say, language=current())
    with replacing(path) as beside:
        beside.write_text(page, encoding="utf-8")
