"""The ASGI application that the web server runs."""

import os
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.asgi import get_asgi_application

from cvdops.lib.process import close_to_others

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")

import cvdops.celery  # noqa: F401 (publishes wake-ups; needs the variable above)

close_to_others()
portal = get_asgi_application()

from cvdops.accounts.demo import refuse_demo_people  # noqa: E402 (after the apps are loaded)
from cvdops.lib.database import Connection  # noqa: E402
from cvdops.web.gate import Gate  # noqa: E402

# Two connections are left for the streams, which look for what is new.
application = Gate(portal, max(2, settings.DATABASE_POOL - 2), reserved=1)

# A page that waits longer is worse than one that says that the database is away.
Connection.patience = 4.0

# The server imports this inside its event loop, where the database may not be asked.
with ThreadPoolExecutor(1) as outside:
    outside.submit(refuse_demo_people).result()
