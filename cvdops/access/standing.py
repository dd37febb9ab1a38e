"""All that a person's rights follow from, as they stand at one moment. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from cvdops.access.certification import Certificate
from cvdops.access.levels import Level


@dataclass(frozen=True, slots=True)
class Held:
    """A role as one person holds it, with its row of the matrix."""

    role: str  # its slug
    levels: Mapping[str, Level]  # by category; one that is not named is NONE
    environment: str = ""  # where it holds; empty: everywhere
    leads: bool = False
    reads_audit: bool = False
    administers: bool = False
    name: str = ""  # of the role, as people read it

    def counts_in(self, environment: str) -> bool:
        """Whether it holds there; without an environment, whether it holds everywhere."""
        return self.environment in {"", environment}


@dataclass(frozen=True, slots=True)
class Standing:
    """What `access.rules` has to know about the person who asks."""

    person: uuid.UUID
    active: bool
    held: tuple[Held, ...] = ()
    certificate: Certificate = field(default_factory=Certificate)
    # Asked at gates alone: the named groups of approvers, and those who let this person decide for them.
    groups: frozenset[str] = frozenset()
    behalf: tuple["Standing", ...] = ()

    def answers_for(self, environment: str) -> frozenset[str]:
        """The names of approvers, roles and groups, for which this person speaks there."""
        return self.groups | {held.role for held in self.held_in(environment)}

    def held_in(self, environment: str = "") -> tuple[Held, ...]:
        """The roles that count in an environment; without one, those held everywhere."""
        return tuple(held for held in self.held if held.counts_in(environment))
