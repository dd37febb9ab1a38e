"""The WSGI application, for `runserver` and tools that ask for one; event streams need ASGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")

import cvdops.celery  # noqa: F401 (publishes wake-ups; needs the variable above)

application = get_wsgi_application()
