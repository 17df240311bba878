"""A table of choices that one can read, and that proposes the near name when asked for an unknown one."""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from osler.core.errors import UnknownChoice

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Named choices of one kind, written out in one place.

    >>> nets = Registry("net", unet=1, resunet=2)
    >>> nets["unet"]
    1
    >>> nets["u-net"]
    Traceback (most recent call last):
        ...
    osler.core.errors.UnknownChoice: There is no net named 'u-net'. Did you mean 'unet'? Known: resunet, unet.
    """

    def __init__(self, kind: str, /, **choices: T) -> None:
        self.kind = kind
        self._choices = dict(choices)

    def __getitem__(self, name: str) -> T:
        if name not in self._choices:
            raise UnknownChoice.among(self.kind, name, self._choices)
        return self._choices[name]

    def __contains__(self, name: object) -> bool:
        return name in self._choices

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)
