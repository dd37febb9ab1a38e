"""What another system delivers to a trigger: that it is genuine, once, and what it starts.

The signature is HMAC-SHA-256 by the trigger's secret over `TIMESTAMP.DELIVERY.BODY`: neither the time nor
the id of something that was seen on its way can be changed.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from cvdops.audit.log import record
from cvdops.environments import calendar
from cvdops.executions.models import Delivery, Execution, Trigger
from cvdops.executions.services.starting import start
from cvdops.lib.errors import Conflict, Invalid, NotFound, Problem, UserError
from cvdops.lib.sealing import unseal

DELIVER = "trigger.deliver"  # in the audit log
WINDOW = timedelta(minutes=5)  # a delivery is older or newer by this at most
LARGEST = 64 << 10  # bytes of a payload
AT_MOST, WITHIN = 30, timedelta(minutes=1)  # deliveries of one trigger
KEPT = 500  # of those that started nothing, the newest
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_TIME = re.compile(r"[0-9]{1,12}")


class Unsigned(UserError):
    """It does not show that it comes from who has the secret, or it is too old."""

    code = "signature"
    status = 401
    title = "The signature does not fit"


class TooLarge(UserError):
    code = "too_large"
    status = 413
    title = "That is too large"


class TooMany(UserError):
    code = "too_many"
    status = 429
    title = "Too many at once"
    seconds = int(WITHIN.total_seconds())  # to wait


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery as it came: its headers as text, its body as bytes."""

    timestamp: str
    delivery: str
    signature: str
    body: bytes


def signature(secret: str, timestamp: str, delivery: str, body: bytes) -> str:
    """What the header has to say."""
    words = f"{timestamp}.{delivery}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), words, hashlib.sha256).hexdigest()


def deliver(trigger_id: str, sent: Sent) -> Execution:
    """Start what the trigger says, as its account, which has to be allowed to.

    Raises Unsigned, TooLarge, TooMany, Conflict for what was delivered before, and what `services.start`
    raises; then the delivery is kept with the refusal.
    """
    if len(sent.body) > LARGEST:
        raise TooLarge(f"A payload has {LARGEST >> 10} KB at most. Send what the variables need.")
    trigger = _trigger(trigger_id)
    _check_signature(trigger, sent)
    with transaction.atomic():
        Trigger.objects.select_for_update().only("pk").get(pk=trigger.pk)  # one after the other
        row = _claim(trigger, sent.delivery)
        try:
            with transaction.atomic():
                execution = _start(trigger, sent)
        except UserError as error:
            refusal = error
            Delivery.objects.filter(pk=row.pk).update(refusal=str(error) or error.title)
            _audit(trigger, sent, allowed=False, refusal=error.code)
        else:
            Delivery.objects.filter(pk=row.pk).update(execution=execution)
            _audit(trigger, sent, allowed=True, execution=str(execution.pk))
            return execution
    raise refusal


def _trigger(trigger_id: str) -> Trigger:
    """One that is on; others do not exist. Raises NotFound."""
    try:
        found = Trigger.objects.select_related("account").filter(
            pk=UUID(trigger_id), disabled_at=None, account__is_active=True
        )
    except ValueError:
        raise NotFound("trigger") from None
    if trigger := found.first():
        return trigger
    raise NotFound("trigger")


def _check_signature(trigger: Trigger, sent: Sent) -> None:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    secret = unseal(bytes(trigger.sealed), keys)["secret"]
    well_formed = _TIME.fullmatch(sent.timestamp) and _ID.fullmatch(sent.delivery)
    right = signature(secret, sent.timestamp, sent.delivery, sent.body)
    given = sent.signature.encode("utf-8", "replace")
    if not hmac.compare_digest(given, right.encode()) or not well_formed:
        Trigger.objects.filter(pk=trigger.pk).update(unsigned=F("unsigned") + 1, unsigned_at=Now())
        raise Unsigned(
            "Sign TIMESTAMP.DELIVERY.BODY with the secret of this trigger, and send the three headers."
        )
    if abs(calendar.now().timestamp() - int(sent.timestamp)) > WINDOW.total_seconds():
        raise Unsigned("Its timestamp is not of now: seconds since 1970 in UTC, within 5 minutes.")


def _claim(trigger: Trigger, delivery: str) -> Delivery:
    earlier = trigger.deliveries.filter(delivery=delivery).first()
    if earlier:
        text = f"The delivery {delivery} came at {earlier.at:%Y-%m-%d %H:%M:%S} UTC already"
        if earlier.execution_id is None:
            text = f"{text} and started nothing: {earlier.refusal} Send it anew with another id."
            raise Conflict(text, "It was refused before")
        raise Conflict(f"{text}. Nothing was done again.", "It came before")
    if trigger.deliveries.filter(at__gt=Now() - WITHIN).count() >= AT_MOST:
        raise TooMany(f"A trigger takes {AT_MOST} deliveries a minute. Send it again later.")
    refused = trigger.deliveries.filter(execution=None).order_by("-id")
    old = list(refused.values_list("pk", flat=True)[KEPT:])
    Delivery.objects.filter(pk__in=old, at__lt=Now() - 3 * WINDOW).delete()
    return Delivery.objects.create(
        trigger=trigger, delivery=delivery, shown_to_id=trigger.shown_to_id
    )


def _start(trigger: Trigger, sent: Sent) -> Execution:
    """The same verb as for a person; the trigger says the environment's name and confirms the checklist."""
    return start(
        trigger.account,
        runbook=trigger.runbook,
        environment=trigger.environment_id,
        procedure=trigger.procedure or None,
        variables=_variables(trigger.mapping, _payload(sent.body)),
        reason=f"Trigger “{trigger.name}”, delivery {sent.delivery}",
        confirm_environment=trigger.environment_id,
        checklist="confirmed",
    )


def _payload(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Invalid([Problem("", "The payload is no JSON.")]) from None


def _no_number(text: str) -> float:
    raise ValueError(text)


def _variables(mapping: Mapping[str, str], payload: Any) -> dict[str, str]:
    """The texts that stand where the mapping says. Raises Invalid for what is not there, or is no value."""
    found, problems = {}, []
    for name, pointer in mapping.items():
        value = _at(payload, pointer)
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            found[name] = str(value)
        else:
            text = f"There is no text or number at {pointer} of the payload."
            problems.append(Problem(name, text))
        if "\0" in found.get(name, ""):
            problems.append(Problem(name, "A NUL cannot be kept."))
    if problems:
        raise Invalid(problems)
    return found


def _at(payload: Any, pointer: str) -> Any:
    """What stands there (RFC 6901); None for nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(payload, dict):
            payload = payload.get(key)
        elif isinstance(payload, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", key):
            payload = payload[int(key)] if int(key) < len(payload) else None
        else:
            return None
    return payload


def _audit(trigger: Trigger, sent: Sent, *, allowed: bool, **more: object) -> None:
    data = {"delivery": sent.delivery, "trigger": trigger.name, **more}
    record(trigger.account, DELIVER, "trigger", trigger.pk, allowed=allowed, data=data)
