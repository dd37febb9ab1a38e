"""Brings the database up to date and loads the demo: both in one process, to import Django once."""

import os
import sys

import django
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError

PATIENCE = 30  # seconds for a connection


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")
    django.setup()
    import cvdops.celery  # noqa: F401, PLC0415 (through which the demo wakes workers)

    # Nobody waits for a page here, and a machine that starts everything at once is slow.
    connection.settings_dict["OPTIONS"]["pool"]["timeout"] = PATIENCE
    try:
        if _pending():
            call_command("migrate", interactive=False, verbosity=0)
        call_command("demo")
    except (OperationalError, CommandError) as error:
        print(f"The database could not be prepared: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _pending() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


if __name__ == "__main__":
    sys.exit(main())
