"""The onboarding ladder of the mission: what each rung allows, whatever the roles would. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from cvdops.access.levels import Level

VALID = timedelta(days=365)  # until the next assessment


class Stage(IntEnum):
    """A rung of the ladder. A higher one never allows less."""

    SHADOW = 1
    SUPERVISED = 2
    STAGING = 3
    PRODUCTION = 4
    CERTIFIED = 5

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def allows(self) -> str:
        """What it allows, as a part of a sentence: “one may …”."""
        return _ALLOWS[self]


_LABELS = {
    Stage.SHADOW: "Week 1: shadow",
    Stage.SUPERVISED: "Week 2: under supervision",
    Stage.STAGING: "Week 3: staging",
    Stage.PRODUCTION: "Week 4: production under supervision",
    Stage.CERTIFIED: "Certified",
}
_ALLOWS = {
    Stage.SHADOW: "watch",
    Stage.SUPERVISED: "execute runbooks that are not critical, outside production, under supervision",
    Stage.STAGING: "execute all runbooks outside production",
    Stage.PRODUCTION: "execute in production under supervision, and elsewhere alone",
    Stage.CERTIFIED: "do all that one's roles allow",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """How somebody stands on the ladder. One that has expired counts as the first rung."""

    granted: Stage = Stage.SHADOW
    expired: datetime | None = None  # since when, if it has

    @property
    def stage(self) -> Stage:
        return Stage.SHADOW if self.expired else self.granted


def ceiling(stage: Stage, *, protected: bool, critical: bool, supervised: bool) -> Level:
    """The highest level that counts, for a protected environment or another, a critical runbook or not.

    Supervised: somebody certified takes part as supervisor.
    """
    alone = stage is Stage.CERTIFIED or (stage >= Stage.STAGING and not protected)
    if alone:
        return Level.LEAD
    if not _with_help(stage, protected=protected, critical=critical):
        return Level.REVIEW
    # Who assists does so beside somebody who executes: that is supervision enough.
    return Level.LEAD if supervised else Level.ASSIST


def _with_help(stage: Stage, *, protected: bool, critical: bool) -> bool:
    """Whether it is allowed under supervision."""
    if protected:
        return stage >= Stage.PRODUCTION
    return stage >= (Stage.STAGING if critical else Stage.SUPERVISED)


def opens(*, protected: bool, critical: bool) -> Stage:
    """The lowest rung on which it is allowed, alone or under supervision."""
    return next(s for s in Stage if _with_help(s, protected=protected, critical=critical))


def following(stage: Stage) -> Stage | None:
    """The next rung; None on the last one."""
    return Stage(stage + 1) if stage < Stage.CERTIFIED else None
