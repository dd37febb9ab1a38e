"""What every page shows around its content: the navigation and who is logged in."""

from functools import cached_property

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from cvdops.access.policy import standing_of
from cvdops.access.standing import Held
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Hold
from cvdops.executions.glance import Glance, glance
from cvdops.notifications.models import Notice
from cvdops.web.fresh import is_fresh
from cvdops.web.places import FIRST, REST, Place, section


class Portal:
    """Asked by the templates, once per request and only for what they show."""

    def __init__(self, request: HttpRequest) -> None:
        self._user: User | AnonymousUser = request.user
        self.fresh = is_fresh(request)  # the password was entered a short time ago
        self.section = section(request.path)  # where the navigation is
        self.first_visit = bool(request.session.get("first_visit")) if request.user.pk else False

    @cached_property
    def _glance(self) -> Glance:
        return glance(self._user) if isinstance(self._user, User) else Glance([], [], [])

    @property
    def inbox(self) -> list[ApprovalRequest]:
        """The approvals that this person may decide now."""
        return self._glance.inbox

    @property
    def holds(self) -> list[Hold]:
        """What refuses new starts now, as far as it exists for this person."""
        return self._glance.holds

    @property
    def unread(self) -> list[Notice]:
        """What this person was told and has not read."""
        return self._glance.unread

    @cached_property
    def roles(self) -> list[Held]:
        """Those that this person holds everywhere now, each once."""
        if not isinstance(self._user, User):
            return []
        return list({held.role: held for held in standing_of(self._user).held_in()}.values())

    @property
    def first_places(self) -> tuple[Place, ...]:
        """What the navigation begins with; a phone shows these alone."""
        return FIRST

    @property
    def rest_places(self) -> list[Place]:
        hidden = {"audit": not self.reads_audit, "people": not self.administers}
        return [place for place in REST if not hidden.get(place.name)]

    @cached_property
    def reads_audit(self) -> bool:
        return any(role.reads_audit for role in self.roles)

    @cached_property
    def administers(self) -> bool:
        return any(role.administers for role in self.roles)


def portal_of(request: HttpRequest) -> Portal:
    """The one of this request: a view and its page ask the database once."""
    known = getattr(request, "portal", None)
    if isinstance(known, Portal):
        return known
    made = Portal(request)
    request.portal = made  # type: ignore[attr-defined]
    return made


def portal(request: HttpRequest) -> dict[str, Portal]:
    return {"portal": portal_of(request)}
