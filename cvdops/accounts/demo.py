"""The demo people, whose password everybody knows, and production."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from cvdops.accounts.models import User


def refuse_demo_people() -> None:
    """Raise ImproperlyConfigured if this is production and a demo account could log in."""
    if not settings.PRODUCTION:
        return
    names = User.objects.filter(demo=True, is_active=True).values_list("username", flat=True)
    found = ", ".join(names)
    connection.close()
    if found:
        raise ImproperlyConfigured(
            f"Production does not start with demo people, whose password is public: {found}. "
            "Deactivate them, or use a database of its own."
        )
