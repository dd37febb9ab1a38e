"""Stored values as people read them."""

import pytest

from cvdops.lib.values import said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["role", "window"], "role, window"),
        ([], "none"),
        ({"level": 30, "open": True, "until": None}, "level: 30; open: yes; until: –"),
        ([{"from": "a", "to": "b"}, {"from": "c"}], "from: a; to: b; from: c"),
        ("['kept']", "['kept']"),
    ],
)
def test_nothing_is_shown_as_a_program_writes_it(value: object, text: str) -> None:
    assert said(value) == text
