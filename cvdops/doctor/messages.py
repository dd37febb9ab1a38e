"""Whether what people are to be told leaves the portal."""

from django.conf import settings

from cvdops.doctor.finding import Finding, ok, warning
from cvdops.notifications.queries import undelivered


def address() -> Finding:
    """Where the links of messages lead."""
    if settings.PORTAL_URL:
        return ok("address", f"Messages link to {settings.PORTAL_URL}.")
    if not settings.NOTIFY:
        return ok("address", "There are no messages that could link anywhere.")
    return warning(
        "address",
        "CVDOPS_URL does not say where the portal is reached.",
        "Messages have no link to what they are about.",
        "Set CVDOPS_URL, for instance to https://ops.example.com.",
    )


def channels() -> Finding:
    name = "notifications"
    if not settings.NOTIFY:
        return warning(
            name,
            "CVDOPS_NOTIFY names no channel.",
            "Requests for approval and help are seen in the portal alone.",
            "Name channels, as docs/operations.md says; `mail` reaches people at their addresses.",
        )
    if failed := undelivered():
        return warning(
            name,
            f"{len(failed)} of the last day's messages did not go out; the newest: {failed[0].error}",
            "Who does not look into the portal hears of nothing.",
            "Look at the address of the channel in CVDOPS_NOTIFY; the worker's log names each try.",
        )
    return ok(name, f"{len(settings.NOTIFY)} configured: {', '.join(sorted(settings.NOTIFY))}.")
