"""The practice CVD, put back to how it was delivered."""

import subprocess
import sys

from django.conf import settings

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.environments.models import Environment
from cvdops.lib.errors import Conflict, NotFound

LIMIT = 60  # seconds
NOT_RESET = "The practice CVD was not reset"


def reset(user: User, slug: str) -> None:
    """Raises NotFound for an environment without one, Refused, and Conflict when it could not be done."""
    environment = Environment.objects.filter(pk=slug, practice=True).first()
    if environment is None:
        raise NotFound("practice environment")
    can(user, Action.RESET_PRACTICE).enforce()
    root = str(settings.PRACTICE_DIR)
    command = [sys.executable, "-m", "cvdops.practice", "reset", "--root", root]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        text = f"The practice CVD was not reset within {LIMIT} s."
        raise Conflict(text, NOT_RESET) from None
    data = {"exit_code": done.returncode}
    record(user, Action.RESET_PRACTICE, "environment", slug, data=data)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise Conflict(f"The practice CVD could not be reset: {last}", NOT_RESET)
