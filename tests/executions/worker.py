"""A worker that a test may kill: `python -m tests.executions.worker EXECUTION…` advances each of them."""

import os
import sys
from uuid import UUID

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "cvdops.settings"
django.setup()

from cvdops.executions import engine  # noqa: E402 — after the apps are loaded

for execution in sys.argv[1:]:
    engine.advance(UUID(execution), f"victim:{os.getpid()}")
