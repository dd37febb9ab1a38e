"""Whether a runbook is due for review, from what its document says of itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cvdops.spec.document import Category

CADENCE = {Category.INCIDENTS.value: timedelta(days=30)}
OTHER_CADENCE = timedelta(days=90)
TOO_OLD = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the next review is due and how that stands today."""

    due: date | None
    tone: str  # ok | wait | bad | none
    label: str
    updated: date | None = None  # when the document says that it was

    def within(self, time: timedelta, today: date) -> bool:
        """Whether it was updated in this time."""
        return self.updated is not None and today - self.updated <= time


def freshness(metadata: Mapping[str, object], category: str, today: date) -> Freshness:
    """Older than six months is bad, past its review date or cadence is a warning."""
    updated = _date(metadata.get("last_updated"))
    due = _date(metadata.get("next_review"))
    if due is None and updated is not None:
        due = updated + CADENCE.get(category, OTHER_CADENCE)
    if updated is not None and today - updated > TOO_OLD:
        return Freshness(due, "bad", f"not updated since {updated}", updated)
    if due is None:
        return Freshness(None, "none", "no review date", updated)
    if due <= today:
        return Freshness(due, "wait", f"review due since {due}", updated)
    return Freshness(due, "ok", f"next review {due}", updated)


def _date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
