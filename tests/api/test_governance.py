"""The matrix of the mission through the API: role × category × verb, asked as programs ask."""

import pytest

from cvdops.access.subjects import Action
from tests.access.test_matrix import CATEGORIES, MATRIX, RANK, WORD
from tests.api.calls import call, get, token
from tests.cast import EVERYBODY
from tests.web.world import World

RUNBOOKS = {
    "deployment": "deployment",
    "security": "security-audit",
    "incidents": "incident-response",
}
DIGEST = {"procedure": "greet", "environment": "development", "reason": "a test"}
# What a verb is answered where the matrix allows it: done, or not as things stand.
VERBS = {
    Action.NOTE: ("notes", {"text": "quiet"}),
    Action.CONTROL: ("pause", {}),
    Action.OVERRIDE: ("steps/hello/skip", {"comment": "because"}),
}


def allows(role: str, category: str, action: Action) -> bool:
    word = MATRIX[role, category]
    return RANK.get(word, RANK["Review"]) >= RANK[WORD[action]]


@pytest.mark.parametrize("role", EVERYBODY)
def test_a_token_does_what_the_matrix_gives(role: str, world: World) -> None:
    text = token(role)
    for category, runbook in RUNBOOKS.items():
        wanted = {**DIGEST, "runbook": runbook, "checklist": "confirmed"}
        answer = call(text, "POST", "executions", wanted)
        assert (answer.status_code == 201) is allows(role, category, Action.START), answer.content
        execution = world.start(by="operations-lead", runbook=runbook)
        for action, (verb, body) in VERBS.items():
            answer = call(text, "POST", f"executions/{execution.pk}/{verb}", body)
            assert (answer.status_code != 403) is allows(role, category, action), (category, verb)
            assert answer.status_code in {200, 201, 403, 409}, answer.content


@pytest.mark.parametrize("role", EVERYBODY)
def test_may_i_says_the_same(role: str, world: World) -> None:
    text = token(role)
    assert set(RUNBOOKS) <= set(CATEGORIES)
    for category, runbook in RUNBOOKS.items():
        asked = {"action": "execution.start", "runbook": runbook, "environment": "development"}
        found = get(text, "permissions/check", **asked)
        assert found["allowed"] is allows(role, category, Action.START), found
        assert found["allowed"] or found["reasons"]
