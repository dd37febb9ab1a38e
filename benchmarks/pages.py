"""How long the server takes for each page, and how much it sends."""

import http.client
import re
import time

from benchmarks.figures import Figure, median, percentile

TIMES = 60
PAGES = {
    "home": "/",
    "catalog": "/runbooks/",
    "runbook": "/runbooks/deployment/",
    "launch": "/runbooks/deployment/run/?procedure=deploy&environment=development",
    "history": "/executions/",
    "approvals": "/approvals/",
    "permissions": "/permissions/",
    "environment": "/environments/development/",
    "host": "/environments/development/hosts/practice/",
    "contacts": "/contacts/",
    "notices": "/notices/",
}
_PARTS = re.compile(rb'(?:href|src)="(/static/[^"]+)"')


def measure(port: int, cookie: str, execution: str) -> list[Figure]:
    """p95 from the request to the whole answer, beside that of an address that asks the database nothing."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    floor = median(_times(line, "/healthz", cookie)[0])
    figures, largest, first = [], 0, 0
    for name, address in {**PAGES, "execution": f"/executions/{execution}/"}.items():
        times, size, body = _times(line, address, cookie)
        parts = {part.decode() for part in _PARTS.findall(body)}
        largest = max(largest, size)
        first = max(first, size + sum(_ask(line, part, "")[1] for part in parts))
        figures.append(Figure(f"page {name}, p95", percentile(times, 0.95), "ms", floor, 60.0))
    return [
        *figures,
        Figure("largest page", largest / 1000, "KB", None, 60.0),
        Figure("largest first visit, with styles and scripts", first / 1000, "KB", None, 150.0),
    ]


def _times(
    line: http.client.HTTPConnection, address: str, cookie: str
) -> tuple[list[float], int, bytes]:
    """Milliseconds of each request; the bytes sent; the page."""
    for _ in range(3):  # documents are parsed once per process
        _ask(line, address, cookie)
    answers = [_ask(line, address, cookie) for _ in range(TIMES)]
    return [ms for ms, _, _ in answers], answers[-1][1], _page(line, address, cookie)


def _ask(line: http.client.HTTPConnection, address: str, cookie: str) -> tuple[float, int, bytes]:
    began = time.perf_counter()
    line.request("GET", address, headers={"Cookie": cookie, "Accept-Encoding": "gzip"})
    answer = line.getresponse()
    body = answer.read()
    assert answer.status == 200, f"{address}: {answer.status}"
    return (time.perf_counter() - began) * 1000, len(body), body


def _page(line: http.client.HTTPConnection, address: str, cookie: str) -> bytes:
    line.request("GET", address, headers={"Cookie": cookie})
    return line.getresponse().read()
