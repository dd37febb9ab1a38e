"""The practice CVD's database, backups and logs as they are delivered: the same rows every time."""

import hashlib
import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cvdops.practice.repository import RELEASES

USERS, PLANOGRAMS, DEVICES, ORDERS = 40, 60, 400, 8000
PASSWORD = "practice"  # noqa: S105 — of people who do not exist
_SCHEMA = RELEASES / "v0.9.0" / "migrations" / "001_initial.sql"
_TOWNS = ["Aarhus", "Bergen", "Cork", "Delft", "Evora", "Faro", "Ghent", "Halle", "Imola", "Jena"]
_KINDS = ("refill", "repair", "cleaning", "coin jam", "price change")
_STATUSES = ("open", "in_progress", *["closed"] * 6)


def create_database(path: Path, now: datetime) -> None:
    """Write the database; its times are counted back from `now`, everything else is fixed."""
    chance = random.Random(20250812)  # noqa: S311 — the same data every time is the point
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = OFF")  # a half-written one is thrown away
        database.execute(
            "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)"
        )
        database.executescript(_SCHEMA.read_text())
        with database:
            _fill(database, chance, now)


def _fill(database: sqlite3.Connection, chance: random.Random, now: datetime) -> None:
    database.execute("INSERT INTO schema_migrations VALUES (1, ?)", (_ago(now, 200),))
    database.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)", _users(now))
    database.executemany(
        "INSERT INTO planograms VALUES (?, ?, ?)",
        ((n, f"Planogram {n:03}", chance.choice((24, 36, 48, 60))) for n in _count(PLANOGRAMS)),
    )
    database.executemany(
        "INSERT INTO devices VALUES (?, ?, ?, ?, ?)",
        (
            (n, f"CVD-{n:05}", f"{chance.choice(_TOWNS)} {n % 17 + 1}",
             chance.choice(("online", "online", "online", "offline")),
             chance.randint(1, PLANOGRAMS))
            for n in _count(DEVICES)
        ),
    )  # fmt: skip
    database.executemany(
        "INSERT INTO service_orders VALUES (?, ?, ?, ?, ?, ?)", _orders(chance, now)
    )


def _count(most: int) -> range:
    return range(1, most + 1)


def _ago(now: datetime, days: float) -> str:
    return (now - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S")


def _users(now: datetime) -> Iterator[tuple[object, ...]]:
    """The first is an administrator whom nobody has seen for a year: the audit has to find it."""
    for number in _count(USERS):
        name, role, seen = f"user{number:02}", ("manager", "driver", "clerk")[number % 3], number
        if number == 1:
            name, role, seen = "legacy-admin", "admin", 400
        salt = f"salt{number:04}"
        secret = hashlib.sha256((salt + PASSWORD).encode()).hexdigest()
        yield number, name, role, int(number % 19 != 0), salt, secret, _ago(now, seen)


def _orders(chance: random.Random, now: datetime) -> Iterator[tuple[object, ...]]:
    for number in _count(ORDERS):
        age = (ORDERS - number) * 365 / ORDERS + chance.random()
        status = chance.choice(_STATUSES) if age < 300 else "closed"
        closed = _ago(now, age / 2) if status == "closed" and age < 300 else None
        if age >= 300 and status == "closed":
            closed = _ago(now, age - chance.random())
        device = chance.randint(1, DEVICES)
        yield number, device, chance.choice(_KINDS), status, _ago(now, age), closed


def create_backup(database: Path, folder: Path, now: datetime) -> None:
    """Yesterday's backup, with the checksum beside it."""
    taken = now - timedelta(days=1)
    path = folder / f"cvd_daily_{taken:%Y%m%d}_020000.db"
    path.write_bytes(database.read_bytes())
    path.chmod(0o640)
    os.utime(path, (taken.timestamp(), taken.timestamp()))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.sha256").write_text(f"{digest}  {path.name}\n")


def create_logs(folder: Path, now: datetime) -> None:
    """What a quiet day leaves behind, and a few things that an audit or an incident looks for."""
    chance = random.Random(7)  # noqa: S311
    paths = ("/", "/health", "/api/devices", "/api/service-orders", "/api/planograms")
    access, errors = [], []
    for minutes in range(1440, 0, -4):
        at = (now - timedelta(minutes=minutes)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        took = chance.uniform(1, 90)
        access.append(
            f'10.0.0.{minutes % 9 + 1} {at} "GET {chance.choice(paths)}" 200 {took:.1f}ms'
        )
        if minutes % 96 == 0:
            access.append(f'203.0.113.7 {at} "POST /login" 401 2.1ms')
            errors.append(f"{at} WARNING login failed for 'admin'")
    for name, lines in (("access.log", access), ("error.log", errors)):
        (folder / name).write_text("\n".join(lines) + "\n")
        (folder / name).chmod(0o640)
