"""The matrix of the mission through the API: role × category × verb, asked as programs ask."""

import pytest

from cvdops.access import tokens
from cvdops.access.subjects import Action
from cvdops.catalog.models import Runbook
from cvdops.executions.models import Execution
from tests.access.test_matrix import CATEGORIES, ENVIRONMENTS, MATRIX, RANK, WORD
from tests.api.calls import call, get, token
from tests.cast import EVERYBODY, person
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


COPIED = ("version", "procedure", "requested_by", "plan", "plan_digest")


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


@pytest.fixture
def cells(world: World) -> dict[tuple[str, str], tuple[str, str]]:
    """Category and environment → a runbook, and an execution of it that waits there."""
    first, made = world.start(by="operations-lead"), {}
    for category in CATEGORIES:
        name = f"of-{category}"
        Runbook.objects.create(
            id=name, path=f"{name}.md", title=name, category=category, current=first.version
        )
        for environment in ENVIRONMENTS:
            copy = Execution(
                runbook_id=name,
                environment_id=environment,
                **{field: getattr(first, field) for field in COPIED},
            )
            copy.save()
            made[category, environment] = name, str(copy.pk)
    return made


@pytest.mark.parametrize("role", EVERYBODY)
def test_every_category_in_every_environment(
    role: str, cells: dict[tuple[str, str], tuple[str, str]]
) -> None:
    """What the matrix gives, wherever: everybody here is certified for protected environments, too."""
    text, wrong = token(role), []
    for (category, environment), (runbook, execution) in cells.items():
        asked = {"action": "execution.start", "runbook": runbook, "environment": environment}
        found = {Action.START: get(text, "permissions/check", **asked)["allowed"]}
        answer = call(text, "POST", f"executions/{execution}/pause", {})
        assert answer.status_code in {200, 403, 409}, answer.content
        found[Action.CONTROL] = answer.status_code != 403
        said = {action: allows(role, category, action) for action in found}
        wrong += [(category, environment, found)] if found != said else []
    assert wrong == []


def test_a_role_in_one_environment_is_one_there_alone(
    cells: dict[tuple[str, str], tuple[str, str]],
) -> None:
    user = person("devops-engineer", "only-staging", environment="staging")
    text = tokens.make(user, "test", tuple(tokens.Scope), 30, proved=True)[1]
    for (category, environment), (_runbook, execution) in cells.items():
        answer = call(text, "POST", f"executions/{execution}/notes", {"text": "quiet"})
        if environment != "staging":
            assert answer.status_code == 404, (category, environment)
        else:
            may = allows("devops-engineer", category, Action.NOTE)
            assert answer.status_code == (201 if may else 403), (category, environment)


@pytest.mark.parametrize("role", EVERYBODY)
def test_may_i_says_the_same(role: str, world: World) -> None:
    text = token(role)
    assert set(RUNBOOKS) <= set(CATEGORIES)
    for category, runbook in RUNBOOKS.items():
        asked = {"action": "execution.start", "runbook": runbook, "environment": "development"}
        found = get(text, "permissions/check", **asked)
        assert found["allowed"] is allows(role, category, Action.START), found
        assert found["allowed"] or found["reasons"]
