"""Records from JSON and back."""

import json
from dataclasses import dataclass, field

import pytest

from osler.core.record import from_plain, to_plain


@dataclass(frozen=True)
class Inner:
    name: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    share: float
    limit: float | None = None
    table: dict[str, Inner] = field(default_factory=dict)


WHOLE = Outer((Inner("a", (1, 2)), Inner("b")), 0.5, None, {"x": Inner("c", (3,))})


def test_a_record_survives_json():
    assert from_plain(Outer, json.loads(json.dumps(to_plain(WHOLE)))) == WHOLE


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"share": "half"}, "share should be float, not str"),
        ({"share": True}, "share should be float"),
        ({"inner": {}}, "inner should be a list"),
        ({"inner": [{"sizes": []}]}, r"inner\[0\] lacks 'name'"),
        ({"shares": 1}, "unknown field 'shares'"),
        ({"inner": [{"name": "a", "sizes": [1.5]}]}, r"sizes\[0\] should be int"),
    ],
)
def test_a_wrong_field_is_named(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        from_plain(Outer, {**to_plain(WHOLE), **change})
