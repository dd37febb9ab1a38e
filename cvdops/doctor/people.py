"""Who may log in, and who approves: nobody with a password that everybody knows, and people enough."""

from django.conf import settings

from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.approvals import gates, quorum
from cvdops.doctor.finding import Finding, ok, warning, wrong


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


def administrators() -> Finding:
    """Without one nobody opens accounts."""
    grants = RoleGrant.objects.in_force().filter(role__administers=True, user__is_active=True)
    names = sorted(set(grants.values_list("user__username", flat=True)))
    if names:
        return ok("administrators", f"Accounts are managed by {', '.join(names)}.")
    return warning(
        "administrators",
        "Nobody is an administrator.",
        "Nobody can open or close accounts.",
        "Run `manage.py person USER --role admin`.",
    )


def approvers() -> Finding:
    """What a policy or a gate asks for and nobody could give, because somebody left or lost a role."""
    found = [*(f"{policy}. {why}" for policy, why in quorum.stuck()), *gates.stuck()]
    if not found:
        text = "Every approval policy and every gate can be met by the people that there are."
        return ok("approvers", text)
    return warning(
        "approvers",
        " ".join(found),
        "What starts there waits for an approval that nobody can give, and expires.",
        "Give the role to somebody on the page Permissions, People, or change the policy or the runbook.",
    )
