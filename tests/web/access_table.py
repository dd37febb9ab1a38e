"""What each address answers to each role and method. An address without a row fails the tests.

Roles are named as in the seed; `outsider` holds none, `""` is not logged in. `OTHERS` is everybody not
named. A method that is not listed answers 405, and to somebody not logged in 302, like every other; one who
sends words is told to log in (401), and keeps them.
Words like EXECUTION stand for what `World.named` puts there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cvdops.changes.services import mark
from cvdops.web.typed import SENTENCES
from tests.cast import EVERYBODY, OUTSIDER

NOBODY = ""
OTHERS = "*"
ROLES = (*EVERYBODY, OUTSIDER, NOBODY)
METHODS = ("GET", "POST")
# What they answer does not depend on the role: HEAD as GET, the others are refused before it is asked.
OTHER_METHODS = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")

Expected = Mapping[str, int]


@dataclass(frozen=True)
class Row:
    """The path's values and the answers; HEAD answers as GET."""

    kwargs: Mapping[str, str] = field(default_factory=dict)
    get: Expected | None = None
    post: Expected | None = None
    body: Mapping[str, object] = field(default_factory=dict)
    public: bool = False
    api: bool = False  # it takes JSON, and leads nobody to the login

    def expected(self, role: str, method: str) -> int:
        if role == NOBODY and not self.public:
            wrote = method == "POST" and SENTENCES.keys() & self.body.keys()
            return 401 if self.api or wrote else 302
        answers = {"GET": self.get, "HEAD": self.get, "POST": self.post}.get(method)
        if answers is None:
            return 405
        return answers.get(role, answers.get(OTHERS, 403))


ALL = {OTHERS: 200}
HIDDEN = {OTHERS: 200, OUTSIDER: 404}
AUDITORS = ("operations-lead", "operations-manager", "cto", "auditor", "admin")
LEADS = ("operations-lead",)
DEPLOYERS = ("operations-lead", "devops-engineer")
EDITORS = ("operations-lead", "admin")
ASSISTANTS = (*DEPLOYERS, "system-admin")
OPERATORS = ("operations-lead", "devops-engineer", "system-admin", "security-admin")


def only(roles: tuple[str, ...], answer: int, outsider: int = 404) -> Expected:
    """This answer for these roles, 403 for the others; an outsider does not see that it exists."""
    return {OTHERS: 403, OUTSIDER: outsider, **dict.fromkeys(roles, answer)}


ADMINISTRATORS = only(("admin",), 200, 403)
DEVELOPER = {"username": "developer"}
START = {
    "procedure": "greet",
    "environment": "development",
    "reason": "a test",
    "checklist": [str(position) for position in range(8)],
}
RUNBOOK = {"runbook_id": "deployment"}
EXECUTION = {"execution_id": "EXECUTION"}
STEP = {**EXECUTION, "step_id": "hello"}
REQUEST = {"request_id": "REQUEST"}
CHANGE = {"change_id": "CHANGE"}
NOTHING = mark(None)
ENVIRONMENT = {"slug": "development"}
HOST = {**ENVIRONMENT, "kind": "hosts", "pk": "HOST"}
WINDOW = {
    "name": "Sunday",
    "starts_at": "2026-01-04T02:00",
    "ends_at": "2026-01-04T04:00",
    "repetition": "weekly",
    "reason": "agreed",
}
PERIOD = {**ENVIRONMENT, "pk": "WINDOW"}
TRIGGER: dict[str, object] = {
    "name": "Nightly",
    "runbook": "deployment",
    "procedure": "release",
    "environment": "development",
    "account": "SERVICE",
    "mapping": {"TARGET_VERSION": "/tag"},
}
ONE_TRIGGER = {"trigger_id": "TRIGGER"}
PARTS: dict[str, dict[str, object]] = {
    "host": {"name": "other", "transport": "local"},
    "group": {"name": "web", "hosts": ["practice"]},
    "database": {"name": "main", "kind": "sqlite", "location": "/tmp/main.db"},
    "address": {"host": "example.com", "port": 443},
    "variable": {"name": "DATA_DIR", "value": "/srv"},
}

