"""Who holds which role, as changes have to know it: whose rights they are, and who would be locked out."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from cvdops.access.certification import Stage, ceiling
from cvdops.access.levels import Level
from cvdops.access.models import Certification, MatrixCell, RoleGrant
from cvdops.changes.effects import Cells, Effect, Holding, level
from cvdops.environments.models import Environment
from cvdops.lib.once import once
from cvdops.spec.document import Category


def persons(role: str) -> frozenset[UUID]:
    """Whoever holds the role, or will."""
    return frozenset(person for held, person in _persons() if held == role)


@once
def _persons() -> list[tuple[str, UUID]]:
    """Role and person, for all that is held or will be."""
    grants = RoleGrant.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))
    return list(grants.values_list("role_id", "user__person"))


def holdings() -> list[Holding]:
    """The roles that active people hold, or will, by name."""
    return _holdings(Q(ends_at__isnull=True) | Q(ends_at__gt=Now()))


def cells() -> Cells:
    """The matrix."""
    rows = MatrixCell.objects.values_list("role_id", "category", "level")
    return {(role, category): Level(value) for role, category, value in rows}


def as_trained(found: Iterable[Effect]) -> list[Effect]:
    """The effects with what the training of each person allows there, under supervision where it has to be."""
    effects = list(found)
    names, now = {effect.username for effect in effects}, timezone.now()
    newest = Certification.objects.newest().filter(user__username__in=names)
    stages = {
        c.user.username: Stage.SHADOW if c.expires_at <= now else Stage(c.stage)
        for c in newest.select_related("user")
    }
    open_ones = Environment.objects.filter(protected=False).values_list("pk", flat=True)
    unprotected = set(open_ones) if effects else set()
    return [
        replace(
            effect,
            limit=ceiling(
                stages.get(effect.username, Stage.SHADOW),
                protected=effect.environment not in unprotected,
                critical=False,
                supervised=True,
            ),
        )
        for effect in effects
    ]


def leads(category: str, changed: Cells | None = None, without: Iterable[int] = ()) -> bool:
    """Whether somebody leads a category everywhere and for good, with these cells and without these grants."""
    table = {**cells(), **(changed or {})}
    held = _lasting(without)
    return level(held, table, category, "", security=False) >= Level.LEAD


def locked_out(without: Iterable[int]) -> str:
    """What nobody could do any more without these grants and can now, as a sentence; empty if nothing.

    An account that is deactivated takes its grants with it.
    """
    gone = list(without)
    for flag, name in (("role__administers", "administrator"), ("role__leads", "Operations Lead")):
        if _lasting((), **{flag: True}) and not _lasting(gone, **{flag: True}):
            return f"This is the last {name} everywhere and for good. Give somebody else the role first."
    for category in Category:
        if leads(category) and not leads(category, without=gone):
            return f"Nobody would lead {category} any more. Give somebody else the role first."
    return ""


def locked_out_by_role(role: str, *, leads: bool, administers: bool, reads_audit: bool) -> str:
    """What nobody could do any more if a role had these rights, and can now; empty if nothing."""
    del reads_audit  # nobody is locked out without the audit log: it can be given again
    held, table = _lasting(()), cells()
    later = as_leading(held, role, leads)
    if not administers and _only(role, "administers"):
        return "Nobody would administer any more. Give another role that first."
    if not leads and _only(role, "leads"):
        return "No role that somebody holds would lead any more. Give another role that first."
    for category in Category:
        before, after = (level(h, table, category, "", security=False) for h in (held, later))
        if before >= Level.LEAD > after:
            return f"Nobody would lead {category} any more. Give another role Lead on it first."
    return ""


def as_leading(held: Iterable[Holding], role: str, leads: bool) -> list[Holding]:
    """The holdings with this role leading, or not."""
    return [replace(h, leads=leads) if h.role == role else h for h in held]


def _only(role: str, flag: str) -> bool:
    """Whether everybody who has this right for good and everywhere has it by this role."""
    found = {holding.role for holding in _lasting((), **{f"role__{flag}": True})}
    return found == {role}


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
