"""Words that are drawn onto pictures: in the language of the report where this machine has its letters.

A picture with boxes in place of words says less than one in English, so English is what it falls back to.
"""

from osler.imaging.lettering import can_draw
from osler.results.sentences import english, language, say


def drawn_name(name: str) -> str:
    """A name to draw onto a picture, as the report calls it or in English."""
    return name if can_draw(name) else english(name)


def drawn_sentence(key: str, **values: str) -> str:
    """What `say` says, to draw onto a picture: in the current language or in English."""
    said = say(key, **values)
    if can_draw(said):
        return said
    plain = {blank: english(value) for blank, value in values.items()}
    with language("en"):
        return say(key, **plain)
