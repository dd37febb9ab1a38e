"""What pages do, programs do by the API: for each address of a page its call, or why there is none."""

from cvdops.access.marks import Access, access_of
from cvdops.access.policy import Action
from cvdops.api.urls import urlpatterns as calls
from cvdops.web.urls import urlpatterns as pages
from tests.api.write_docs import PLACE

# Ways for people, live pieces of pages, and what is done at the portal alone: docs/api.md says so.
WITHOUT = {
    *("home", "find", "tour", "glossary", "shortcuts", "rule", "styleguide"),
    *("login", "password", "token-make", "calendar", "healthz", "readyz"),
    *("execution-snapshot", "execution-controls", "execution-lines"),
    *("compare", "policy-choose"),
}
# Page → the call, where it is not the page's name behind `api-`.
CALLS = {
    "logout": "account-sessions-end", "sync": "sync", "import": "lint", "run": "executions",
    "dry-run": "executions", "executions-compare": "compare", "filter-save": "filters",
    "permissions": "matrix", "holders": "people", "holder": "people", "what-if": "check",
    "policy": "policies", "approver-group": "approver-group-set", "role-rights": "roles",
    "certified": "certification", "certify": "certification", "change-history": "changes",
    "environment-add": "host-add", "environment-change": "host-change",
    "environment-remove": "part-remove", "environment-health": "health",
    "period-add": "period-set", "period": "period-set", "hold-set": "holds",
    "notice-follow": "notices-read", "doctor": "installation", "contact-add": "contacts",
    "contact": "contact-change",
    "sessions-end": "account-sessions-end", "session-end": "account-session-end",
    "token-revoke": "account-token-revoke", "people": "accounts", "person-add": "accounts",
    "person-close": "account-close", "person-reopen": "account-reopen",
    "person-password": "account-password", "person-log-out": "account-log-out",
    "execution-undo": "execution-rollback", "execution-roll-back": "execution-rollback",
    "execution-emergency": "emergency", "execution-note": "note", "execution-join": "join",
    "execution-leave": "leave", "execution-hand-over": "hand-over",
    "execution-close-item": "close-item", "execution-output": "step-output",
    "execution-search": "step-search", "execution-retry": "step-retry",
    "execution-skip": "step-skip", "execution-settle": "step-settle",
    "execution-confirm": "step-confirm", "approval": "approvals",
}  # fmt: skip
# A page that everybody opens who may see something asks again when something is sent.
LATER = {"ask-for-help", "execution-join", "execution-leave", "execution-emergency", "logout"}


def marks(patterns: list[object]) -> dict[str, Access]:
    return {p.name: access_of(p.callback) for p in patterns}  # type: ignore[attr-defined]


def test_every_page_has_its_call_or_a_reason() -> None:
    known = set(marks(calls))
    assert {n for n in marks(pages) if n not in WITHOUT and call_of(n) not in known} == set()
    assert {*WITHOUT, *CALLS} - marks(pages).keys() == set()
    assert "These pages have no call" in (PLACE.parent / "api.md").read_text(encoding="utf-8")


def test_both_ask_the_policy_for_the_same() -> None:
    by_call = marks(calls)
    changing = {n: mark for n, mark in marks(pages).items() if "POST" in mark.methods}
    others = {
        name: page.action
        for name, page in changing.items()
        if name not in WITHOUT and page.action not in actions(by_call[call_of(name)])
    }
    assert others.keys() == LATER, others


def actions(mark: Access) -> set[Action]:
    return {mark.action, *([mark.posting] if mark.posting else [])}


def call_of(page: str) -> str:
    return f"api-{CALLS.get(page, page)}"
