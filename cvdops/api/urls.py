"""The addresses of the API. The middleware lets in who may call them, as for the pages."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, wraps
from typing import Any, get_type_hints

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from cvdops.access import limits
from cvdops.access.marks import Access, access_of, person, requires
from cvdops.access.policy import Action
from cvdops.access.tokens import token_of
from cvdops.api import (
    account,
    accounts,
    approvals,
    audit,
    catalog,
    changes,
    contacts,
    controls,
    environments,
    events,
    evidence,
    executions,
    history,
    holds,
    hosts,
    installation,
    metrics,
    notices,
    output,
    parts,
    people,
    permissions,
    plans,
    policies,
    routines,
    runbooks,
    sharp,
    steps,
    taking_part,
    triggers,
    wrong,
)
from cvdops.api.asking import Asked, check_names
from cvdops.api.description import describe
from cvdops.api.docs import page
from cvdops.api.etags import tagged
from cvdops.api.locations import location
from cvdops.api.once import once
from cvdops.api.rendering import Json
from cvdops.audit.log import by_token
from cvdops.lib.errors import Invalid
from cvdops.lib.problems import problem

View = Callable[..., HttpResponseBase]

_FREE = frozenset({"api-approval-decide", "api-execution-cancel"})

ROUTERS = (
    permissions.router,
    approvals.router,
    runbooks.router,
    catalog.router,
    history.router,  # its addresses come before those of one execution
    executions.router,
    evidence.router,
    controls.router,
    steps.router,
    taking_part.router,
    plans.router,
    events.router,
    output.router,
    environments.router,
    hosts.router,
    parts.router,
    holds.router,
    policies.router,
    changes.router,
    people.router,
    account.router,
    accounts.router,
    triggers.router,
    notices.router,
    contacts.router,
    metrics.router,
    routines.router,
    installation.router,
    audit.router,
)


def named(operation: Operation) -> str:
    """The id of a call in the description."""
    return _named(operation.view_func)


def _named(call: Callable[..., Any]) -> str:
    """Its module and its function."""
    return f"{call.__module__.rpartition('.')[2]}.{call.__name__}"


api = NinjaAPI(
    title="CVD Ops Runbooks",
    version="1",
    docs_url=None,
    openapi_url=None,
    renderer=Json(),
)
api.get_openapi_operation_id = named  # type: ignore[method-assign]
for _router in ROUTERS:
    api.add_router("", _router)


@api.exception_handler(ValidationError)
def not_as_described(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Every field that does not fit, as elsewhere."""
    found = wrong.problems(error.errors)
    named = [asdict(one) for one in found]
    return problem(
        Invalid.status, Invalid.code, Invalid.title, wrong.sentence(found), problems=named
    )


@api.exception_handler(HttpError)
def unreadable(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, "unreadable", "That could not be read", "Send JSON.")


@requires(Action.USE_PORTAL)
def openapi(request: HttpRequest) -> HttpResponseBase:
    """The description of the API."""
    return tagged(request, JsonResponse(described()))


@cache
def described() -> dict[str, Any]:
    """The description; nothing in it changes while a process lives."""
    marks = {
        named(operation): access_of(operation.view_func)
        for router in ROUTERS
        for view in router.path_operations.values()
        for operation in view.operations
    }
    return describe(api, {name: mark for name, mark in marks.items() if mark})


Calls = dict[str, Callable[..., Any]]  # method → the function that answers it


def _calls() -> dict[str, Calls]:
    """The functions of the calls, by the names of their addresses."""
    found: dict[str, Calls] = {}
    for router in ROUTERS:
        for view in router.path_operations.values():
            for operation in view.operations:
                answers = found.setdefault(str(operation.url_name), {})
                answers |= dict.fromkeys(operation.methods, operation.view_func)
    return found


def _mark(calls: Calls) -> Access:
    """What an address asks for: to read it, and to send something to it."""
    marks = {method: access_of(call) for method, call in calls.items()}
    read, sent = marks.get("GET"), marks.get("POST")
    if read is None or sent is None:
        found = read or sent
        if found is None:
            raise TypeError(f"A call has no access mark: {calls}")
        return found
    return Access(read.action, read.methods | sent.methods, posting=sent.action)


def _marked(view: View, calls: Calls) -> View:
    """The view with the mark of its calls. HEAD is answered as GET is; forms are for pages."""
    access = _mark(calls)
    public = access.action is Action.PUBLIC  # it carries its own proof, and no browser adds that
    known = {
        method: frozenset(get_type_hints(call).get("wanted", Asked).model_fields)
        for method, call in calls.items()
    }

    @wraps(next(iter(calls.values())))
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = "GET" if request.method == "HEAD" else str(request.method)
        check_names(request, known.get(method, frozenset()))
        if sharp.is_sharp(calls[method]):
            sharp.check(request)
        if method == "POST" and not _says_json(request):
            return problem(
                415, "media", "That is no JSON", "Send JSON, and say so: application/json."
            )
        request.method = method
        if public:
            return _placed(view(request, *args, **kwargs), calls[method], kwargs)
        user, kind = person(request), _kind(request, calls[method])
        with by_token(token_of(request)):
            if method == "GET":
                limits.take(user, limits.Kind.ASK)
                return tagged(request, view(request, *args, **kwargs))
            if kind is not None:
                limits.take(user, limits.Kind.ASK)

            def counted() -> HttpResponseBase:
                if kind is not None:  # where it is done: to be answered as before costs nothing
                    limits.take(user, kind)
                return view(request, *args, **kwargs)

            return _placed(once(request, counted), calls[method], kwargs)

    marked.access = access  # type: ignore[attr-defined]
    marked.csrf_exempt = public  # type: ignore[attr-defined]
    return marked


def _placed(
    answer: HttpResponseBase, call: Callable[..., Any], asked: dict[str, Any]
) -> HttpResponseBase:
    """The answer, which says where what was made is read."""
    if answer.status_code == 201 and isinstance(answer, HttpResponse):
        answer["Location"] = location(_named(call), asked, json.loads(answer.content))
    return answer


def _says_json(request: HttpRequest) -> bool:
    """Whether what was sent is said to be JSON; where nothing was sent, nothing has to be said."""
    if request.content_type == "application/json":
        return True
    empty = request.META.get("CONTENT_LENGTH") in {None, "", "0"}
    return empty and "HTTP_TRANSFER_ENCODING" not in request.META and not _is_form(request)


def _is_form(request: HttpRequest) -> bool:
    """Whether Django has read the body already."""
    return request.content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}


def _kind(request: HttpRequest, call: Callable[..., Any]) -> limits.Kind | None:
    """As what a call is counted; None: what ends trouble is not."""
    access, match = access_of(call), request.resolver_match
    if access and access.action is Action.START:
        return limits.Kind.START
    if match and match.url_name in _FREE:
        return None
    return limits.Kind.CHANGE


def _patterns() -> list[URLPattern]:
    calls = _calls()
    found = {p.name: p for p in api.urls[0] if isinstance(p, URLPattern) and p.name in calls}
    return [
        path(str(pattern.pattern), _marked(pattern.callback, calls[name]), name=name)
        for name, pattern in found.items()
    ]


urlpatterns = [
    *_patterns(),
    path("openapi.json", openapi, name="api-openapi"),
    path("docs", page(described), name="api-docs"),
]
