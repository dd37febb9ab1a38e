"""What others notice of documents that were made to be slow, while the portal reads them."""

import threading
import time
import urllib.parse
from http.client import HTTPConnection

from benchmarks.figures import Figure, percentile
from benchmarks.viewers import log_in

_REQUESTS = 60
_READERS = 3  # one more than are read at once
_SLOW = "# P\n\n## Procedures\n" + "###### *a* `b` [c](d)\n" * 19_000


def measure(port: int) -> list[Figure]:
    """Milliseconds for a page of the catalog, while hostile documents are imported without a pause."""
    cookie = log_in(port)
    over = threading.Event()
    threads = [threading.Thread(target=_import, args=(port, cookie, over)) for _ in range(_READERS)]
    alone = [_look(port, cookie) for _ in range(_REQUESTS // 3)]
    for thread in threads:
        thread.start()
    beside = [_look(port, cookie) for _ in range(_REQUESTS)]
    over.set()
    for thread in threads:
        thread.join()
    name = "a page while hostile documents are read, p95"
    return [Figure(name, percentile(beside, 0.95), "ms", percentile(alone, 0.95), 300.0)]


def _look(port: int, cookie: str) -> float:
    start = time.perf_counter()
    _ask(port, cookie, "/runbooks/")
    return (time.perf_counter() - start) * 1000


def _import(port: int, cookie: str, over: threading.Event) -> None:
    pairs = (pair.partition("=") for pair in cookie.split("; "))
    token = next(value for name, _, value in pairs if name == "csrftoken")
    form = urllib.parse.urlencode({"text": _SLOW, "csrfmiddlewaretoken": token})
    while not over.is_set():
        _ask(port, cookie, "/runbooks/import/", form)


def _ask(port: int, cookie: str, path: str, form: str | None = None) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    connection.request("POST" if form else "GET", path, form, {"Cookie": cookie, **kind})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, f"{path}: {answer.status}"
    connection.close()
