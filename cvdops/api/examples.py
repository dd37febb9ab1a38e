"""The examples of the description and of docs/api-calls.md, with the runbooks and environments of the demo.

A test runs each of them there.
"""

from collections.abc import Mapping
from typing import Any

_ID = "019ab000-0000-7000-8000-000000000001"

# Parts of addresses: what they are, and one of them.
PLACES: Mapping[str, tuple[str, object]] = {
    "runbook_id": ("The runbook's id.", "deployment"),
    "execution_id": ("The execution's id.", _ID),
    "step_id": ("The step's id, as in the document.", "find-the-release"),
    "request_id": ("The id of a request for approval.", _ID),
    "change_id": ("The id of a change.", _ID),
    "slug": ("The name of the environment, or of the group, in addresses.", "development"),
    "username": ("A user name.", "developer"),
    "number": ("The number of the version.", 1),
    "position": ("The place of the item, from 0.", 0),
    "hold_id": ("The number of the hold.", 1),
    "key": ("The key of the routine.", "runbooks"),
    "contact_id": ("The number of the contact.", 1),
    "delegation_id": ("The number of the delegation.", 1),
    "trigger_id": ("The trigger's id.", _ID),
    "session_id": ("The session's id.", "0123456789abcdef0123"),
    "token_id": ("The number of the token.", 1),
    "filter_id": ("The number of the filter.", 1),
    "file_kind": ("csv or json.", "csv"),
    "kind": ("hosts, groups, databases, addresses or variables.", "hosts"),
    "name": ("Its name.", "web-1"),
}

_WHY = {"reason": "Agreed in change 4711"}
_HOST = {"name": "web-1", "transport": "ssh", "address": "web-1.example.com", "user": "cvd"}
_COMMENT = {"comment": "Seen in the log, nothing is lost"}

# The body of each call that takes one, by its operation id.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "permissions.edit_matrix": {
        "role": "developer", "category": "security", "level": "assist", **_WHY,
    },
    "permissions.edit_role": {
        "role": "developer", "leads": False, "administers": False, "reads_audit": True, **_WHY,
    },
    "approvals.decide": {"decision": "approve", "plan_digest": "$DIGEST", "comment": "Looks right"},
    "catalog.review": {"comment": "Tried in staging"},
    "catalog.ask": {"environment": "development", "note": "Version 1.0.1 has to go out today"},
    "catalog.lint": {"text": "# Restart\n\nWhat it does.\n", "name": "restart.md"},
    "executions.start": {
        "runbook": "deployment",
        "procedure": "deploy",
        "environment": "development",
        "variables": {"TARGET_VERSION": "v1.0.1"},
        "reason": "Paging for the device list",
        "checklist": "confirmed",
    },
    "history.keep": {"name": "What failed", "environment": "production", "state": "failed"},
    "controls.pause": {"comment": "Wait for the network team"},
    "controls.resume": {},
    "controls.cancel": {"comment": "The wrong release"},
    "controls.rollback": {},
    "controls.give_up": _COMMENT,
    "controls.go_on": {"step": "find-the-release", **_COMMENT},
    "steps.confirm": {"comment": "Done"},
    "steps.retry": {},
    "steps.skip": _COMMENT,
    "steps.settle": {"outcome": "succeeded", **_COMMENT},
    "taking_part.note": {"text": "The load is back to normal."},
    "taking_part.join": {"part": "observer"},
    "taking_part.hand_over": {"username": "operations-lead", "comment": "End of my shift"},
    "taking_part.close_item": {"comment": "Told the team"},
    "taking_part.review": {"review": "The disk was full; an alert was added."},
    "environments.set_secret": {"name": "API_TOKEN", "value": "not-a-real-secret"},
    "environments.set_health": {"health_url": "http://localhost:5000/health"},
    "hosts.confirm_key": {"fingerprint": "$FINGERPRINT"},
    "parts.add_host": _HOST,
    "parts.change_host": {**_HOST, "port": 2222},
    "parts.add_group": {"name": "web", "hosts": ["web-1"]},
    "parts.change_group": {"name": "web", "hosts": []},
    "parts.add_database": {"name": "reports", "kind": "sqlite", "location": "/srv/reports.db"},
    "parts.change_database": {"name": "reports", "kind": "sqlite", "location": "/srv/new.db"},
    "parts.add_address": {"host": "registry.example.com", "port": 443},
    "parts.add_variable": {"name": "REPORT_DIR", "value": "/srv/reports"},
    "parts.change_variable": {"name": "REPORT_DIR", "value": "/srv/new"},
    "holds.hold": {
        "environment": "staging",
        "reason": "A disk is being changed",
        "until": "2026-12-24T18:00:00Z",
    },
    "contacts.add": {
        "kind": "specialist",
        "name": "Storage issues",
        "address": "storage-team@company.com",
    },
    "contacts.change": {
        "name": "Primary On-Call",
        "address": "ops-primary@company.com",
        "note": "P0: paged at once",
        "place": 1,
    },
    "routines.confirm": {"note": "Read all five; the deployment runbook gets a new checkpoint"},
    "policies.set_policy": {
        "environment": "production",
        "category": "deployment",
        "condition": "always",
        "groups": [{"approvers": ["operations-manager", "cto"], "required": 1}],
        "expires": 14400,
        "reason_required": False,
        **_WHY,
    },
    "changes.set_group": {"name": "Database people", "members": ["system-admin"], **_WHY},
    "changes.give_role": {"role": "devops-engineer", "environment": "development", **_WHY},
    "changes.set_period": {
        "kind": "window",
        "name": "Tuesday evening",
        "starts_at": "2026-12-01T18:00:00Z",
        "minutes": 120,
        "rule": "FREQ=WEEKLY;BYDAY=TU",
        **_WHY,
    },
    "changes.remove_period": {"kind": "window", "name": "Wednesday evening", **_WHY},
    "changes.confirm": {"comment": "As agreed"},
    "changes.refuse": {"comment": "Not before January"},
    "people.certify": {"stage": 5, "note": "The annual assessment"},
    "people.delegate": {
        "receiver": "cto",
        "ends_at": "2026-12-10T06:00:00Z",
        "reason": "On holiday",
    },
    "accounts.open_account": {"username": "ci", "name": "Build pipeline", "service": True},
    "accounts.close": {"reason": "Has left"},
    "accounts.reopen": {"reason": "Is back"},
    "triggers.create": {
        "name": "Nightly build",
        "runbook": "deployment",
        "procedure": "deploy",
        "environment": "development",
        "account": "ci",
        "mapping": {"TARGET_VERSION": "/release/tag"},
    },
    "triggers.deliver": {"release": {"tag": "v1.0.1"}},
    "notices.read": {},
}  # fmt: skip

