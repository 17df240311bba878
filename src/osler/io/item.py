"""Items: which part of a file that holds many."""

from pathlib import Path

from osler.core.errors import AskedWrongly


def numbered(item: str, word: str, count: int, path: Path) -> int:
    """The number N of an item "word:N", 0 <= N < count.

    Raises AskedWrongly when `item` is spelt otherwise or `path` does not hold so many.
    """
    name, _, number = item.partition(":")
    if name != word or not number.isdecimal() or int(number) >= count:
        raise AskedWrongly(
            f"{path.name} has no item '{item}'.",
            remedy=f"Ask for '{word}:0' to '{word}:{count - 1}'." if count > 1 else "Ask for it without an item.",
        )
    return int(number)
