"""Pages leave compressed, streams as they are."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class Compression(GZipMiddleware):
    """What comes piece by piece is left alone.

    Django would make each piece a file of its own, of which browsers read the first and leave out the rest; and
    with its length a download says how far it is, and one that broke off is told from a whole one.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.streaming:
            return response
        return super().process_response(request, response)
