"""How long a line takes from the step that prints it to a viewer, with many viewers at once."""

import asyncio
import http.cookiejar
import re
import time
import urllib.parse
import urllib.request

from benchmarks.figures import Figure, median, percentile
from benchmarks.steps import finish, start

VIEWERS = 100
SCRIPT = 'sleep 3; for i in $(seq 1 60); do echo "at $(date +%s%N)"; sleep 0.1; done'
_STAMP = re.compile(rb"at (\d{19})")


def measure(port: int) -> list[Figure]:
    """Milliseconds from the printing of a line to its arrival in a viewer's connection."""
    cookie = log_in(port)
    execution = start("lines")
    delays = asyncio.run(watch(port, cookie, str(execution.pk), VIEWERS))
    finish(execution)
    assert len(delays) >= VIEWERS * 60, f"only {len(delays)} lines arrived"
    name = f"line printed → in a viewer, {VIEWERS} viewers"
    return [
        Figure(f"{name}, median", median(delays), "ms", 0.3, 30.0),
        Figure(f"{name}, p99", percentile(delays, 0.99), "ms", 0.3, 100.0),
    ]


def log_in(port: int) -> str:
    """The cookies of the demo's engineer."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    address = f"http://127.0.0.1:{port}/login/"
    opener.open(address).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {
        "username": "devops-engineer",
        "password": "cvdops-demo",
        "csrfmiddlewaretoken": token or "",
    }
    opener.open(address, urllib.parse.urlencode(form).encode()).read()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


async def watch(port: int, cookie: str, execution: str, count: int) -> list[float]:
    """So many viewers until the execution is over: the delay of each line at each of them, in ms."""
    viewers = [_view(port, cookie, execution) for _ in range(count)]
    return [delay for delays in await asyncio.gather(*viewers) for delay in delays]


async def _view(port: int, cookie: str, execution: str) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    request = f"GET /executions/{execution}/events/?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    writer.write(f"{request}Cookie: {cookie}\r\n\r\n".encode())
    delays = []
    while line := await reader.readline():
        now = time.time_ns()
        if line.startswith(b"event: end"):
            break
        if line.startswith(b'data: {"attempt"'):
            delays += [(now - int(stamp)) / 1e6 for stamp in _STAMP.findall(line)]
    writer.close()
    return delays
