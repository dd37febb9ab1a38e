"""A history of years, made by the database itself: executions, steps, attempts, output and its words."""

import random
import time

import zstandard

VARIANTS = 2000  # different outputs
LINES = 50  # of each output
SEARCHED = 100_000  # executions whose output is in the index of the search
YEARS = 2

_EXECUTIONS = """
INSERT INTO executions_execution
  (id, number, runbook_id, version_id, procedure, environment_id, requested_by_id, reason, variables,
   sealed, plan, plan_digest, state, phase, intent, waiting_for, session, outcome, seq, lease_owner,
   lease_token, lost_leases, created_at, started_at, finished_at, state_since)
SELECT m.id, nextval('execution_number'), r.id, r.current_id, p.procedure, e.slug, u.id,
       format('Routine work %%s for OPS-%%s', m.g %% 1000, m.g),
       jsonb_build_object('TARGET_VERSION', 'v1.' || m.g %% 500, 'SERVICE_NAME', 'cvd',
                          'TICKET', 'OPS-' || m.g),
       '', '{}', repeat('0', 64), s.state, 'forward', '', '{}', '{}', '', 1, '', 0, 0,
       m.at, m.at, m.at + make_interval(secs => 5 + m.h %% 600), m.at
  FROM made m
  JOIN runbooks r ON r.n = m.h %% (SELECT count(*) FROM runbooks)
  JOIN environments e ON e.n = (m.h / 64) %% (SELECT count(*) FROM environments)
  JOIN people u ON u.n = (m.h / 512) %% (SELECT count(*) FROM people)
  CROSS JOIN LATERAL (SELECT 'procedure-' || (m.h / 7) %% 6 AS procedure) p
  CROSS JOIN LATERAL (SELECT CASE WHEN m.h %% 100 < 93 THEN 'succeeded'
                                  WHEN m.h %% 100 < 97 THEN 'failed'
                                  WHEN m.h %% 100 < 98 THEN 'cancelled'
                                  WHEN m.h %% 100 < 99 THEN 'rolled_back'
                                  ELSE 'rejected' END AS state) s
 ORDER BY m.g
"""
_STATEMENTS = (
    """CREATE TEMP TABLE runbooks AS
       SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, current_id FROM catalog_runbook
        WHERE current_id IS NOT NULL""",
    """CREATE TEMP TABLE environments AS
       SELECT row_number() OVER (ORDER BY slug) - 1 AS n, slug FROM environments_environment""",
    """CREATE TEMP TABLE people AS
       SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM accounts_user""",
    # the ids are of version 7, at the times that they say
    """CREATE TEMP TABLE made AS
       SELECT g, at, hashint4(g::int) & 2147483647 AS h, (
                lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                || substr(md5(g::text), 1, 3) || '8' || substr(md5(g::text), 4, 15))::uuid AS id
         FROM (SELECT g, now() - make_interval(days => 1)
                      - make_interval(secs => %(seconds)s * (1 - g / %(count)s.0)) AS at
                 FROM generate_series(1, %(count)s) AS g) AS moments""",
    "ANALYZE made",
    _EXECUTIONS,
    """INSERT INTO executions_steprun
         (id, execution_id, phase, position, key, host, lane, section, kind, title, state, attempt_count,
          tries, exit_code, note, sample, sample_detail, started_at, finished_at, unconfirmed)
       SELECT id, id, 'forward', 0, 'only', 'web-' || h %% 40, 0, 'procedures', 'bash', 'Do it',
              'succeeded', 1, 1, 0, '', '', '', at, at + interval '5 s', false FROM made""",
    """INSERT INTO executions_stepattempt
         (id, step_id, number, state, sent_at, spool, boot_id, finished_at, exit_code, output_size,
          output_digest, searched)
       SELECT m.id, m.id, 1, 'succeeded', m.at, '', '', m.at + interval '5 s', 0, o.length, o.digest, true
         FROM made m JOIN outputs o ON o.n = m.h %% %(variants)s""",
    """INSERT INTO executions_outputsegment
         (attempt_id, "offset", length, source_end, execution_id, seq, data)
       SELECT m.id, 0, o.length, o.length, m.id, 1, o.data
         FROM made m JOIN outputs o ON o.n = m.h %% %(variants)s""",
    "DROP INDEX outputwords_words",
    """INSERT INTO executions_outputwords
         (attempt_id, begin, "end", execution_id, answer, written_at, words)
       SELECT m.id, 0, o.length, m.id, false, m.at, o.words
         FROM made m JOIN outputs o ON o.n = m.h %% %(variants)s
        WHERE m.g > %(count)s - %(searched)s""",
    "SET maintenance_work_mem = '256MB'",
    "CREATE INDEX outputwords_words ON executions_outputwords USING gin (words)",
    "RESET maintenance_work_mem",
    # or workers would lay out the lists of what has ended a short time ago
    """INSERT INTO executions_closing (execution_id, ended_at, closed_at, health, health_text)
       SELECT id, finished_at, finished_at, '', '' FROM executions_execution
        WHERE finished_at > now() - interval '8 days' ON CONFLICT DO NOTHING""",
    """INSERT INTO executions_emergency
         (execution_id, priority, reason, declared_by_id, declared_at, short_notice, review)
       SELECT id, 'P1', 'It cannot wait.', (SELECT id FROM people LIMIT 1), at, 'Nobody was there.', ''
         FROM made WHERE g %% 2000 = 0""",
)
_TABLES = (
    "execution",
    "steprun",
    "stepattempt",
    "outputsegment",
    "outputwords",
    "closing",
    "emergency",
)


def fill(count: int) -> float:
    """So many executions of the last years with 50 lines of output each. The seconds it took."""
    from django.db import connection

    began = time.perf_counter()
    values = {
        "count": count,
        "seconds": YEARS * 365 * 86400,
        "variants": VARIANTS,
        "searched": min(SEARCHED, count),
    }
    with connection.cursor() as cursor:
        # Nothing is looked up by foreign keys that hold anyway, and nobody waits for the disk.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        _outputs(cursor)
        for statement in _STATEMENTS:
            cursor.execute(statement, values)
        for table in _TABLES:
            cursor.execute(f"VACUUM ANALYZE executions_{table}")
        cursor.execute("SET session_replication_role = origin")
    return time.perf_counter() - began


def size() -> float:
    """MB of disk that the database takes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0]) / 1e6


def _outputs(cursor) -> None:
    """Different outputs: frequent words in all of them, some in a few, and each has one of its own."""
    import hashlib

    chance = random.Random(1)  # noqa: S311
    cursor.execute(
        "CREATE TEMP TABLE outputs (n int, length int, digest text, data bytea, words tsvector)"
    )
    for n in range(VARIANTS):
        text = "".join(_line(chance, n) for _ in range(LINES - 1)) + f"only here unique{n}\n"
        data = text.encode()
        cursor.execute(
            "INSERT INTO outputs VALUES (%s, %s, %s, %s, to_tsvector('simple', %s))",
            [n, len(data), hashlib.sha256(data).hexdigest(), zstandard.compress(data, 1), text],
        )


def _line(chance: random.Random, n: int) -> str:
    word = chance.choice(("started", "finished", "connected", "retried", "flushed", "checked"))
    rare = f" error e{n % 97}" if chance.random() < 0.01 else ""
    return (
        f"2026-11-{chance.randrange(1, 29):02} 10:0{n % 10}:12 INFO worker {n % 7} {word} request "
        f"r{chance.randrange(3000)} in {chance.randrange(900)} ms{rare}\n"
    )
