"""`ETag` and `If-None-Match`: who has an answer already gets none again."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, set_response_etag


def tagged(request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
    """The answer with a tag of what it says; 304 without a body for who has sent that tag."""
    if not isinstance(answer, HttpResponse) or answer.status_code != 200 or "ETag" in answer:
        return answer
    answer["Cache-Control"] = "private, no-cache"
    set_response_etag(answer)
    return get_conditional_response(request, etag=answer["ETag"], response=answer) or answer
