"""`Idempotency-Key`: a call that is sent again, because its answer was lost, has one effect.

The key is claimed, the call made and its answer kept in one transaction. Whoever sends the same at the same
time waits for it and gets that answer; after a crash there are the effect and its answer, or neither.
A call that changed nothing keeps nothing: its key may be used again.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from cvdops.access.marks import person
from cvdops.api.models import KeptAnswer
from cvdops.lib.errors import Conflict, Invalid, Problem, UserError
from cvdops.lib.sealing import seal, unseal

HEADER = "Idempotency-Key"
KEPT = timedelta(days=1)
AT_ONCE = 100  # old answers that one call removes
_LONGEST = 255

_CLAIM = """
    INSERT INTO api_keptanswer (user_id, route, key, fingerprint, status, body)
    VALUES (%s, %s, %s, %s, 0, ''::bytea)
    ON CONFLICT (user_id, route, key) DO NOTHING RETURNING id
"""
_USED = (
    "This key was sent with something else before. "
    "Send what you sent then, or take a new key for what is new."
)


def once(request: HttpRequest, call: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer of the call, made now or, with the same key and the same words, before.

    Raises Invalid for a key that is none, Conflict for one that was sent with something else.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return call()
    if not 0 < len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        text = f"A key has 1 to {_LONGEST} printable ASCII characters; a UUID will do."
        raise Invalid([Problem(HEADER, text)])
    _forget_old()
    refusal = None
    with transaction.atomic():
        claimed = _claim(request, key)
        if claimed is None:
            return _kept(request, key)
        try:
            answer = call()
        except UserError as error:
            refusal = error
        # What a refusal has changed after all stays, as without a key: only the claim goes.
        if refusal or not isinstance(answer, HttpResponse) or answer.status_code >= 400:
            KeptAnswer.objects.filter(pk=claimed).delete()
        else:
            body = seal({"body": answer.content.decode()}, settings.SECRET_KEY)
            KeptAnswer.objects.filter(pk=claimed).update(status=answer.status_code, body=body)
    if refusal:
        raise refusal
    return answer


def _claim(request: HttpRequest, key: str) -> int | None:
    """Waits for whoever has claimed the same and is not done; None if that was answered."""
    whose, route = person(request).pk, _route(request)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [whose, route, key, _fingerprint(request)])
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _kept(request: HttpRequest, key: str) -> HttpResponse:
    found = KeptAnswer.objects.get(user=person(request), route=_route(request), key=key)
    if found.fingerprint != _fingerprint(request):
        raise Conflict(_USED, "This key is taken")
    body = unseal(bytes(found.body), [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])["body"]
    return HttpResponse(body, "application/json; charset=utf-8", found.status)


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.url_name or "" if match else ""


def _fingerprint(request: HttpRequest) -> str:
    words = request.get_full_path_info().encode() + b"\n" + request.body
    return salted_hmac("cvdops.api.once", words, algorithm="sha256").hexdigest()


def _forget_old() -> None:
    """Those that somebody else is removing at this moment are left to them: nobody waits here."""
    old = KeptAnswer.objects.filter(made_at__lt=Now() - KEPT)
    with transaction.atomic():
        found = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:AT_ONCE])
        if found:
            KeptAnswer.objects.filter(pk__in=found).delete()
