"""A history of years, made by the database itself: executions, steps, attempts, output and its words."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import zstandard

from benchmarks import plans

VARIANTS = 2000  # different outputs
LINES = 50  # of each output
SEARCHED = 100_000  # executions whose output is in the index of the search
DETAILED = (
    50_000  # the newest executions, with their plan and all steps of it; the others have one step
)
GOING = 40  # the very newest, which are paused after some of their steps
YEARS = 2

_EXECUTIONS = """
INSERT INTO executions_execution
  (id, number, runbook_id, version_id, procedure, environment_id, requested_by_id, reason, variables,
   sealed, plan, plan_digest, state, phase, intent, waiting_for, session, outcome, seq, lease_owner,
   lease_token, lost_leases, created_at, started_at, finished_at, state_since)
SELECT m.id, nextval('execution_number'), p.runbook_id, p.version_id, p.procedure, p.environment_id, u.id,
       format('Routine work %%s for OPS-%%s', m.g %% 1000, m.g),
       jsonb_build_object('TARGET_VERSION', 'v1.' || m.g %% 500, 'SERVICE_NAME', 'cvd',
                          'TICKET', 'OPS-' || m.g),
       '', CASE WHEN m.detailed THEN p.plan ELSE '{}' END, p.digest, s.state, 'forward', '', '{}', '{}',
       '', 3, '', 0, 0, m.at, m.at,
       CASE WHEN NOT m.going THEN m.at + make_interval(secs => 60 + m.h %% 600) END, m.at
  FROM made m
  JOIN plans p ON p.n = m.plan
  JOIN people u ON u.n = m.i %% (SELECT count(*) FROM people)
  CROSS JOIN LATERAL (SELECT CASE WHEN m.going THEN 'paused'
                                  WHEN m.h %% 100 < 93 THEN 'succeeded'
                                  WHEN m.h %% 100 < 97 THEN 'failed'
                                  WHEN m.h %% 100 < 98 THEN 'cancelled'
                                  WHEN m.h %% 100 < 99 THEN 'rolled_back'
                                  ELSE 'rejected' END AS state) s
 ORDER BY m.g
"""
_STATEMENTS = (
    """CREATE TEMP TABLE people AS
       SELECT row_number() OVER (ORDER BY id) - 1 AS n, id FROM accounts_user""",
    # Ids of the times that they say. Few outputs are frequent, and most are rare.
    """CREATE TEMP TABLE made AS
       SELECT moments.*, draws.plan, uuidv7(at - now()) AS id,
              floor(%(variants)s * power((h >> 7) / 16777216.0, 3))::int AS output
         FROM (SELECT g, g > %(count)s - %(detailed)s AS detailed, g > %(count)s - %(going)s AS going,
                      hashint4(g::int) & 2147483647 AS h, hashint4(-g::int) & 2147483647 AS i,
                      now() - make_interval(days => 1)
                      - make_interval(secs => %(seconds)s * (1 - g / %(count)s.0)) AS at
                 FROM generate_series(1, %(count)s) AS g) AS moments
         JOIN draws ON draws.n = moments.i %% (SELECT count(*) FROM draws)
        ORDER BY g""",
    "ANALYZE made",
    _EXECUTIONS,
    # Before the steps, or workers would lay out the lists of what has just ended. Some nobody closes.
    """INSERT INTO executions_closing (execution_id, ended_at, closed_at, health, health_text)
       SELECT m.id, e.finished_at, CASE WHEN m.g %% 2000 > 0 THEN e.finished_at END, '', ''
         FROM made m JOIN executions_execution e USING (id) WHERE NOT m.going""",
    """INSERT INTO executions_steprun
         (id, execution_id, phase, position, key, host, lane, section, kind, title, state, attempt_count,
          tries, exit_code, note, sample, sample_detail, started_at, finished_at, unconfirmed)
       SELECT CASE WHEN s.main THEN m.id ELSE uuidv7(m.at - now()) END, m.id, 'forward', s.position, s.key,
              CASE WHEN m.detailed THEN s.host ELSE 'web-' || m.h %% 40 END, s.lane, s.section, s.kind,
              s.title, CASE WHEN t.began THEN 'succeeded' ELSE 'pending' END, t.began::int, t.began::int,
              CASE WHEN t.began THEN 0 END, '', '', '',
              CASE WHEN t.began THEN m.at + make_interval(secs => s.position) END,
              CASE WHEN t.began THEN m.at + make_interval(secs => s.position + 1 + m.h %% 4) END, false
         FROM made m JOIN steps s ON s.plan = m.plan AND (m.detailed OR s.main)
              CROSS JOIN LATERAL (SELECT s.main OR NOT m.going AS began) t""",
    """INSERT INTO executions_stepattempt
         (id, step_id, number, state, sent_at, spool, boot_id, finished_at, exit_code, output_size,
          output_digest, searched)
       SELECT m.id, m.id, 1, 'succeeded', m.at, '', '', m.at + interval '5 s', 0, o.length, o.digest, true
         FROM made m JOIN outputs o ON o.n = m.output""",
    """INSERT INTO executions_outputsegment
         (attempt_id, "offset", length, source_end, execution_id, seq, data,
          created_at)
       SELECT m.id, 0, o.length, o.length, m.id, 2, o.data, m.at
         FROM made m JOIN outputs o ON o.n = m.output""",
    """INSERT INTO executions_outputwords
         (attempt_id, begin, "end", execution_id, answer, written_at, words, text)
       SELECT m.id, 0, o.length, m.id, false, m.at, o.words, o.text
         FROM made m JOIN outputs o ON o.n = m.output
        WHERE m.g > %(count)s - %(searched)s""",
    """INSERT INTO executions_event (execution_id, seq, kind, actor_id, data, at)
       SELECT e.id, s.seq, s.kind, s.actor_id, '{}', s.at
         FROM made m JOIN executions_execution e USING (id),
              LATERAL (VALUES (1, 'execution.start', e.requested_by_id, e.created_at),
                              (3, 'execution.succeed', NULL, e.finished_at)) s (seq, kind, actor_id, at)
        WHERE s.at IS NOT NULL""",
    """INSERT INTO audit_auditentry (at, actor_id, action, subject, subject_id, allowed, data)
       SELECT created_at, requested_by_id, 'execution.start', 'execution', id::text, true,
              jsonb_build_object('runbook', runbook_id, 'plan_digest', plan_digest)
         FROM made JOIN executions_execution USING (id) ORDER BY g""",
    """SELECT audit_seal_entry(id) FROM (
         SELECT e.id FROM audit_auditentry e LEFT JOIN audit_seal s ON s.entry_id = e.id
          WHERE s.entry_id IS NULL ORDER BY e.id) AS unsealed""",
    """INSERT INTO executions_participant (execution_id, user_id, part, joined_at)
       SELECT id, requested_by_id, 'operator', created_at FROM executions_execution
        WHERE id IN (SELECT id FROM made)""",
    """INSERT INTO executions_checklistmark (execution_id, moment, position, text, evidence)
       SELECT id, 'after', 0, 'Say how it went', '' FROM made WHERE g %% 2000 = 0 AND NOT going""",
    """INSERT INTO executions_emergency
         (execution_id, priority, reason, declared_by_id, declared_at, short_notice, review)
       SELECT id, 'P1', 'It cannot wait.', (SELECT id FROM people LIMIT 1), at, 'Nobody was there.', ''
         FROM made WHERE g %% 2000 = 0""",
    """INSERT INTO approvals_approvalrequest
         (id, execution_id, gate, title, message, category, environment, groups, reason_required,
          plan_digest, present_digest, requested_by_id, state, created_at, expires_at, closed_at, void_reason)
       SELECT m.id, m.id, 'approval', 'Approve it', '', p.category, p.environment_id,
              '[{"approvers": ["operations-lead"], "required": 1}]', false, p.digest, p.digest, u.id,
              'approved', m.at, m.at + interval '1 hour', m.at + interval '1 min', ''
         FROM made m JOIN plans p ON p.n = m.plan JOIN people u ON u.n = 0 WHERE m.g %% 10 = 0""",
)
_TABLES = (
    *("executions_execution", "executions_steprun", "executions_stepattempt"),
    *("executions_outputsegment", "executions_outputwords", "executions_closing"),
    *("executions_emergency", "executions_participant", "executions_checklistmark"),
    *("executions_event", "audit_auditentry", "approvals_approvalrequest"),
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
        "detailed": DETAILED,
        "going": GOING,
    }
    with connection.cursor() as cursor:
        # Nothing is looked up by foreign keys that hold anyway, and nobody waits for the disk.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '256MB'")
        _outputs(cursor)
        _months(cursor)
        plans.lay_out(cursor)
        with _without_indexes(cursor):
            for statement in _STATEMENTS:
                cursor.execute(statement, values)
        for table in _TABLES:
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("RESET ALL")
    return time.perf_counter() - began


def size() -> float:
    """MB of disk that the database takes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0]) / 1e6


