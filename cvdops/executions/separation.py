"""Who may not decide about an execution, by person: who asked for it, drove it, gave inputs, or wrote it.

It is read from what happened, each time, and so holds for whatever roles somebody has or gets later.
"""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import connection

from cvdops.catalog.models import RunbookVersion
from cvdops.catalog.reviews import authors
from cvdops.executions.models import Participant
from cvdops.lib.once import once

ASKED = "asked for it"
DROVE = "had a part in running it"
WROTE = "wrote what runs"
SET_UP = "set up the trigger that asked for it"

# By these somebody lets it go on, in their own name from then on.
TAKING_OVER = (
    "execution.start", "execution.resume", "execution.resume_from", "execution.roll_back",
    "step.retry", "step.skip", "step.settle",
)  # fmt: skip
# What somebody does to an execution; a note, a decision at a gate and a look are not among them.
_DRIVING = (
    *TAKING_OVER, "execution.pause", "pause.asked", "pause.withdrawn",
    "execution.cancel", "cancel.asked", "execution.fail", "give_up.asked", "step.confirm",
    "step.leave_out",
)  # fmt: skip

# They run it, or stand for it that somebody who is being trained does.
_PARTS_OF_RUNNING = [Participant.Part.OPERATOR.value, Participant.Part.SUPERVISOR.value]

_PART = {1: ASKED, 2: DROVE, 3: WROTE, 4: SET_UP}

Involved = Mapping[UUID, str]  # person → what they had to do with it


_PARTS = """
    WITH RECURSIVE family (execution, member) AS (
      SELECT id, id FROM executions_execution WHERE id = ANY(%s)
       UNION
      SELECT f.execution, s.execution_id
        FROM family f JOIN executions_execution e ON e.id = f.member
             JOIN executions_steprun s ON s.id = e.parent_id
    ), member AS (
      SELECT f.execution, e.id, e.requested_by_id, e.version_id, e.plan, n.protected
        FROM family f JOIN executions_execution e ON e.id = f.member
             JOIN environments_environment n ON n.slug = e.environment_id
    )
    SELECT m.execution, u.person, NULL::bigint, 1 FROM member m JOIN accounts_user u ON u.id = m.requested_by_id
     UNION
    SELECT m.execution, u.person, NULL, 2
      FROM member m JOIN executions_event v ON v.execution_id = m.id AND v.kind = ANY(%s)
           JOIN accounts_user u ON u.id = v.actor_id
     UNION
    SELECT m.execution, u.person, NULL, 2
      FROM member m JOIN executions_participant p ON p.execution_id = m.id AND p.part = ANY(%s)
           JOIN accounts_user u ON u.id = p.user_id
     UNION
    SELECT m.execution, u.person, NULL, 4
      FROM member m JOIN executions_delivery d ON d.execution_id = m.id
           JOIN accounts_user u ON u.id = d.shown_to_id
     UNION
    SELECT execution, NULL::uuid, version_id, 3 FROM member WHERE protected
     UNION
    SELECT execution, NULL, child::bigint, 3
      FROM member, jsonb_path_query(plan, 'lax $.**.children.*.version') AS child WHERE protected
     ORDER BY 4 DESC
"""


@once
def involved(executions: frozenset[UUID]) -> Mapping[UUID, Involved]:
    """By execution: those of its parents and of the runbooks that it starts count, too."""
    people: dict[UUID, dict[UUID, str]] = {execution: {} for execution in executions}
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [list(executions), list(_DRIVING), _PARTS_OF_RUNNING])
        rows = cursor.fetchall()
    wrote = _writers({version for _, _, version, _ in rows if version})
    for execution, person, version, part in rows:  # what somebody did first is said last, and stays
        for who in wrote.get(version, ()) if version else (person,):
            people[execution][who] = _PART[part]
    return people


def _writers(versions: Collection[int]) -> Mapping[int, Collection[UUID]]:
    if not versions:
        return {}
    return authors(RunbookVersion.objects.only("author", "author_email").filter(pk__in=versions))