_HERE = {"name": "practice"}

# Where a call's example is about something else than in PLACES. `$NAME` is a variable of the shell.
THERE: Mapping[str, Mapping[str, object]] = {
    "hosts.connection": _HERE,
    "hosts.test": _HERE,
    "hosts.confirm_key": _HERE,
    "parts.change_group": {"name": "web"},
    "parts.change_database": {"name": "reports"},
    "parts.change_variable": {"name": "REPORT_DIR"},
    "environments.remove_secret": {"name": "API_TOKEN"},
    "changes.remove_period": {"slug": "staging"},
    "changes.set_group": {"slug": "database-people"},
    "changes.give_role": {"username": "ci"},
    "steps.confirm": {"step_id": "tell-the-people"},
    "taking_part.close_item": {"position": 2},
}

# What differs each time, as variables of the shell: parts of addresses, and fields of a body.
SHELL: Mapping[str, str] = {
    "execution_id": "$EXECUTION",
    "request_id": "$REQUEST",
    "change_id": "$CHANGE",
    "trigger_id": "$TRIGGER",
    "hold_id": "$HOLD",
    "contact_id": "$CONTACT",
    "filter_id": "$FILTER",
    "delegation_id": "$DELEGATION",
    "session_id": "$SESSION",
    "token_id": "$NUMBER",
    "until": "$TOMORROW",
    "ends_at": "$TOMORROW",
}

QUERIES: Mapping[str, str] = {
    "permissions.check": "action=execution.start&runbook=deployment&environment=development",
    "approvals.approvals": "state=open",
    "executions.executions": "environment=development&state=succeeded",
    "history.file": "environment=development&since=2026-11-01T00:00:00Z",
    "history.compare": "first=$EXECUTION&second=$EXECUTION",
    "audit.file": "action=approval.&since=2026-11-01T00:00:00Z",
    "runbooks.runbooks": "category=deployment",
    "changes.changes": "open=true",
    "controls.go_on_plan": "step=find-the-release",
    "output.step_search": "q=error",
    "audit.audit": "since=2026-11-01T00:00:00Z",
}
