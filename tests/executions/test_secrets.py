"""Twenty secrets in everything that a run leaves: nowhere, in none of the forms that are promised."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import zstandard
from django.conf import settings
from django.db import connection
from django.test import Client
from redis import Redis

from cvdops.executions import secrets, services
from cvdops.executions.models import Execution
from cvdops.lib.redaction import variants
from tests.executions.scene import Scene
from tests.executions.test_control import at_work, begun
from tests.executions.test_engine import block
from tests.faults.play import expire_leases, play, victim
from tests.waiting import until

SECRETS = [
    "correct-horse-battery",
    "pa$$word-$HOME-${X}",
    "it's \"quoted\" 'twice'",
    "pässwörd-ключ-密码-€",
    "c2VjcmV0LXZhbHVlLQ==",
    "p%40ss/w?rd&x=1#y",
    "back\\slash\\\\and\\n",
    "  spaces around  ",
    "-rf --secret",
    "*?[abc]*!{a,b}~",
    '{"key": "sec:ret"}',
    "%s%n%d-format",
    "`id`;$(id)|id&&id",
    "aaaaaaaaaaaaaaaa",
    "abcabcabcabcabd",
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "<script>alert(1)</script>",
    "0123456789" * 40,
]
NAMES = [f"SECRET_{n}" for n in range(len(SECRETS))]
EXTRA = "variables:\n" + "".join(f"  {name}: {{secret: true}}\n" for name in NAMES)


@pytest.fixture(autouse=True)
def no_output_of_others(transactional_db: None) -> None:
    """The table is partitioned, so it is not emptied between tests; others print such words, too."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE executions_outputsegment")


# Raw, quoted, in base64 at three offsets, traced, and in two writes that part at each of its bytes.
PRINT = """
for name in "${!SECRET_@}"; do
  value=${!name}
  printf '%s\\n%q\\n%s\\n' "${value}" "${value}" "${value@Q}"
  printf '%s' "${value}" | base64
  for before in '' x xy; do printf '%s' "${before}${value}" | base64 -w0; echo; done
  set -x; : "${value}"; set +x
done
export -p
for ((i = 0; i <= ${#SECRET_0}; i++)); do
  printf '%s' "${SECRET_0:0:i}"; /bin/true; printf '%s\\n' "${SECRET_0:i}"
done
COPY=${SECRET_1} ENCODED=$(printf '%s' "${SECRET_2}" | base64 -w0) LISTED="x ${SECRET_16} y"
cd "$(mktemp -d "/tmp/${SECRET_0}.XXXX")"; rmdir "${PWD}"
"""


def printed(secret: str) -> Iterator[str]:
    """What programs make of it. Written apart from the forms that the masker knows."""
    yield secret.strip()
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield base64.urlsafe_b64encode(secret.encode()).decode()
    yield from base64.encodebytes(secret.encode()).decode().splitlines()[:-1]
    bash = [
        "bash",
        "-c",
        'printf "%s\\n" "${1@Q}"; printf "%q\\n" "$1"; printf "%s" "$1" | base64 -w0',
    ]
    said = subprocess.run([*bash, "", secret], capture_output=True, text=True, check=True)
    quoted, escaped, encoded = said.stdout.splitlines()
    yield from (quoted[1:-1], escaped, encoded)


FORMS = {form.encode() for secret in SECRETS for form in printed(secret)} | {
    form for secret in SECRETS for form in variants(secret)
}


def found_in(data: bytes) -> list[bytes]:
    return [form for form in FORMS if form in data]


def database() -> bytes:
    """Every row of every table as text, and the stored output uncompressed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM executions_outputsegment ORDER BY attempt_id, seq")
        pieces = [zstandard.decompress(bytes(row[0])) for row in cursor.fetchall()]
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608
            pieces += [row[0].encode() for row in cursor.fetchall()]
    return b"".join(pieces)


def redis() -> bytes:
    """Every key with its value: queues, streams, what Celery keeps."""
    store = Redis.from_url(settings.REDIS_URL)
    return b"".join(key + (store.dump(key) or b"") for key in store.keys("*"))


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def pages(scene: Scene, execution: Execution) -> bytes:
    """All that a person sees of it."""
    client = Client()
    client.force_login(scene.person("operations-lead"))
    where = f"/executions/{execution.pk}/"
    addresses = [where, f"{where}snapshot/", "/executions/", "/audit/", "/"]
    addresses += [f"{where}steps/{step.key}/output/" for step in execution.steps.all()]
    return b"".join(b"".join(client.get(address)) for address in addresses)


def start(scene: Scene, body: str) -> Execution:
    scene.runbook(body, extra=EXTRA)
    return scene.start(variables=dict(zip(NAMES, SECRETS, strict=True)))


def assert_nowhere(scene: Scene, execution: Execution, logged: str) -> None:
    assert execution.steps.get(key="one").attempts.last().output_size > 1000
    assert found_in(database()) == []
    assert found_in(redis()) == []
    assert found_in(pages(scene, execution)) == []
    assert found_in(files(Path(settings.SPOOL_DIR))) == []
    assert found_in(logged.encode()) == []


def test_a_run_that_fails_is_retried_and_given_up(scene: Scene, capfd) -> None:
    execution = start(scene, block("one", PRINT) + block("two", 'printf "${SECRET_4}"; exit 3'))
    lead = scene.person("operations-lead")
    assert scene.advance(execution).waiting_for["code"] == "step"
    services.retry(lead, execution.pk, execution.steps.get(key="two").pk)
    assert scene.advance(execution).state == "waiting"
    services.cancel(lead, execution.pk, "enough")
    assert scene.advance(execution).state == "cancelled"
    assert_nowhere(scene, execution, "".join(capfd.readouterr()))


def test_those_of_the_environment_that_nobody_typed(scene: Scene, capfd) -> None:
    lead = scene.person("operations-lead")
    for name, value in zip(NAMES, SECRETS, strict=True):
        secrets.set_secret(lead, "development", name, value)
    scene.runbook(block("one", PRINT) + block("two", 'printf "${SECRET_4}"; exit 3'), extra=EXTRA)
    execution = scene.run()
    services.note(lead, execution.pk, "It failed.")
    assert_nowhere(scene, execution, "".join(capfd.readouterr()))


def test_a_run_that_is_cancelled(scene: Scene, capfd) -> None:
    execution = start(scene, block("one", f"{PRINT}\necho the end\nsleep 60"))
    with at_work(execution):
        begun(scene, execution, "one")
        until(lambda: "the end" in scene.output(execution, "one"), what="the output")
        services.cancel(scene.person("operations-lead"), execution.pk, "enough")
    assert_nowhere(scene, execution, "".join(capfd.readouterr()))


@pytest.mark.faults
@pytest.mark.parametrize("place", ["attempt.started", "output.stored", "attempt.finished"])
def test_a_worker_that_dies(scene: Scene, capfd, place: str) -> None:
    execution = start(scene, block("one", PRINT))
    assert victim(execution, place) == 9
    expire_leases()
    assert play(execution.pk).state == "succeeded"
    assert_nowhere(scene, execution, "".join(capfd.readouterr()))
