"""Random ways in which a person can stand, and random things that they can be asked about."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from cvdops.access.certification import Certificate, Stage
from cvdops.access.levels import Level
from cvdops.access.standing import Held, Standing
from cvdops.access.subjects import NEEDED, UNCATEGORISED, Action, Gate, Matter, Subject
from cvdops.spec.document import Category

CATEGORIES = tuple(category.value for category in Category)
ENVIRONMENTS = ("development", "staging", "production")
ROLES = ("lead", "engineer", "manager", "cto", "auditor", "admin")
PERSONS = tuple(uuid.UUID(int=number) for number in range(1, 5))

helds = st.builds(
    Held,
    role=st.sampled_from(ROLES),
    levels=st.dictionaries(st.sampled_from(CATEGORIES), st.sampled_from(Level)),
    environment=st.sampled_from(("", *ENVIRONMENTS)),
    leads=st.booleans(),
    reads_audit=st.booleans(),
    administers=st.booleans(),
)
GROUPS = ("dba", "network")
certificates = st.builds(
    Certificate,
    granted=st.sampled_from(Stage),
    expired=st.none() | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
)
people = st.builds(
    Standing,
    person=st.sampled_from(PERSONS),
    active=st.integers(0, 9).map(bool),
    held=st.lists(helds, max_size=3).map(tuple),
    certificate=certificates,
    groups=st.frozensets(st.sampled_from(GROUPS), max_size=1),
)
standings = st.builds(
    lambda own, behalf: replace(own, behalf=tuple(behalf)), people, st.lists(people, max_size=2)
)
matters = st.builds(
    Matter,
    category=st.sampled_from((*CATEGORIES, UNCATEGORISED)),
    environment=st.sampled_from(("", *ENVIRONMENTS)),
    security=st.booleans(),
    protected=st.booleans(),
    critical=st.booleans(),
    supervised=st.booleans(),
    present=st.booleans(),
)
gates = st.builds(
    Gate,
    matter=matters,
    approvers=st.frozensets(st.sampled_from((*ROLES, *GROUPS)), min_size=1, max_size=3),
    involved=st.dictionaries(st.sampled_from(PERSONS), st.just("asked for it"), max_size=2),
)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Action, Subject]:
    """An action with what it is about."""
    action = draw(st.sampled_from(Action))
    if action in NEEDED:
        return action, draw(matters)
    return action, draw(gates) if action is Action.DECIDE else None


def with_more(standing: Standing, held: Held) -> Standing:
    """The same person, holding a role more."""
    return replace(standing, held=(*standing.held, held))
