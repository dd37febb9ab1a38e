#!/usr/bin/env python
"""Django's command line for the portal. Ctrl-C ends it with 130, also while it is still being loaded."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from cvdops.lib.console import Console

        try:
            import cvdops.celery  # noqa: F401 (commands publish wake-ups; needs the variable above)

            execute_from_command_line(sys.argv)
        except ImproperlyConfigured as error:
            console = Console(sys.stdout, sys.stderr)
            if "--json" in sys.argv:
                console.say_json({"error": {"code": "settings", "detail": str(error)}})
            console.tell(str(error))
            sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
