"""What stands between runbooks: children that are missing, or that lead in a circle.

It changes with the other runbook, so it is kept with the runbook and not with a version.
"""

from typing import Any

from django.db.models.functions import Coalesce

from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.spec.children import cycles, missing
from cvdops.spec.serialise import diagnostic_json

_CHILD = r"[`~]{3,}\s*\{?\s*\.?runbook\y"  # a cheap look: does any document start another?


def note_obstacles() -> None:
    """Look at all runbooks of the source as they would be executed, and note what stands in their way."""
    present = Runbook.objects.filter(removed_at__isnull=True)
    versions = RunbookVersion.objects.filter(
        pk__in=present.values_list(Coalesce("current_id", "newest_id"))
    )
    found: dict[str, list[dict[str, Any]]] = {}
    if versions.filter(source__iregex=_CHILD).exists():
        documents = {v.runbook_id: document(v) for v in versions.defer("source")}
        for check in (missing, cycles):
            for key, diagnostics in check(documents).items():
                found.setdefault(key, []).extend(map(diagnostic_json, diagnostics))
    for runbook in Runbook.objects.all():
        now = found.get(runbook.pk, [])
        if runbook.obstacles != now:
            runbook.obstacles = now
            runbook.save(update_fields=["obstacles"])
