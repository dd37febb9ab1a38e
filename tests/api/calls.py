"""Asking the API, by a token."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.test import Client

from cvdops.access import tokens
from cvdops.accounts.models import User
from tests.cast import person

ROOT = "/api/v1/"


def token(role: str, *scopes: str) -> str:
    """The text of a new token of the person with this role, for everything unless it is said."""
    return token_of(person(role), *scopes)


def token_of(user: User, *scopes: str) -> str:
    """The same of this person."""
    wanted = scopes or tuple(tokens.Scope)
    return tokens.make(user, f"test {user.tokens.count()}", wanted, 30, proved=True)[1]


def call(
    text: str,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    **query: str,
) -> HttpResponse:
    """What a program with this token is answered; without a text it sends none."""
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    shown = {"authorization": f"Bearer {text}"} if text else {}
    given: dict[str, Any] = {"headers": {**shown, **(headers or {})}}
    given["query_params"] = query
    if method == "POST":
        given |= {"data": body, "content_type": "application/json"}
    return getattr(client, method.lower())(ROOT + path, **given)


def get(text: str, path: str, **query: str) -> Any:
    """The JSON of something that is there."""
    answer = call(text, "GET", path, **query)
    assert answer.status_code == 200, answer.content
    return answer.json()
