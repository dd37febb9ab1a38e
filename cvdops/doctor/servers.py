"""PostgreSQL and Redis: reached, of the right version, prepared, and of one time with this machine."""

import time

import redis as client
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from cvdops.doctor.finding import Finding, ok, warning, wrong
from cvdops.executions import partitions

OLDEST_POSTGRESQL = 15
OLDEST_REDIS = (6, 2)
TIMEOUT = 2.0  # seconds for an answer of Redis
SKEW = 2.0  # seconds between two clocks


def database() -> Finding:
    name = "PostgreSQL"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
    except (DatabaseError, InterfaceError) as error:
        return wrong(
            name,
            f"It cannot be reached: {str(error).strip()}",
            "Nothing can be started, decided or shown. Steps that run go on.",
            "Start it, or correct DATABASE_URL.",
        )
    if int(version.split(".")[0]) < OLDEST_POSTGRESQL:
        mend = f"Upgrade it to {OLDEST_POSTGRESQL} or newer."
        return wrong(name, f"It has version {version}.", "Nobody has tried this version.", mend)
    return ok(name, f"Version {version} answers.")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{one.app_label}.{one.name}" for one, _ in missing)
        return wrong(
            "migrations",
            f"Not applied: {names}.",
            "The program and its tables do not fit together; pages will fail.",
            "Run `manage.py migrate`.",
        )
    return ok("migrations", "All of them are applied.")


def clock() -> Finding:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs = float(cursor.fetchone()[0])
    after = time.time()
    skew = max(before - theirs, theirs - after, 0.0)
    if skew > SKEW:
        return warning(
            "clock",
            f"This machine's clock and the database's differ by {skew:.0f} s.",
            "Leases, windows and expiry follow the database and are right; times in logs are not.",
            "Let both machines keep time, for instance with chrony.",
        )
    return ok("clock", "This machine and the database agree on the time.")


def durability() -> Finding:
    """What was acknowledged is kept only by a database that waits for its disk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, setting FROM pg_settings"
            " WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') AND setting = 'off'"
        )
        off = sorted(name for name, _ in cursor.fetchall())
    if not off:
        return ok("durability", "PostgreSQL waits for its disk before it acknowledges anything.")
    # Nobody counts on what a system keeps that is made to be tried out.
    return (wrong if settings.PRODUCTION else warning)(
        "durability",
        f"PostgreSQL does not wait for its disk: {', '.join(off)} off.",
        "Decisions and results that were acknowledged are lost when its machine crashes.",
        "Turn them on in postgresql.conf, or take what turns them off away from this role.",
    )


def database_role() -> Finding:
    """Web servers and workers should log in as somebody who cannot change the audit log."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, has_table_privilege('audit_auditentry', 'UPDATE')"
            " OR has_table_privilege('audit_auditentry', 'DELETE')"
        )
        name, mighty = cursor.fetchone()
    if mighty and settings.PRODUCTION:
        return warning(
            "database role",
            f"The portal logs in as {name}, who could change the audit log.",
            "A change is found out by the chain, but nothing prevents it.",
            "Make a role of its own with `manage.py grant`, as docs/operations.md says.",
        )
    if mighty:
        return ok(
            "database role", f"This is no production: the portal logs in as {name}, who may do all."
        )
    return ok("database role", f"The portal logs in as {name}, who cannot change the audit log.")


def output() -> Finding:
    """The months of the output: workers make the partitions of the next ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_DATE")
        today = cursor.fetchone()[0]
    month = partitions.Month(today.year, today.month)
    made = partitions.months()
    if missing := [str(one) for one in (month, month + 1) if one not in made]:
        return warning(
            "output",
            f"There is no partition for {' and '.join(missing)}.",
            "Output is kept all the same, where `retention` removes nothing yet.",
            "Start a worker: it makes them within the hour, and says in its log why it cannot.",
        )
    return ok("output", "This month and the next have their partitions.")


def redis() -> Finding:
    try:
        version = str(_info("server")["redis_version"])
    except (client.RedisError, OSError) as error:
        return wrong(
            "Redis",
            f"It cannot be reached: {error}",
            "Executions go on, a second later at each turn; pages look once a second.",
            "Start it, or correct REDIS_URL. It needs no data.",
        )
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        mend = "Upgrade it to 6.2 or newer."
        return wrong("Redis", f"It has version {version}.", "Nobody has tried this version.", mend)
    return ok("Redis", f"Version {version} answers.")


def eviction() -> Finding:
    try:
        policy = str(_info("memory")["maxmemory_policy"])
    except (client.RedisError, OSError):
        return warning(
            "eviction", "Redis was not asked.", "Nothing is known.", "Start Redis first."
        )
    if policy != "noeviction":
        return warning(
            "eviction",
            f"Redis has the maxmemory-policy {policy}.",
            "When its memory is full it throws messages away; executions are then found a second later.",
            "Set maxmemory-policy to noeviction in its configuration.",
        )
    return ok("eviction", "Redis throws nothing away (noeviction).")


def _info(section: str) -> dict[str, object]:
    server = client.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
    )
    try:
        answer: dict[str, object] = server.info(section)
        return answer
    finally:
        server.close()
