"""How a request is handled: all middleware and the view in one go and in one thread.

Only what is sent passes the event loop. Django would change between the two for each middleware, and each
change costs as much as a short query.
"""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Handler(ASGIHandler):
    """Django's, whose chain of middleware is a synchronous one."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 — as Django calls it
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)
