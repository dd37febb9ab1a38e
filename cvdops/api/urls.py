"""The addresses of the API. The middleware lets in who may call them, as for the pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from cvdops.access.marks import access_of, requires
from cvdops.access.policy import Action
from cvdops.api import approvals, audit, executions, permissions, runbooks
from cvdops.api.asking import Asked, check_names
from cvdops.lib.errors import Invalid, Problem
from cvdops.lib.problems import ROOT, explained, problem

View = Callable[..., HttpResponseBase]

ROUTERS = (
    permissions.router,
    approvals.router,
    runbooks.router,
    executions.router,
    audit.router,
)
api = NinjaAPI(
    title="CVD Ops Runbooks",
    version="1",
    description="Errors are problem documents (RFC 9457) with a stable `code`; times are UTC.",
    docs_url=None,
    openapi_url=None,
    openapi_extra={"security": [{"token": []}]},
)
for _router in ROUTERS:
    api.add_router("", _router)


@api.exception_handler(ValidationError)
def not_as_described(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Every field that does not fit, as elsewhere."""
    problems = [
        Problem(".".join(map(str, found["loc"][2:])) or str(found["loc"][-1]), found["msg"])
        for found in error.errors
    ]
    return explained(Invalid(problems))


@api.exception_handler(HttpError)
def unreadable(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, "unreadable", "That could not be read", "Send JSON.")


@requires(Action.USE_PORTAL)
def openapi(_request: HttpRequest) -> JsonResponse:
    """The description of the API."""
    schema = api.get_openapi_schema(path_prefix=ROOT)
    schema["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return JsonResponse(schema)


def _calls() -> dict[str, Callable[..., Any]]:
    """The functions of the calls, by the names of their addresses."""
    return {
        str(operation.url_name): operation.view_func
        for router in ROUTERS
        for found in router.path_operations.values()
        for operation in found.operations
    }


def _marked(view: View, call: Callable[..., Any]) -> View:
    """The view with the mark of its call. HEAD is answered as GET is; forms are for pages."""
    wanted = get_type_hints(call).get("wanted", Asked)
    known = frozenset(wanted.model_fields)

    @wraps(call)
    def marked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        check_names(request, known)
        if request.method == "POST" and request.content_type != "application/json":
            return problem(
                415, "media", "That is no JSON", "Send JSON, and say so: application/json."
            )
        if request.method == "HEAD":
            request.method = "GET"
        return view(request, *args, **kwargs)

    marked.access = access_of(call)  # type: ignore[attr-defined]
    return marked


def _patterns() -> list[URLPattern]:
    calls = _calls()
    return [
        path(str(found.pattern), _marked(found.callback, calls[found.name]), name=found.name)
        for found in api.urls[0]
        if isinstance(found, URLPattern) and found.name in calls
    ]


urlpatterns = [*_patterns(), path("openapi.json", openapi, name="api-openapi")]
