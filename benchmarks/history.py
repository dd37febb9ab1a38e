"""The pages with a million executions: server time and queries by filter, the search, transfer, an export.

`python -m benchmarks.history [--executions N]` measures this part alone, in a system of its own.
"""

import argparse
import gzip
import sys
import time
import urllib.request
from collections.abc import Iterator

from benchmarks import million, plans, system
from benchmarks.figures import Figure, median, percentile, table
from benchmarks.flood import growth
from benchmarks.viewers import log_in

EXECUTIONS = 1_000_000
TIMES = 20  # requests of each address
READER = "operations-lead"
LONG = 50.0  # ms of server time for a page of the history
SEARCH = 300.0
OTHER = 60.0
PAGES = {
    "home": "/",
    "catalog": "/runbooks/",
    "a runbook that runs all the time": "/runbooks/backup-restore/",
    "a runbook that hardly ever runs": "/runbooks/performance-tuning/",
    "a runbook that never ran": "/runbooks/security-audit/",
    "approvals": "/approvals/",
    "metrics of a month": "/metrics/",
    "metrics of a year": "/metrics/?days=365",
    "routines": "/routines/",
    "permissions": "/permissions/",
    "certification": "/permissions/certification/",
    "environments": "/environments/",
    "environment": "/environments/development/",
    "contacts": "/contacts/",
    "audit": "/audit/",
    "notices": "/notices/",
    "holds": "/holds/",
    "account": "/account/",
}


def measure(running: system.System, count: int = EXECUTIONS) -> Iterator[Figure]:
    """Fill the history of a running system, and look at it."""
    from cvdops.catalog.sync import sync

    sync()  # other measurements had runbooks of their own in the catalog
    yield Figure(f"{count:,} executions made", million.fill(count), "s", None, 900.0)
    yield Figure("disk that they take", million.size(), "MB", None, 8000.0)
    yield from _filters(_floor())
    yield from _search()
    yield from _pages()
    yield from _export(running, count)


def _filters(floor: float) -> Iterator[Figure]:
    """By each filter alone, some together, and pages far back."""
    queries = 0
    for name, addresses in _addresses().items():
        times, asked = _ask(addresses)
        queries = max(queries, asked)
        yield Figure(f"history by {name}, p95", percentile(times, 0.95), "ms", floor, LONG)
    yield Figure("history, queries of a page at most", queries, "", None, 6.0)


def _addresses() -> dict[str, list[str]]:
    from cvdops.executions.models import Execution

    far = [
        str(one) for one in Execution.objects.order_by("id").values_list("pk", flat=True)[500:505]
    ]
    middle = f"before={_middle()}"
    numbers = range(TIMES)
    filters = {
        "nothing": ["", middle, *(f"before={one}" for one in far)],
        "runbook": [
            f"runbook={one}" for one in (plans.OFTEN, "deployment", plans.RARE, plans.NEVER)
        ],
        "procedure": [f"procedure={key}" for _, key, _ in plans.procedures()]
        + ["procedure=nothing"],
        "environment": [f"environment={one}" for one in ("development", "staging", "production")],
        "state": [
            f"state={one}" for one in ("succeeded", "failed", "rejected", "running", "expired")
        ],
        "person": [f"person={one}" for one in ("devops-engineer", "operations-lead", "nobody")],
        "days": ["since=2025-02-01&until=2025-02-03", "until=2025-01-01", "since=2026-11-01"],
        "host": [f"host=web-{n * 3 % 45}" for n in numbers],
        "variable": [f"variable=TICKET&value=OPS-{n * 49999 + 1}" for n in numbers]
        + ["variable=SERVICE_NAME&value=cvd", "variable=NOTHING", "variable=TICKET&value=none"]
        + [f"variable=TARGET_VERSION&value=v1.{n * 20}" for n in numbers],
        "emergency": ["emergency=yes", f"emergency=yes&{middle}"],
        "reason": [f"q=OPS-{n * 49999 + 1}" for n in numbers]
        + ["q=routine", "q=deployment", "q=%23400000", "q=nowhere", "q=work+17"],
        "several": [
            "runbook=deployment&state=failed&environment=production",
            "person=devops-engineer&state=rejected&host=web-7",
            "host=web-3&variable=TARGET_VERSION&value=v1.7",
            "state=failed&since=2025-03-01&until=2025-03-02",
            "procedure=backup-database&emergency=yes",
            "runbook=deployment&state=expired&person=operations-lead",
        ],
    }
    return {
        name: [f"/executions/?{query}" for query in queries] for name, queries in filters.items()
    }


def _middle() -> str:
    from cvdops.executions.models import Execution
    from cvdops.lib.ids import first_of

    half = time.time() - million.YEARS * 365 * 86400 / 2
    return str(Execution.objects.filter(pk__lt=first_of(half)).order_by("-id").first().pk)


