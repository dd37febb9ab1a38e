"""How often a password may be tried: by the account, by the address, and from where one is known."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from cvdops.accounts import tries
from cvdops.accounts.models import KnownAddress, Tries, User

HOME, AWAY = "10.0.0.1", "10.9.9.9"

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> User:
    return User.objects.create(username="lead", name="The lead")


def passed(seconds: float) -> None:
    Tries.objects.update(last_at=F("last_at") - timedelta(seconds=seconds))


def let_through(count: int, name: str = "lead", address: str = AWAY) -> int:
    return sum(tries.take(name, address) is None for _ in range(count))


def test_the_first_ones_are_free_and_then_each_wait_is_longer() -> None:
    assert let_through(20) == 5
    for wait in (6, 12, 24, 48, 96, 192, 300, 300):
        refused = tries.take("lead", f"10.1.0.{wait % 250}")
        assert refused is not None and refused.seconds == wait
        passed(wait)
        assert tries.take("lead", f"10.2.0.{wait % 250}") is None


def test_of_a_thousand_tries_in_a_minute_ten_at_most_are_looked_at() -> None:
    done = 0
    for number in range(600):
        done += let_through(1, address=f"10.0.{number % 200}.1")
        passed(0.1)
    assert done <= 10


def test_a_name_that_nobody_has_is_counted_as_any_other(lead: User) -> None:
    known = [tries.take("lead", AWAY) for _ in range(12)]
    unknown = [tries.take("nobody", "10.9.9.8") for _ in range(12)]
    assert [wait and wait.seconds for wait in known] == [wait and wait.seconds for wait in unknown]


def test_who_tries_many_names_from_one_address_has_to_wait() -> None:
    assert sum(let_through(1, name=f"name{n}") for n in range(40)) == 10


def test_the_addresses_of_one_subscriber_count_as_one() -> None:
    assert sum(let_through(1, f"name{n}", f"2001:db8::{n:x}") for n in range(40)) == 10
    assert tries.take("other", "2001:db8:0:1::1") is None


def test_those_who_have_no_address_are_not_one() -> None:
    assert sum(let_through(1, name=f"name{n}", address="") for n in range(40)) == 40
    assert let_through(20, address="") == 5


def test_the_lead_gets_in_from_where_they_are_known_while_the_account_is_attacked(
    lead: User,
) -> None:
    tries.succeeded(lead, HOME)
    for number in range(200):
        tries.take("lead", f"10.3.0.{number}")
    assert tries.take("lead", AWAY) is not None
    assert tries.take("lead", HOME) is None


def test_others_behind_the_same_address_do_not_keep_the_lead_out(lead: User) -> None:
    tries.succeeded(lead, HOME)
    assert sum(let_through(1, name=f"name{n}", address=HOME) for n in range(40)) == 10
    assert tries.take("lead", HOME) is None


def test_where_one_is_known_tries_are_counted_too(lead: User) -> None:
    tries.succeeded(lead, HOME)
    assert let_through(20, address=HOME) == 5


def test_the_right_password_ends_the_waiting(lead: User) -> None:
    let_through(4, address=HOME)
    tries.succeeded(lead, HOME)
    assert let_through(20, address=HOME) == 5


def test_after_an_hour_it_is_forgotten() -> None:
    let_through(20)
    passed(tries.FORGET.total_seconds() + 1)
    assert let_through(20) == 5


def test_a_login_from_long_ago_makes_no_address_known(lead: User) -> None:
    tries.succeeded(lead, AWAY)
    KnownAddress.objects.update(last_at=F("last_at") - tries.REMEMBER)
    tries.succeeded(lead, HOME)
    assert [known.address for known in lead.addresses.all()] == [HOME]


def test_a_refused_try_is_told_once() -> None:
    let_through(5)
    refused = [tries.take("lead", AWAY) for _ in range(3)]
    assert [wait and wait.first for wait in refused] == [True, False, False]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_not_more_than_one_after_another() -> None:
    def one(_: int) -> bool:
        try:
            return tries.take("lead", AWAY) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(40))) == 5
