"""Who holds which role, as changes have to know it: whose rights they are, and who would be locked out."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from cvdops.access.levels import Level
from cvdops.access.models import MatrixCell, RoleGrant
from cvdops.changes.effects import Cells, Holding, level


def persons(role: str) -> frozenset[UUID]:
    """Whoever holds the role, or will."""
    grants = RoleGrant.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()), role=role)
    return frozenset(grants.values_list("user__person", flat=True))


def holdings() -> list[Holding]:
    """The roles that active people hold, or will, by name."""
    return _holdings(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))


def cells() -> Cells:
    """The matrix."""
    rows = MatrixCell.objects.values_list("role_id", "category", "level")
    return {(role, category): Level(value) for role, category, value in rows}


def leads(category: str, changed: Cells | None = None, without: Iterable[int] = ()) -> bool:
    """Whether somebody leads a category everywhere and for good, with these cells and without these grants."""
    table = {**cells(), **(changed or {})}
    held = _lasting(without)
    return level(held, table, category, "", security=False) >= Level.LEAD


def administered(without: Iterable[int] = ()) -> bool:
    """Whether somebody is an administrator everywhere and for good, without these grants."""
    return bool(_lasting(without, role__administers=True))


def led(without: Iterable[int] = ()) -> bool:
    """Whether somebody holds a leading role everywhere and for good, without these grants."""
    return bool(_lasting(without, role__leads=True))


def _lasting(without: Iterable[int], **role: bool) -> list[Holding]:
    begun = Q(starts_at__isnull=True) | Q(starts_at__lte=Now())
    lasting = Q(environment__isnull=True, ends_at__isnull=True)
    return _holdings(begun & lasting & ~Q(pk__in=list(without)) & Q(**role))


def _holdings(which: Q) -> list[Holding]:
    grants = RoleGrant.objects.filter(which, user__is_active=True).select_related("user", "role")
    return [
        Holding(
            grant.user.username,
            grant.user.name,
            grant.role_id,
            grant.role.leads,
            grant.environment_id or "",
        )
        for grant in grants.order_by("user__name", "role__order")
    ]
