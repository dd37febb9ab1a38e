"""The ASGI application that the web server runs."""

import os
from concurrent.futures import ThreadPoolExecutor

import django
from django.conf import settings

from cvdops.lib.process import close_to_others, settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cvdops.settings")

import cvdops.celery  # publishes wake-ups; needs the variable above

close_to_others()
django.setup(set_prefix=False)

import cvdops.urls  # noqa: E402, F401 (nobody's first page waits for it)
from cvdops.accounts.demo import refuse_demo_people  # noqa: E402 (after the apps are loaded)
from cvdops.api.urls import described  # noqa: E402
from cvdops.lib.database import Connection  # noqa: E402
from cvdops.web.gate import Gate  # noqa: E402
from cvdops.web.handler import Handler  # noqa: E402

# Two connections are left for the streams, which look for what is new.
application = Gate(Handler(), max(3, settings.DATABASE_POOL - 2))

# A page that waits longer is worse than one that says that the database is away.
Connection.patience = 4.0

# The server imports this inside its event loop, where the database may not be asked.
with ThreadPoolExecutor(1) as outside:
    outside.submit(refuse_demo_people).result()

described()  # nobody waits for this, either
settle()
