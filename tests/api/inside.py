"""The API as it answers in this process, and what it was asked: each call is taken back."""

import json
import time
from typing import Any
from urllib.parse import quote, urlencode

import requests
from django.test import Client
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from cvdops.executions import deliveries
from tests.api.described import undone

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
AT = "http://testserver"


class Inside:
    """Asks by this token; `secret`: of the trigger, whose deliveries it signs."""

    def __init__(self, text: str, secret: str) -> None:
        self.headers = {"Authorization": f"Bearer {text}"}
        self._secret = secret
        self._client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def answer(self, case: Case, *, sign: bool = True) -> Response:
        """What is answered, and nothing is changed. `sign`: a delivery, whatever headers it has."""
        content = _content(case.body)
        headers = {str(n): str(v) for n, v in (case.headers or {}).items()}
        signed = case.operation.path.endswith("/deliver")
        if not signed:
            headers |= self.headers
        elif sign:
            headers |= self._signed(content)
        address = _address(case)
        began = time.monotonic()
        with undone():
            answer = self._client.generic(
                case.method,
                address,
                content,
                content_type=case.media_type or "application/json",
                headers=headers,
            )
            told = b"" if answer.streaming else answer.content
        asked = requests.Request(case.method, AT + address, headers, data=content).prepare()
        return Response(
            answer.status_code,
            {name: [value] for name, value in answer.items()},
            told,
            asked,
            time.monotonic() - began,
            verify=True,
        )

    def _signed(self, content: bytes) -> dict[str, str]:
        now, one = str(int(time.time())), "one"
        return {
            "X-Cvdops-Timestamp": now,
            "X-Cvdops-Delivery": one,
            "X-Cvdops-Signature": deliveries.signature(self._secret, now, one, content),
        }


def hold(case: Case, answer: Response, *, fits: bool) -> None:
    """`fits`: whether the body may be right."""
    case.validate_response(answer, checks=CHECKS)
    assert fits or answer.status_code >= 400, (answer.status_code, case.body)


def _content(body: Any) -> bytes:
    if isinstance(body, NotSet):
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _address(case: Case) -> str:
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(_text(value) or b"-", safe=""))
    asked = {name: _texts(value) for name, value in (case.query or {}).items()}
    found = urlencode(asked, doseq=True, errors="surrogatepass")
    return f"{path}?{found}" if found else path


def _texts(value: Any) -> list[str]:
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> Any:
    found = value if isinstance(value, str) else json.dumps(value)
    return found.encode(errors="surrogatepass")
