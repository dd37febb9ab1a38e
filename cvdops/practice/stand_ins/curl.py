"""The stand-in for `curl` where there is none: HTTP requests as health checks make them."""

import argparse
import http.client
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

FAILED_TO_CONNECT, HTTP_ERROR, TIMED_OUT, BAD_ADDRESS = 7, 22, 28, 3
_PASSING = (408, 429, 500, 502, 503, 504)  # what `--retry` tries again
_MOST_REDIRECTS = 10


@dataclass
class Answer:
    """What came back, and in how many seconds."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


class Failure(Exception):
    """Why there is no answer, with the exit code of curl."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


def main(_root: str, arguments: list[str]) -> int:
    options = _options().parse_args(arguments)
    code = 0
    for left in range(options.retry, -1, -1):
        try:
            answer = _follow(options)
        except Failure as error:
            code = error.code
            refused = code == FAILED_TO_CONNECT and options.retry_connrefused
            again = refused or options.retry_all_errors or code == TIMED_OUT
            _complain(options, code, str(error))
        else:
            code = HTTP_ERROR if options.fail and answer.status >= 400 else 0
            again = answer.status in _PASSING or (code and options.retry_all_errors)
            if not again or not left:
                return _show(options, answer, code)
        if not again or not left:
            break
        time.sleep(options.retry_delay or 1)
    _write_out(options, None)
    return code


def _follow(options: argparse.Namespace) -> Answer:
    began, url = time.monotonic(), options.url
    for _ in range(_MOST_REDIRECTS):
        answer = _ask(options, url)
        answer.seconds = time.monotonic() - began
        target = answer.header("location")
        if not (options.location and 300 <= answer.status < 400 and target):
            break
        url = urljoin(url, target)
    return answer


def _ask(options: argparse.Namespace, url: str) -> Answer:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}.get(
        parts.scheme
    )
    if kind is None or not parts.hostname:
        raise Failure(BAD_ADDRESS, f"{url} is no address of a web page")
    headers = dict(line.split(": ", 1) for line in options.header if ": " in line)
    method, body = options.request or ("HEAD" if options.head else "GET"), None
    if options.data is not None:
        method, body = options.request or "POST", options.data.encode()
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    patience = options.max_time or options.connect_timeout or 300
    connection = kind(parts.hostname, parts.port, timeout=patience)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body, {"User-Agent": "curl", "Accept": "*/*", **headers})
        got = connection.getresponse()
        return Answer(got.status, got.reason, got.getheaders(), got.read(), 0)
    except TimeoutError:
        raise Failure(TIMED_OUT, f"no answer within {patience:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        where = f"{parts.hostname} port {parts.port or 'of its scheme'}"
        raise Failure(FAILED_TO_CONNECT, f"Failed to connect to {where}: {error}") from None
    finally:
        connection.close()


def _show(options: argparse.Namespace, answer: Answer, code: int) -> int:
    text = b""
    if options.include or options.head:
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        text = "\r\n".join([*lines, "", ""]).encode()
    if code:
        _complain(options, code, f"The requested URL returned error: {answer.status}")
    else:
        text += answer.body
    if options.output:
        Path(options.output).write_bytes(text)
    else:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    _write_out(options, answer)
    return code


def _write_out(options: argparse.Namespace, answer: Answer | None) -> None:
    text: str = options.write_out.replace("\\n", "\n").replace("\\t", "\t")
    values = {
        "http_code": f"{answer.status if answer else 0:03}",
        "response_code": f"{answer.status if answer else 0:03}",
        "time_total": f"{answer.seconds if answer else 0:.6f}",
        "size_download": str(len(answer.body) if answer else 0),
        "content_type": answer.header("content-type") if answer else "",
    }
    for name, value in values.items():
        text = text.replace(f"%{{{name}}}", value)
    sys.stdout.write(text)


def _complain(options: argparse.Namespace, code: int, message: str) -> None:
    if options.show_error or not options.silent:
        sys.stderr.write(f"curl: ({code}) {message}\n")


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    switches = {"f": "fail", "s": "silent", "S": "show-error", "i": "include", "I": "head"}
    for letter, name in {**switches, "L": "location"}.items():
        parser.add_argument(f"-{letter}", f"--{name}", action="store_true")
    for name in ("retry-all-errors", "retry-connrefused"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("-o", "--output")
    parser.add_argument("-w", "--write-out", default="")
    parser.add_argument("-m", "--max-time", type=float)
    parser.add_argument("--connect-timeout", type=float)
    parser.add_argument("--retry", type=int, default=0)
    parser.add_argument("--retry-delay", type=float, default=0)
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-X", "--request")
    parser.add_argument("-d", "--data")
    parser.add_argument("url")
    return parser
