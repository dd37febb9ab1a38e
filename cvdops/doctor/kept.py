"""The last look on each machine, kept for page and API; and a new one, which runs beside the web server.

It looks in a process of its own: it takes its time, and connections that pages need.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from threading import Thread

from django.conf import settings
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.doctor.finding import Finding
from cvdops.doctor.models import Examination
from cvdops.lib.errors import Conflict

LIMIT = timedelta(minutes=2)  # a look that takes longer has died


def machine() -> str:
    """How this machine calls itself."""
    return socket.gethostname()[:255]


def keep(findings: Sequence[Finding]) -> None:
    """Keep what was found on this machine, instead of what was found there before."""
    found = {"findings": [asdict(one) for one in findings], "asked_at": None, "done_at": Now()}
    Examination.objects.update_or_create(machine=machine(), defaults=found)


def under_way() -> Q:
    """Those that are being looked at."""
    return Q(asked_at__gt=Now() - LIMIT)


def examinations() -> list[tuple[Examination, bool]]:
    """All machines that were ever looked at, each with whether it is being looked at now."""
    now = ExpressionWrapper(under_way(), output_field=BooleanField())
    found = Examination.objects.annotate(now=now).select_related("asked_by")
    return [(one, bool(one.now)) for one in found]


def ask(user: User) -> None:
    """Have this machine looked at now. Raises Refused, Conflict while it is being looked at."""
    can(user, Action.EXAMINE).enforce()
    with transaction.atomic():
        Examination.objects.get_or_create(machine=machine())
        free = Examination.objects.filter(~under_way() | Q(asked_at=None), machine=machine())
        if not free.update(asked_by=user, asked_at=Now()):
            raise Conflict("It is being looked at now. Wait for what is found.", "Under way")
        record(user, Action.EXAMINE, "installation", machine())
        transaction.on_commit(Thread(target=_look, daemon=True, name="doctor").start)


def _look() -> None:
    """`manage.py doctor --keep`, with what this process knows of the installation."""
    with suppress(subprocess.TimeoutExpired):  # the page says that it did not come to an end
        subprocess.run(
            [sys.executable, "-m", "django", "doctor", "--keep", "--json"],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "cvdops.settings"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT.total_seconds(),
            check=False,
        )
