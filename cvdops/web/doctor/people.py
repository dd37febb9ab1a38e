"""Who may log in with a password that everybody knows."""

from django.conf import settings

from cvdops.accounts.models import User
from cvdops.web.doctor.finding import Finding, ok, wrong


def demo() -> Finding:
    """Demo people. Production does not start with them, nor with the development key."""
    names = list(User.objects.filter(demo=True, is_active=True).values_list("username", flat=True))
    if names and settings.PRODUCTION:
        return wrong(
            "people",
            f"This is production, and demo people may log in: {', '.join(names)}.",
            "Everybody knows their password.",
            "Deactivate them.",
        )
    if names:
        return ok("people", f"This is no production: {len(names)} demo people may log in.")
    return ok("people", "Nobody may log in with a password that is public.")
