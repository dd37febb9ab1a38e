"""Whether the audit log is whole, as far as the running check has seen."""

from datetime import timedelta

from django.db.models.functions import Now

from cvdops.audit import witness
from cvdops.audit.models import Witness
from cvdops.doctor.finding import Finding, ok, warning, wrong

LATE = timedelta(minutes=10)  # a worker looks once a minute
_HEADS = "CVDOPS_AUDIT_HEADS says where; it has to be a place that workers may write to."


def audit_log() -> Finding:
    found = witness.standing()
    if found.problem:
        return wrong(
            "audit log",
            f"It is not whole. {found.problem}",
            "Somebody has changed what the database lets nobody change.",
            "Run `manage.py verify_audit`, and compare with a backup.",
        )
    if found.outside:
        return warning(
            "audit log",
            f"Its head cannot be noted outside the database: {found.outside}",
            "Whoever owns the database could make the chain anew without being found out.",
            _HEADS,
        )
    if not Witness.objects.filter(looked_at__gte=Now() - LATE).exists():
        return warning(
            "audit log",
            "No worker has checked its chain within ten minutes.",
            "A change would not be noticed.",
            "Start a worker; `manage.py verify_audit` checks it now.",
        )
    return ok("audit log", f"It is whole as far as it was checked, {found.whole_number} entries.")
