"""Looking at a password takes the same work whoever it is asked for."""

from typing import ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from pytest_django import Settings

from cvdops.accounts.models import User
from cvdops.accounts.passwords import check

pytestmark = pytest.mark.django_db


class Counting(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    algorithm = "counting"
    times: ClassVar[list[int]] = []

    def encode(self, password: str, salt: str) -> str:
        self.times.append(len(password))
        return super().encode(password, salt)


@pytest.fixture
def _counted(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    User.objects.create_user("dana", "Dana", "a-long-password")
    User.objects.create_user("closed", "Closed", "a-long-password")
    User.objects.filter(username="closed").update(is_active=False)
    Counting.times.clear()


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("name", ["dana", "closed", "nobody"])
def test_a_wrong_password_is_hashed_once_for_every_name(name: str) -> None:
    assert check(name, "wrong", "10.0.0.7").user is None
    assert len(Counting.times) == 1


@pytest.mark.usefixtures("_counted")
def test_nothing_is_hashed_while_one_has_to_wait() -> None:
    answers = [check("nobody", "wrong", "10.0.0.7") for _ in range(8)]
    assert [answer.wait is not None for answer in answers] == [False] * 5 + [True] * 3
    assert len(Counting.times) == 5


@pytest.mark.usefixtures("_counted")
def test_no_more_of_a_password_is_hashed_than_anybody_types() -> None:
    check("dana", "x" * 100_000, "10.0.0.7")
    assert max(Counting.times) <= 1000


@pytest.mark.usefixtures("_counted")
def test_who_has_to_wait_is_told_the_same_for_every_name() -> None:
    said = {
        name: [check(name, "wrong", f"10.0.{number}.1").problem for _ in range(7)]
        for number, name in enumerate(("dana", "closed", "nobody"))
    }
    assert said["dana"] == said["closed"] == said["nobody"]
