"""The whole matrix: role × category × environment × verb × rung of the ladder, against the mission's own words.

What is expected is worked out here from the tables of the documents alone, by other means than the rules.
"""

from dataclasses import replace
from itertools import product

import pytest

from cvdops.access import rules
from cvdops.access.certification import Certificate, Stage
from cvdops.access.policy import role_names, standing_of
from cvdops.access.seed import seed_roles
from cvdops.access.subjects import NEEDED, Action, Matter
from tests.cast import person

CATEGORIES = ("deployment", "backup-restore", "performance", "security", "incidents")
TABLE = """
operations-lead     Lead    Lead    Lead    Lead    Lead
devops-engineer     Execute Execute Execute Review  Execute
system-admin        Assist  Execute Execute Execute Assist
security-admin      Review  Review  Review  Execute Security
developer           Review  Review  Assist  Review  Assist
operations-manager  Review  Review  Review  Review  Review
cto                 Review  Review  Review  Review  Review
auditor             Review  Review  Review  Review  Review
admin               Review  Review  Review  Review  Review
"""
MATRIX = {
    (row.split()[0], category): word
    for row in TABLE.strip().splitlines()
    for category, word in zip(CATEGORIES, row.split()[1:], strict=True)
}
RANK = {"Review": 1, "Assist": 2, "Execute": 3, "Lead": 4}
WORD = {  # the lowest word of the table under which the verb stands
    Action.READ_RUNBOOK: "Review",
    Action.REVIEW_RUNBOOK: "Review",
    Action.READ_EXECUTION: "Review",
    Action.NOTE: "Assist",
    Action.JOIN: "Assist",
    Action.ASSIST: "Assist",
    Action.CLOSE: "Assist",
    Action.START: "Execute",
    Action.CONTROL: "Execute",
    Action.READ_ANSWERS: "Execute",
    Action.SUPERVISE: "Execute",
    Action.OVERRIDE: "Lead",
    Action.HAND_OVER: "Lead",
}
ENVIRONMENTS = {"development": False, "staging": False, "production": True}  # whether protected
# Weeks of the onboarding in which one executes: alone, and with a supervisor.
ALONE = {"ordinary": 3, "critical": 3, "production": 5}
HELPED = {"ordinary": 2, "critical": 3, "production": 4}


def expected(word: str, action: Action, matter: Matter, week: int) -> bool:
    if word == "Security":
        word = "Lead" if matter.security else "Review"
    needed, has = RANK[WORD[action]], RANK[word]
    if has < needed or needed == RANK["Review"]:
        return has >= needed
    where = "production" if matter.protected else "critical" if matter.critical else "ordinary"
    alone = week >= ALONE[where]
    helped = week >= HELPED[where]
    if action is Action.SUPERVISE:
        return week == 5
    executes = alone or (helped and matter.supervised)
    if needed >= RANK["Execute"]:
        return executes
    if action is Action.ASSIST and not (executes and has >= RANK["Execute"]):
        return matter.present and (alone or helped)
    return alone or helped


def test_every_verb_of_the_matrix_stands_under_a_word() -> None:
    assert set(WORD) == set(NEEDED)


@pytest.mark.django_db
@pytest.mark.parametrize("role", sorted({role for role, _ in MATRIX}))
def test_each_role_may_what_the_documents_say(role: str) -> None:
    seed_roles()
    standing = standing_of(person(role))
    names = role_names()
    wrong = []
    for category, environment, action, stage in product(CATEGORIES, ENVIRONMENTS, WORD, Stage):
        who = replace(standing, certificate=Certificate(stage))
        for security, supervised, present in product((False, True), repeat=3):
            matter = Matter(
                category,
                environment,
                security=security,
                protected=ENVIRONMENTS[environment],
                critical=category == "incidents",
                supervised=supervised,
                present=present,
            )
            decision = rules.decide(who, action, matter, lambda: names)
            if decision.allowed != expected(MATRIX[role, category], action, matter, stage.value):
                wrong.append((action, matter, stage, decision.reasons))
    assert wrong == []