@contextmanager
def _without_indexes(cursor) -> Iterator[None]:
    """A row costs a place in each index, anywhere in it; made at the end, each is sorted once."""
    cursor.execute(
        """SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
             FROM pg_index WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique""",
        [list(_TABLES)],
    )
    indexes = cursor.fetchall()
    cursor.execute(f"DROP INDEX {', '.join(name for name, _ in indexes)}")
    yield
    cursor.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        cursor.execute(definition)


def _months(cursor) -> None:
    """The partitions in which the output of those years lies."""
    from cvdops.executions.partitions import TABLE, Month, months

    now = datetime.now(UTC)
    past = {Month(now.year, now.month) + -n for n in range(YEARS * 12 + 2)}
    for month in sorted(past - set(months())):
        cursor.execute(
            f"CREATE TABLE {month.table} PARTITION OF {TABLE} FOR VALUES FROM (%s) TO (%s)",
            [month.begin, (month + 1).begin],
        )


def _outputs(cursor) -> None:
    """Different outputs: frequent words in all of them, some in a few, and each has one of its own."""
    import hashlib

    from cvdops.lib.words import spelled, words

    chance = random.Random(1)  # noqa: S311
    cursor.execute(
        "CREATE TEMP TABLE outputs"
        " (n int, length int, digest text, data bytea, words text[], text text)"
    )
    for n in range(VARIANTS):
        text = "".join(_line(chance, n) for _ in range(LINES - 1)) + f"only here unique{n}\n"
        data, spelt = text.encode(), spelled(text)
        cursor.execute(
            "INSERT INTO outputs VALUES (%s, %s, %s, %s, %s, %s)",
            [
                *(n, len(data), hashlib.sha256(data).hexdigest(), zstandard.compress(data, 1)),
                *(sorted(words(spelt)), spelt),
            ],
        )


def _line(chance: random.Random, n: int) -> str:
    word = chance.choice(("started", "finished", "connected", "retried", "flushed", "checked"))
    rare = f" error e{n % 97}" if chance.random() < 0.01 else ""
    return (
        f"2026-11-{chance.randrange(1, 29):02} 10:0{n % 10}:12 INFO worker {n % 7} {word} request "
        f"r{chance.randrange(3000)} from 10.0.{chance.randrange(8)}.{chance.randrange(250)}"
        f" in {chance.randrange(900)} ms{rare}\n"
    )
