"""What the frame of every page says to one person: holds, notices, approvals. In one statement.

It is in SQL because every page asks it: to build the queries anew each time took longer than to answer them.
Who may see what is left to the policy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from cvdops.access.policy import at_gates, readable_categories, sees, standing_of
from cvdops.access.standing import Standing
from cvdops.accounts.models import User
from cvdops.approvals.models import ApprovalRequest
from cvdops.environments.models import Hold
from cvdops.executions.deciders import decidable
from cvdops.lib.together import Read, Rows
from cvdops.notifications.models import Notice

M = TypeVar("M", bound=Model)

MANY = 100  # unread notices, the newest ones
_ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_PAGES = {"execution": f"^/executions/{_ID}/", "approval": f"^/approvals/{_ID}/"}

_GLANCE = """
    WITH hold AS (
      SELECT h.*, u.name AS owner_name, b.category
        FROM environments_hold h JOIN accounts_user u ON u.id = h.owner_id
             LEFT JOIN catalog_runbook b ON b.id = h.runbook
       WHERE (h.lifted_at IS NULL OR h.lifted_at > statement_timestamp())
         AND h.since <= statement_timestamp() AND h.until > statement_timestamp()
    ), told AS (
      SELECT n.* FROM notifications_notice n
       WHERE n.user_id = %(user)s AND n.read_at IS NULL ORDER BY n.id DESC LIMIT %(many)s
    ), about AS (
      SELECT t.id, b.category, e.environment_id AS environment
        FROM told t JOIN executions_execution e
               ON e.id = substring(t.path FROM %(execution)s)::uuid
             JOIN catalog_runbook b ON b.id = e.runbook_id
       UNION ALL
      SELECT t.id, r.category, r.environment
        FROM told t JOIN approvals_approvalrequest r
               ON r.id = substring(t.path FROM %(approval)s)::uuid
       UNION ALL
      SELECT t.id, b.category, NULL
        FROM told t JOIN catalog_runbook b
               ON b.id = substring(t.path FROM '^/runbooks/([a-z0-9-]+)/') AND b.removed_at IS NULL
    ), notice AS (
      SELECT t.*, a.category, a.environment,
             t.path ~ '^/(executions|approvals|runbooks)/[a-z0-9-]+/' AS leads
        FROM told t LEFT JOIN about a ON a.id = t.id
    ), request AS (
      SELECT r.*, u.name AS requester_name, u.person AS requester_person
        FROM approvals_approvalrequest r JOIN accounts_user u ON u.id = r.requested_by_id
       WHERE r.state = 'open' AND NOT EXISTS (
         SELECT FROM approvals_decision d WHERE d.request_id = r.id AND d.person = %(person)s)
    )
    SELECT (SELECT json_agg(h ORDER BY h.id DESC) FROM hold h) AS holds,
           (SELECT json_agg(n ORDER BY n.id DESC) FROM notice n) AS notices,
           (SELECT json_agg(r ORDER BY r.created_at DESC) FROM request r) AS requests,
           ARRAY(SELECT approvergroup_id FROM access_approvergroup_members
                  WHERE user_id = %(user)s) AS groups,
           EXISTS (SELECT FROM access_delegation d
                    WHERE d.receiver_id = %(user)s AND d.ends_at > statement_timestamp()) AS delegated
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """What refuses new starts now, what was not read yet, and what waits for this person's decision."""

    holds: list[Hold]
    unread: list[Notice]
    inbox: list[ApprovalRequest]


@Read
def told(user: User) -> Rows:
    """All that it is made from: a page that reads something else reads it together with that."""
    return Rows(_GLANCE, {"user": user.pk, "person": user.person, "many": MANY, **_PAGES})


def glance(user: User) -> Glance:
    """All of it as far as it exists for this person, newest first."""
    (found,) = told(user)
    holds, notices, requests = (found[name] or () for name in ("holds", "notices", "requests"))
    seen = readable_categories(user)
    open_ = [_request(r) for r in requests if sees(user, r["category"], r["environment"])]
    delegated = bool(found["delegated"])
    return Glance(
        holds=[_hold(row) for row in holds if not row["runbook"] or row["category"] in seen],
        unread=[_made(Notice, row) for row in notices if not row["leads"] or _known(user, row)],
        inbox=decidable(_standing(user, found["groups"], delegated=delegated), open_)
        if open_
        else [],
    )


def _standing(user: User, groups: Iterable[str], *, delegated: bool) -> Standing:
    return at_gates(user) if delegated else replace(standing_of(user), groups=frozenset(groups))


def _known(user: User, notice: Mapping[str, Any]) -> bool:
    """Whether what it leads to exists for its reader: rights may have ended since somebody was told."""
    if notice["category"] is None:
        return False
    if notice["environment"] is None:  # about a runbook
        return notice["category"] in readable_categories(user)
    return sees(user, notice["category"], notice["environment"])


def _hold(row: Mapping[str, Any]) -> Hold:
    made = _made(Hold, row)
    made.owner = _made(User, {"id": row["owner_id"], "name": row["owner_name"]})
    return made


def _request(row: Mapping[str, Any]) -> ApprovalRequest:
    made = _made(ApprovalRequest, row)
    who = {"name": row["requester_name"], "person": row["requester_person"]}
    made.requested_by = _made(User, {"id": row["requested_by_id"], **who})
    return made


def _made(model: type[M], row: Mapping[str, Any]) -> M:
    """The row as a query of the model would have given it."""
    known = [(field, str(field.column)) for field in model._meta.concrete_fields]
    known = [(field, column) for field, column in known if column in row]
    values = [field.to_python(row[column]) for field, column in known]
    return model.from_db(connection.alias, [field.attname for field, _ in known], values)
