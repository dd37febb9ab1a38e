"""How often a password may be tried: fewer and fewer times, but nobody is shut out for good.

Wrong passwords are counted for the account, for the address, and for the account from the address. After the
first few each one costs a longer wait, until an hour has passed without any. From an address where somebody
has logged in before, only the tries from there for their account count: whoever attacks the account from
elsewhere, or other accounts from behind the same address, does not keep them out.

A try is counted before the password is looked at, so that many at once are not more than one after another.
Names that no account has are counted like the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from cvdops.accounts.models import KnownAddress, Tries, User

FORGET = timedelta(hours=1)
REMEMBER = timedelta(days=90)  # an address without a login for so long is known no more

# Of each: how many tries are free, and the longest wait (seconds) that one after them costs.
_ACCOUNT = (5, 300)
_ADDRESS = (10, 60)
_PAIR = (5, 60)
_FIRST = 6  # seconds: the first wait; each is twice the one before

_TAKE = """
    INSERT INTO accounts_tries AS t (key, failures, last_at, told)
    VALUES (%(key)s, 1, statement_timestamp(), false)
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN t.last_at < statement_timestamp() - %(forget)s THEN 1
                        ELSE t.failures + 1 END,
        last_at = statement_timestamp(),
        told = false
    WHERE t.last_at + make_interval(secs => CASE WHEN t.failures < %(free)s THEN 0
        ELSE least(%(longest)s, %(first)s * 2.0 ^ least(t.failures - %(free)s, 20)) END)
        <= statement_timestamp()
    RETURNING failures
"""


@dataclass(frozen=True, slots=True)
class Wait:
    """A try that was refused, and after how many seconds the next one is not."""

    seconds: int
    first: bool  # nobody was told since the last try: worth an entry in the audit log


class _Refused(Exception):
    pass


def take(username: str, address: str) -> Wait | None:
    """Count a try as a failure. None if the password may be looked at; else nothing is counted."""
    keys = _keys(username, address)
    try:
        with transaction.atomic():
            for key, (free, longest) in keys:
                if not _take(key, free, longest):
                    raise _Refused
    except _Refused:
        return _wait(keys)
    return None


def succeeded(user: User, address: str) -> None:
    """The password was right: what was counted for the account ends, and the address is known."""
    keys = _all(user.username, address)
    Tries.objects.filter(key__in=[keys["account"], keys["pair"]]).delete()
    Tries.objects.filter(key=keys["address"], failures__gt=0).update(failures=F("failures") - 1)
    Tries.objects.filter(last_at__lt=Now() - FORGET).delete()
    if address:
        KnownAddress.objects.update_or_create(
            user=user, address=address, defaults={"last_at": Now()}
        )
        KnownAddress.objects.filter(last_at__lt=Now() - REMEMBER).delete()


def _all(username: str, address: str) -> dict[str, str]:
    name = username[:80]
    return {
        "account": f"account {name}",
        "address": f"address {_place(address)}",
        "pair": f"pair {name} {address}",
    }


def _keys(username: str, address: str) -> list[tuple[str, tuple[int, int]]]:
    """What counts for this try, always in the same order: two at once wait for each other."""
    keys = _all(username, address)
    known = KnownAddress.objects.filter(user__username=username, address=address or None)
    if known.exists():
        return [(keys["pair"], _PAIR)]
    # Whoever comes through a socket of this machine has no address, and all of them are not one.
    return [(keys["account"], _ACCOUNT), *([(keys["address"], _ADDRESS)] if address else [])]


def _place(address: str) -> str:
    """The address, or the network of an IPv6 address: one subscriber has all of it."""
    if ":" not in address:
        return address
    return str(ip_network((address, 64), strict=False))


def _take(key: str, free: int, longest: int) -> bool:
    values: dict[str, Any] = {
        "key": key,
        "free": free,
        "longest": longest,
        "first": _FIRST,
        "forget": FORGET,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        return cursor.fetchone() is not None


def _wait(keys: Sequence[tuple[str, tuple[int, int]]]) -> Wait:
    """The longest wait of those that apply."""
    limits = dict(keys)
    rows = Tries.objects.filter(key__in=limits).annotate(now=Now())
    seconds = [
        (pause(row.failures, *limits[row.key]) - (row.now - row.last_at).total_seconds())
        for row in rows
    ]
    first = bool(Tries.objects.filter(key__in=limits, told=False).update(told=True))
    return Wait(max(1, math.ceil(max(seconds, default=1))), first)


def pause(failures: int, free: int, longest: int) -> float:
    """How long after so many wrong passwords the next try has to wait, in seconds."""
    return min(longest, _FIRST * 2.0 ** min(failures - free, 20)) if failures >= free else 0.0
