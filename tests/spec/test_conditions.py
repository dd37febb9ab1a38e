"""The language of `when=`."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.spec.conditions import ConditionError, evaluate, parse_condition

VARIABLES = {"ENVIRONMENT": "production", "DRY": "false", "NOTE": "two words", "N": "1"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("ENVIRONMENT == production", True),
        ("ENVIRONMENT != production", False),
        ('NOTE == "two words"', True),
        ("NOTE == 'two words'", True),
        ("ENVIRONMENT in [staging, production]", True),
        ("ENVIRONMENT in (staging)", False),
        ("ENVIRONMENT not in (staging, 'development')", True),
        ("DRY", False),
        ("not DRY and N", True),
        ("UNSET == ''", True),
        ("UNSET", False),
        ("N == 2 or N == 1 and ENVIRONMENT == production", True),
        ("(N == 2 or N == 1) and ENVIRONMENT == staging", False),
        ("not (N == 1)", False),
        ("N==1", True),
    ],
)
def test_what_holds(text: str, holds: bool) -> None:
    assert evaluate(text, VARIABLES) is holds


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("ENVIRONMENT ==", 14),
        ("== production", 0),
        ("N = 1", 1),
        ("N == 1 N == 2", 7),
        ("(N == 1", 7),
        ("N in x", 5),
        ("N in [a, ]", 9),
        ("__import__('os')", 10),
        ("N == $(ls)", 4),
        ("N == 1; ls", 6),
        ("not " * 30 + "N", 80),
        ("(" * 400 + "N" + ")" * 400, 20),
        ("x" * 1001, 1000),
    ],
)
def test_an_error_says_where(text: str, position: int) -> None:
    with pytest.raises(ConditionError) as error:
        evaluate(text, VARIABLES)
    assert error.value.position == position


def test_the_names_it_asks_for() -> None:
    assert parse_condition("A == B and not C in (D)").names == {"A", "C"}


@given(st.text(alphabet="AB=!()[],'\" andorti$;\\", max_size=60))
def test_any_text_is_a_condition_or_an_error(text: str) -> None:
    with contextlib.suppress(ConditionError):
        assert evaluate(text, VARIABLES) in (True, False)
