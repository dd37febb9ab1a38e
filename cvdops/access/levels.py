"""The levels of the permissions matrix, lowest first. Pure."""

from enum import IntEnum


class Level(IntEnum):
    """What a role may do with the runbooks of a category. A higher level includes the lower ones."""

    NONE = 0
    REVIEW = 10
    ASSIST = 20
    EXECUTE = 30
    LEAD_SECURITY = 35  # Lead for security incidents, Review otherwise
    LEAD = 40

    @property
    def label(self) -> str:
        return _LABELS[self]

    def effective(self, *, security: bool) -> "Level":
        """The plain level that this one amounts to, for a security incident or for anything else."""
        if self is not Level.LEAD_SECURITY:
            return self
        return Level.LEAD if security else Level.REVIEW


_LABELS = {
    Level.NONE: "None",
    Level.REVIEW: "Review",
    Level.ASSIST: "Assist",
    Level.EXECUTE: "Execute",
    Level.LEAD_SECURITY: "Lead (security)",
    Level.LEAD: "Lead",
}
