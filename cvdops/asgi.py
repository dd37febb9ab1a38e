"""The ASGI application that the web server runs."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")

import cvdops.celery  # noqa: F401 (publishes wake-ups; needs the variable above)

application = get_asgi_application()
