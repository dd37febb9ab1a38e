"""Static files, found by whitenoise and sent whole: they are small, and ASGI has no use for its streams."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.base import StaticFile
from whitenoise.middleware import WhiteNoiseMiddleware

from cvdops.web.middleware import Handler


@cache
def _files() -> dict[str, StaticFile]:
    """Looked for once per process."""
    return dict(WhiteNoiseMiddleware(lambda _: None).files)


def static_files(get_response: Handler) -> Handler:
    """Answer what is a static file."""
    files = _files()

    def find(request: HttpRequest) -> HttpResponse | None:
        file = files.get(request.path_info)
        if file is None:
            return None
        found = file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return find(request) or get_response(request)

    return middleware