TABLE: dict[str, Row] = {
    "home": Row(get=ALL),
    "login": Row(get={OTHERS: 302, NOBODY: 200}, post={OTHERS: 302, NOBODY: 422}, public=True),
    "logout": Row(post={OTHERS: 302}),
    "runbooks": Row(get=ALL),
    "sync": Row(post=only((*OPERATORS, "admin"), 302, 403)),
    "runbook": Row(RUNBOOK, get=HIDDEN),
    "run": Row(RUNBOOK, get=HIDDEN, post=only(DEPLOYERS, 302), body=START),
    "dry-run": Row(RUNBOOK, get=HIDDEN, post=only(DEPLOYERS, 302), body=START),
    "import": Row(get=ALL, post=ALL, body={"text": "# A document"}),
    "rule": Row({"code": "RB101"}, get=ALL),
    "versions": Row(RUNBOOK, get=HIDDEN),
    "compare": Row(RUNBOOK, get=HIDDEN),
    "review": Row(
        {**RUNBOOK, "number": "1"}, post={OTHERS: 302, OUTSIDER: 404}, body={"comment": "right"}
    ),
    "executions": Row(get=ALL),
    "executions-compare": Row(get=ALL),
    "executions-export": Row({"kind": "csv"}, get=ALL),
    "filter-save": Row(post={OTHERS: 302}, body={"name": "failed", "query": "state=failed"}),
    # 404: it is not theirs
    "filter-remove": Row({"pk": "1"}, post={OTHERS: 404}),
    "execution-evidence": Row(EXECUTION, get=HIDDEN),
    "permissions": Row(get=ALL),
    "certification": Row(get=ALL),
    "certified": Row(
        {"username": "HOLDER"},
        get={OTHERS: 404, **dict.fromkeys((*AUDITORS, "system-admin"), 200)},
    ),
    "certify": Row(
        {"username": "HOLDER"},
        post=only(LEADS, 302, 403),
        body={"stage": "5", "note": "the assessment"},
    ),
    "matrix": Row(
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"developer/security": "review-assist", "reason": "so"},
    ),
    "holders": Row(get=ALL),
    "holder": Row({"username": "HOLDER"}, get=ALL),
    "give-role": Row(
        {"username": "HOLDER"},
        post=only(EDITORS, 302, 403),
        body={"role": "developer", "environment": "staging", "reason": "so", "seen": NOTHING},
    ),
    "what-if": Row(get=ALL),
    "policies": Row(get=ALL),
    "policy-choose": Row(get=only(EDITORS, 404, 403)),  # 404: of what is not said
    "policy": Row(
        {"environment": "production", "category": "deployment", "condition": "always"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"who": "1 of operations-manager", "minutes": "60", "reason": "so"},
    ),
    "approver-group": Row(
        {"slug": "dba"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "Database administrators", "reason": "so"},
    ),
    "role-rights": Row(
        {"slug": "security-admin"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"reads_audit": "on", "reason": "so"},
    ),
    "changes": Row(get=ALL),
    "change-history": Row({"kind": "matrix", "key": "developer/security"}, get=ALL),
    # The proposal is the administrator's: the lead decides, and only its proposer withdraws it.
    "change": Row(CHANGE, get=ALL),
    "change-confirm": Row(CHANGE, post=only(LEADS, 302, 403)),
    "change-refuse": Row(CHANGE, post=only(LEADS, 302, 403), body={"comment": "no"}),
    "change-withdraw": Row(CHANGE, post=only(("admin",), 302, 403)),
    "environments": Row(get=ALL),
    # 404: staging is no practice environment, which only those learn who may reset one
    "reset-practice": Row({"slug": "staging"}, post=only((*OPERATORS, "admin"), 404, 403)),
    "environment": Row(ENVIRONMENT, get=ALL),
    "environment-add": Row(
        {**ENVIRONMENT, "kind": "groups"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "web"},
    ),
    "environment-change": Row(
        HOST,
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "other", "transport": "local"},
    ),
    "environment-remove": Row(HOST, post=only(EDITORS, 302, 403)),
    "period-add": Row(
        {**ENVIRONMENT, "kind": "window"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body=WINDOW,
    ),
    "period": Row(
        PERIOD,
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={**WINDOW, "ends_at": "2026-01-04T05:00"},
    ),
    "period-remove": Row(PERIOD, post=only(EDITORS, 302, 403), body={"reason": "not needed"}),
    "calendar": Row({"token": "FEED"}, get=ALL, public=True),
    "secret": Row(
        ENVIRONMENT,
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "API_TOKEN", "value": "a-long-value"},
    ),
    # 409: there is none of this name
    "secret-remove": Row(ENVIRONMENT, post=only(EDITORS, 409, 403), body={"name": "API_TOKEN"}),
    "environment-health": Row(
        ENVIRONMENT, post=only(EDITORS, 302, 403), body={"health_url": "http://localhost/health"}
    ),
    "holds": Row(get=ALL),
    "hold-set": Row(
        post=only(EDITORS, 302, 403),
        body={"on": "environment:staging", "reason": "a disk is changed", "until": "UNTIL"},
    ),
    "hold-lift": Row({"pk": "HOLD"}, post=only(EDITORS, 302, 403)),
    "host": Row({**ENVIRONMENT, "name": "practice"}, get=ALL),
    "host-test": Row(
        {**ENVIRONMENT, "name": "practice"}, post=only((*OPERATORS, "admin"), 302, 403)
    ),
    # 409: it has shown no key
    "host-key": Row({**ENVIRONMENT, "name": "practice"}, post=only(EDITORS, 409, 403)),
    "account": Row(get=ALL),
    "password": Row(get=ALL, post={OTHERS: 422}),
    "sessions-end": Row(post={OTHERS: 302}),
    "session-end": Row({"public_id": "nothing"}, post={OTHERS: 404}),
    "token-make": Row(
        post={OTHERS: 200}, body={"name": "backup script", "scopes": ["read"], "days": "30"}
    ),
    "token-revoke": Row({"pk": "999999"}, post={OTHERS: 404}),
    "people": Row(get=ADMINISTRATORS),
    "doctor": Row(get=ADMINISTRATORS, post=only(("admin",), 302, 403)),
    "person-add": Row(
        get=ADMINISTRATORS, post=ADMINISTRATORS, body={"username": "new", "name": "Somebody New"}
    ),
    "person": Row(DEVELOPER, get=ADMINISTRATORS),
    "person-close": Row(DEVELOPER, post=only(("admin",), 302, 403), body={"reason": "left"}),
    "person-reopen": Row(DEVELOPER, post=only(("admin",), 409, 403), body={"reason": "is back"}),
    "person-password": Row(DEVELOPER, post=ADMINISTRATORS),
    "person-log-out": Row(DEVELOPER, post=only(("admin",), 302, 403)),
    "triggers": Row(
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 200, 403),
        body={**TRIGGER, "mapping": "TARGET_VERSION = /tag"},
    ),
    "trigger": Row(ONE_TRIGGER, get=only(EDITORS, 200, 403)),
    "trigger-rotate": Row(ONE_TRIGGER, post=only(EDITORS, 200, 403)),
    "trigger-disable": Row(ONE_TRIGGER, post=only(EDITORS, 302, 403)),
    "trigger-enable": Row(ONE_TRIGGER, post=only(EDITORS, 409, 403)),  # 409: it is on
    "notices": Row(get=ALL),
    "notices-read": Row(post={OTHERS: 302}),
    "notice-follow": Row({"pk": "1"}, post={OTHERS: 302}),
    "ask-for-help": Row(
        RUNBOOK,
        post={OTHERS: 302, OUTSIDER: 404},
        body={"environment": "production", "note": "please"},
    ),
    "contacts": Row(get=ALL),
    "metrics": Row(get=ALL),
    "routines": Row(get=ALL),
    "routine": Row({"key": "overhaul"}, get=ALL),
    "routine-confirm": Row(
        {"key": "overhaul"}, post=only(EDITORS, 302, 403), body={"note": "all five"}
    ),
    "contact-add": Row(
        {"kind": "specialist"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "Storage issues", "address": "storage@company.com", "place": "1"},
    ),
    "contact": Row(
        {"pk": "CONTACT"},
        get=only(EDITORS, 200, 403),
        post=only(EDITORS, 302, 403),
        body={"name": "Primary On-Call", "address": "ops@company.com", "place": "1"},
    ),
    "contact-remove": Row({"pk": "CONTACT"}, post=only(EDITORS, 302, 403)),
    "find": Row(get=ALL),
    "tour": Row(get=ALL),
    "glossary": Row(get=ALL),
    "shortcuts": Row(get=ALL),
    "audit": Row(get=only(AUDITORS, 200, 403)),
    # 404: there is no such format; a file is a stream, which these tests do not read
    "audit-export": Row({"kind": "pdf"}, get=only(AUDITORS, 404, 403)),
    # The execution is one that `devops-engineer` asked for and that has not begun.
    "execution": Row(EXECUTION, get=HIDDEN),
    "execution-snapshot": Row(EXECUTION, get=HIDDEN),
    "execution-controls": Row(EXECUTION, get=HIDDEN),
    "execution-events": Row(EXECUTION, get=HIDDEN),
    "execution-output": Row(STEP, get={OTHERS: 404}),  # it has written nothing yet
    "execution-lines": Row(STEP, get={OTHERS: 404}),
    "execution-search": Row(STEP, get={OTHERS: 404}),
    "execution-go-on": Row(
        EXECUTION, get=HIDDEN, post=only(DEPLOYERS, 409), body={"step": "hello", "comment": "so"}
    ),
    "execution-undo": Row(EXECUTION, get=HIDDEN),
    "execution-emergency": Row(
        {"execution_id": "EMERGENCY"},
        get=HIDDEN,
        post=only((*LEADS, "operations-manager", "cto"), 302),
        body={"review": "learned"},
    ),
    "execution-note": Row(EXECUTION, post=only(ASSISTANTS, 302), body={"text": "quiet"}),
    # 409: who asked for it runs it, and takes part already; nobody else has anything to leave
    "execution-join": Row(
        EXECUTION,
        post={OTHERS: 302, "devops-engineer": 409, OUTSIDER: 404},
        body={"part": "observer"},
    ),
    "execution-leave": Row(EXECUTION, post={OTHERS: 409, OUTSIDER: 404}),
    "execution-hand-over": Row(
        EXECUTION, post=only(LEADS, 302), body={"username": "operations-lead"}
    ),
    "execution-pause": Row(EXECUTION, post=only(DEPLOYERS, 302)),
    "execution-cancel": Row(EXECUTION, post=only(DEPLOYERS, 302)),
    "execution-resume": Row(EXECUTION, post=only(DEPLOYERS, 409)),
    "execution-roll-back": Row(EXECUTION, post=only(DEPLOYERS, 409)),
    "execution-give-up": Row(EXECUTION, post=only(DEPLOYERS, 409)),
    "execution-retry": Row(STEP, post=only(DEPLOYERS, 409)),
    "execution-skip": Row(STEP, post=only(LEADS, 409), body={"comment": "because"}),
    "execution-settle": Row(STEP, post=only(LEADS, 409), body={"comment": "because"}),
    "execution-confirm": Row(STEP, post=only(ASSISTANTS, 409), body={"items": ["0"]}),
    "execution-close-item": Row({**EXECUTION, "position": "0"}, post=only(ASSISTANTS, 409)),
    "approvals": Row(get=ALL),
    "approval": Row(REQUEST, get=HIDDEN),
    "approval-decide": Row(
        REQUEST,
        post=only(("operations-manager",), 302),
        body={"verdict": "approve", "plan_digest": "DIGEST", "nonce": "NONCE"},
    ),
    # 422: who holds no role approves nothing that they could delegate
    "delegations": Row(
        get=ALL,
        post={OTHERS: 302, OUTSIDER: 422},
        body={"receiver": "RECEIVER", "until": "UNTIL", "reason": "away"},
    ),
    "delegation-end": Row(
        {"pk": "DELEGATION"},
        post={OTHERS: 404, "operations-manager": 302, "developer": 302},
    ),
    # 409: nothing has changed since it was asked for
    "approval-renew": Row(REQUEST, post=only((*DEPLOYERS, "operations-manager"), 409)),
    "api-matrix": Row(
        get=ALL,
        post=only(EDITORS, 201, 403),
        body={"role": "developer", "category": "security", "level": "assist", "reason": "so"},
        api=True,
    ),
    "api-roles": Row(
        post=only(EDITORS, 201, 403),
        body={
            "role": "security-admin",
            "leads": False,
            "administers": False,
            "reads_audit": True,
            "reason": "so",
        },
        api=True,
    ),
    "api-check": Row(get={OTHERS: 422}, api=True),  # it does not say what is asked
    "api-approvals": Row(get=ALL, api=True),
    "api-approval-decide": Row(
        REQUEST,
        post=only(("operations-manager",), 200),
        body={"decision": "approve", "plan_digest": "DIGEST"},
        api=True,
    ),
    "api-runbooks": Row(get=ALL, api=True),
    "api-runbook": Row(RUNBOOK, get=HIDDEN, api=True),
    "api-executions": Row(
        get=ALL,
        post=only(DEPLOYERS, 201),
        body={**START, "runbook": "deployment", "checklist": "confirmed"},
        api=True,
    ),
    "api-executions-export": Row({"file_kind": "csv"}, get=ALL, api=True),
    "api-filters": Row(
        get=ALL, post={OTHERS: 201}, body={"name": "mine", "state": "failed"}, api=True
    ),
    "api-filter-remove": Row({"filter_id": "999999"}, post={OTHERS: 404}, api=True),
    "api-compare": Row(get={OTHERS: 422}, api=True),  # it does not say which two
    "api-execution-evidence": Row(EXECUTION, get=HIDDEN, api=True),
    "api-execution": Row(EXECUTION, get=HIDDEN, api=True),
    "api-execution-events": Row(EXECUTION, get=HIDDEN, api=True),
    "api-execution-plan": Row(EXECUTION, get=HIDDEN, api=True),
    "api-step-output": Row(STEP, get=HIDDEN, api=True),
    "api-step-search": Row(STEP, get={OTHERS: 422}, api=True),  # it does not say what for
    "api-execution-pause": Row(EXECUTION, post=only(DEPLOYERS, 200), api=True),
    "api-execution-cancel": Row(EXECUTION, post=only(DEPLOYERS, 200), api=True),
    "api-execution-resume": Row(EXECUTION, post=only(DEPLOYERS, 409), api=True),
    "api-execution-rollback": Row(EXECUTION, get=HIDDEN, post=only(DEPLOYERS, 409), api=True),
    "api-execution-give-up": Row(EXECUTION, post=only(DEPLOYERS, 409), api=True),
    "api-execution-go-on": Row(
        EXECUTION,
        get={OTHERS: 422},  # it does not say from where
        post=only(DEPLOYERS, 409),
        body={"step": "hello", "comment": "so"},
        api=True,
    ),
    "api-step-retry": Row(STEP, post=only(DEPLOYERS, 409), api=True),
    "api-step-skip": Row(STEP, post=only(LEADS, 409), body={"comment": "because"}, api=True),
    "api-step-settle": Row(STEP, post=only(LEADS, 409), body={"comment": "because"}, api=True),
    "api-step-confirm": Row(STEP, post=only(ASSISTANTS, 409), body={"items": [0]}, api=True),
    "api-installation": Row(get=ADMINISTRATORS, api=True),
    "api-look": Row(post=only(("admin",), 202, 403), body={}, api=True),
    "api-audit": Row(get=only(AUDITORS, 200, 403), api=True),
    "api-audit-export": Row({"file_kind": "csv"}, get=only(AUDITORS, 200, 403), api=True),
    "api-audit-chain": Row(get=only(AUDITORS, 200, 403), api=True),
    "api-versions": Row(RUNBOOK, get=HIDDEN, api=True),
    "api-version": Row({**RUNBOOK, "number": "1"}, get=HIDDEN, api=True),
    "api-review": Row(
        {**RUNBOOK, "number": "1"}, post={OTHERS: 201, OUTSIDER: 404}, body={}, api=True
    ),
    "api-ask-for-help": Row(
        RUNBOOK,
        post={OTHERS: 200, OUTSIDER: 404},
        body={"environment": "production", "note": "please"},
        api=True,
    ),
    "api-sync": Row(post=only((*OPERATORS, "admin"), 200, 403), api=True),
    "api-lint": Row(post=ALL, body={"text": "# A document"}, api=True),
    "api-environments": Row(get=ALL, api=True),
    "api-environment": Row(ENVIRONMENT, get=ALL, api=True),
    "api-secret": Row(
        ENVIRONMENT,
        post=only(EDITORS, 201, 403),
        body={"name": "API_TOKEN", "value": "a-long-value"},
        api=True,
    ),
    # 409: there is none of this name
    "api-secret-remove": Row(
        {**ENVIRONMENT, "name": "API_TOKEN"}, post=only(EDITORS, 409, 403), api=True
    ),
    "api-health": Row(ENVIRONMENT, post=only(EDITORS, 200, 403), body={"health_url": ""}, api=True),
    "api-reset-practice": Row(
        {"slug": "staging"}, post=only((*OPERATORS, "admin"), 404, 403), api=True
    ),
    "api-host": Row({**ENVIRONMENT, "name": "practice"}, get=ALL, api=True),
    "api-host-test": Row(
        {**ENVIRONMENT, "name": "practice"},
        post=only((*OPERATORS, "admin"), 202, 403),
        api=True,
    ),
    # 409: it has shown no key
    "api-host-key": Row(
        {**ENVIRONMENT, "name": "practice"},
        post=only(EDITORS, 409, 403),
        body={"fingerprint": "SHA256:x"},
        api=True,
    ),
    **{
        f"api-{kind}-add": Row(ENVIRONMENT, post=only(EDITORS, 201, 403), body=body, api=True)
        for kind, body in PARTS.items()
    },
    # 404: there is none of this name, which those learn who may change it
    **{
        f"api-{kind}-change": Row(
            {**ENVIRONMENT, "name": "none"}, post=only(EDITORS, 404, 403), body=body, api=True
        )
        for kind, body in PARTS.items()
        if kind != "address"
    },
    "api-part-remove": Row(
        {**ENVIRONMENT, "kind": "hosts", "name": "practice"},
        post=only(EDITORS, 204, 403),
        api=True,
    ),
    "api-holds": Row(
        get=ALL,
        post=only(EDITORS, 201, 403),
        body={"environment": "staging", "reason": "a disk is changed", "until": "MOMENT"},
        api=True,
    ),
    "api-hold": Row({"hold_id": "HOLD"}, get=ALL, api=True),
    "api-hold-lift": Row({"hold_id": "HOLD"}, post=only(EDITORS, 200, 403), api=True),
    "api-policies": Row(
        get=ALL,
        post=only(EDITORS, 201, 403),
        body={
            "environment": "production",
            "category": "deployment",
            "condition": "always",
            "groups": [{"approvers": ["operations-manager"], "required": 1}],
            "expires": 3600,
            "reason": "so",
        },
        api=True,
    ),
    "api-approver-group-set": Row(
        {"slug": "dba"},
        post=only(EDITORS, 201, 403),
        body={"name": "Database administrators", "members": [], "reason": "so"},
        api=True,
    ),
    "api-changes": Row(get=ALL, api=True),
    # The proposal is the administrator's: the lead decides, and only its proposer withdraws it.
    "api-change": Row(CHANGE, get=ALL, api=True),
    "api-change-confirm": Row(CHANGE, post=only(LEADS, 200, 403), api=True),
    "api-change-refuse": Row(CHANGE, post=only(LEADS, 200, 403), body={"comment": "no"}, api=True),
    "api-change-withdraw": Row(CHANGE, post=only(("admin",), 200, 403), api=True),
    "api-give-role": Row(
        {"username": "HOLDER"},
        post=only(EDITORS, 201, 403),
        body={"role": "developer", "environment": "staging", "reason": "so"},
        api=True,
    ),
    "api-period-set": Row(
        ENVIRONMENT,
        post=only(EDITORS, 201, 403),
        body={
            "kind": "window",
            "name": "Sunday",
            "starts_at": "2026-01-04T02:00:00Z",
            "minutes": 120,
            "rule": "FREQ=WEEKLY;BYDAY=SU",
            "reason": "agreed",
        },
        api=True,
    ),
    # 409: there is none of this name
    "api-period-remove": Row(
        ENVIRONMENT,
        post=only(EDITORS, 409, 403),
        body={"kind": "window", "name": "Sunday", "reason": "not needed"},
        api=True,
    ),
    "api-people": Row(get=ALL, api=True),
    "api-certification": Row(
        {"username": "HOLDER"},
        get={OTHERS: 404, **dict.fromkeys((*AUDITORS, "system-admin"), 200)},
        post=only(LEADS, 201, 403),
        body={"stage": 5, "note": "the assessment"},
        api=True,
    ),
    # 422: who holds no role approves nothing that they could delegate
    "api-delegations": Row(
        get=ALL,
        post={OTHERS: 201, OUTSIDER: 422},
        body={"receiver": "RECEIVER", "ends_at": "MOMENT", "reason": "away"},
        api=True,
    ),
    "api-delegation": Row(
        {"delegation_id": "DELEGATION"},
        get={OTHERS: 404, "operations-manager": 200, "developer": 200},
        api=True,
    ),
    "api-delegation-end": Row(
        {"delegation_id": "DELEGATION"},
        post={OTHERS: 404, "operations-manager": 200, "developer": 200},
        api=True,
    ),
    "api-account": Row(get=ALL, api=True),
    "api-account-sessions": Row(get=ALL, api=True),
    "api-account-session-end": Row({"session_id": "nothing"}, post={OTHERS: 404}, api=True),
    "api-account-sessions-end": Row(post=ALL, api=True),
    "api-account-tokens": Row(get=ALL, api=True),
    "api-account-token-revoke": Row({"token_id": "999999"}, post={OTHERS: 404}, api=True),
    "api-accounts": Row(
        get=ADMINISTRATORS,
        post=only(("admin",), 201, 403),
        body={"username": "new", "name": "Somebody New"},
        api=True,
    ),
    "api-person": Row(DEVELOPER, get=ADMINISTRATORS, api=True),
    "api-account-close": Row(
        DEVELOPER, get=ADMINISTRATORS, post=ADMINISTRATORS, body={"reason": "left"}, api=True
    ),
    "api-account-reopen": Row(
        DEVELOPER, post=only(("admin",), 409, 403), body={"reason": "is back"}, api=True
    ),
    "api-account-password": Row(DEVELOPER, post=ADMINISTRATORS, api=True),
    "api-account-log-out": Row(DEVELOPER, post=ADMINISTRATORS, api=True),
    "api-triggers": Row(
        get=only(EDITORS, 200, 403), post=only(EDITORS, 201, 403), body=TRIGGER, api=True
    ),
    "api-trigger": Row(ONE_TRIGGER, get=only(EDITORS, 200, 403), api=True),
    "api-trigger-deliveries": Row(ONE_TRIGGER, get=only(EDITORS, 200, 403), api=True),
    "api-trigger-rotate": Row(ONE_TRIGGER, post=only(EDITORS, 200, 403), api=True),
    "api-trigger-disable": Row(ONE_TRIGGER, post=only(EDITORS, 200, 403), api=True),
    # 409: it is on
    "api-trigger-enable": Row(ONE_TRIGGER, post=only(EDITORS, 409, 403), api=True),
    "api-deliver": Row(ONE_TRIGGER, post={OTHERS: 401}, public=True, api=True),  # not signed
    "api-participants": Row(EXECUTION, get=HIDDEN, api=True),
    "api-note": Row(
        EXECUTION, get=HIDDEN, post=only(ASSISTANTS, 201), body={"text": "quiet"}, api=True
    ),
    # 409: who asked for it runs it, and takes part already; nobody else has anything to leave
    "api-join": Row(
        EXECUTION,
        post={OTHERS: 200, "devops-engineer": 409, OUTSIDER: 404},
        body={"part": "observer"},
        api=True,
    ),
    "api-leave": Row(EXECUTION, post={OTHERS: 409, OUTSIDER: 404}, api=True),
    "api-hand-over": Row(
        EXECUTION, post=only(LEADS, 200), body={"username": "operations-lead"}, api=True
    ),
    "api-close-item": Row({**EXECUTION, "position": "0"}, post=only(ASSISTANTS, 409), api=True),
    "api-emergency": Row(
        {"execution_id": "EMERGENCY"},
        post=only((*LEADS, "cto", "operations-manager"), 200),
        body={"review": "learned"},
        api=True,
    ),
    # 409: nothing has changed since it was asked for
    "api-approval-renew": Row(
        REQUEST, post=only((*DEPLOYERS, "operations-manager"), 409), api=True
    ),
    "api-notices": Row(get=ALL, api=True),
    "api-notices-read": Row(post={OTHERS: 204}, body={}, api=True),
    "api-contacts": Row(
        get=ALL,
        post=only(EDITORS, 201, 403),
        body={"kind": "specialist", "name": "Storage", "address": "storage@company.com"},
        api=True,
    ),
    "api-metrics": Row(get=ALL, api=True),
    "api-routines": Row(get=ALL, api=True),
    "api-routine": Row({"key": "overhaul"}, get=ALL, api=True),
    "api-routine-confirm": Row(
        {"key": "overhaul"}, post=only(EDITORS, 201, 403), body={"note": "all five"}, api=True
    ),
    "api-contact": Row({"contact_id": "CONTACT"}, get=ALL, api=True),
    "api-contact-change": Row(
        {"contact_id": "CONTACT"},
        post=only(EDITORS, 200, 403),
        body={"name": "Primary On-Call", "address": "ops@company.com"},
        api=True,
    ),
    "api-contact-remove": Row({"contact_id": "CONTACT"}, post=only(EDITORS, 204, 403), api=True),
    "api-openapi": Row(get=ALL, api=True),
    "api-docs": Row(get=ALL),
    "healthz": Row(get=ALL, public=True),
    "readyz": Row(get={OTHERS: 503}, public=True),  # there is no worker in these tests
    "styleguide": Row(get=ALL, public=True),
}