def _search() -> Iterator[Figure]:
    """Words of every kind: those of few outputs, of some, of all, several, in quotes, with signs, none."""
    words = [f"unique{n * 97 % million.VARIANTS}" for n in range(TIMES)]
    words += [f"e{n}" for n in range(TIMES)] + [f"r{n * 100}" for n in range(TIMES)]
    words += ["info", "error", "request+ms", "error+e7", '"worker+3"', "nowhere", "--info"]
    words += ['"request+r17"', "r17+r18+r19", "10.0.3.7", "10.0.7.3", "unique5&state=failed"]
    words += ["10:03:12", "2026-11-05", "v1.0.2999", "/var/log/x", '"in+5+ms"']
    words += ['"started+finished"', '"checked+flushed"&environment=production']  # nowhere in a row
    times, asked = _ask([f"/executions/?output={word}" for word in words])
    found = "search in the output of 100,000 executions"
    yield Figure(f"{found}, queries", asked, "", None, 6.0)
    yield Figure(f"{found}, median", median(times), "ms", _floor_of_search(), SEARCH)
    yield Figure(f"{found}, p95", percentile(times, 0.95), "ms", _floor_of_search(), SEARCH)


def _pages() -> Iterator[Figure]:
    for name, addresses in _others().items():
        times, asked = _ask(addresses)
        yield Figure(f"{name} beside them, p95", percentile(times, 0.95), "ms", None, OTHER)
        yield Figure(f"{name} beside them, queries", asked, "", None, 12.0)
    for address in ("/", "/executions/", "/executions/?output=info", "/runbooks/deployment/"):
        size = len(gzip.compress(_client().get(address).content)) / 1000
        yield Figure(f"{address} transferred", size, "KB", None, 60.0)


def _others() -> dict[str, list[str]]:
    """The pages, and those of executions: of what is run all the time, hardly ever, and never."""
    from cvdops.executions.models import Execution

    newest = Execution.objects.order_by("-id")
    going, over = (f"/executions/{one.pk}/" for one in (newest[0], newest[million.GOING]))
    same = newest.filter(runbook=plans.OFTEN, finished_at__isnull=False)
    rare = newest.filter(runbook=plans.RARE).last()
    first, second = same[:2]
    return {
        **{name: [address] for name, address in PAGES.items()},
        "an execution that goes on": [going],
        "an execution that is over": [over],
        "evidence": [f"{over}evidence/"],
        "comparison": [f"/executions/compare/?run={first.number}&run={second.number}"],
        "what to compare with": [f"/executions/compare/?run={one.number}" for one in (first, rare)],
        "launch": [_launch(*one) for one in plans.procedures()],
    }


def _launch(runbook: str, procedure: str, environment: str) -> str:
    return f"/runbooks/{runbook}/run/?procedure={procedure}&environment={environment}"


def _export(running: system.System, count: int) -> Iterator[Figure]:
    """All of them as a file: how much the web server grows, and how long it takes."""
    address = f"http://127.0.0.1:{running.port}/executions/export/"
    cookie = log_in(running.port)
    _download(f"{address}csv/?state=rejected", cookie)
    for kind in ("csv", "json"):
        with growth(running, "uvicorn") as grown:
            began = time.perf_counter()
            lines = _download(f"{address}{kind}/", cookie)
            seconds = time.perf_counter() - began
        assert lines >= count, f"the {kind} file has {lines} lines"
        yield Figure(f"{kind} of all executions, web grows", grown[0], "MB", None, 50.0)
        yield Figure(f"{kind} of all executions", seconds, "s", None, 600.0)


def _download(address: str, cookie: str) -> int:
    """How many lines it has."""
    request = urllib.request.Request(address, headers={"Cookie": cookie})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 — of this machine
        lines = 0
        while piece := answer.read(1 << 20):
            lines += piece.count(b"\n")
    return lines


def _ask(addresses: list[str]) -> tuple[list[float], int]:
    """Milliseconds of each request, and the most queries of one."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, times, queries = _client(), [], 0
    for address in addresses:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code}"
        queries = max(queries, len(asked))
    for n in range(max(TIMES, len(addresses))):
        began = time.perf_counter()
        client.get(addresses[n % len(addresses)])
        times.append((time.perf_counter() - began) * 1000)
    return times, queries


def _client():
    from django.test import Client

    from cvdops.accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(username=READER))
    return client


def _floor() -> float:
    """The newest ones, by the key alone."""
    return _statement("SELECT * FROM executions_execution ORDER BY id DESC LIMIT 51")


def _floor_of_search() -> float:
    return _statement(
        "SELECT execution_id FROM executions_outputwords WHERE words @> '{unique17}' LIMIT 51"
    )


def _statement(text: str) -> float:
    from django.db import connection

    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(text)
            cursor.fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--executions", type=int, default=EXECUTIONS)
    count: int = parser.parse_args().executions
    with system.folder() as data, system.running(data) as running:
        system.connect(data)
        print(table(list(measure(running, count))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
