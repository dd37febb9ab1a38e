"""The rules for random people, roles, matrices and questions."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from cvdops.access.levels import Level
from cvdops.access.rules import decide, levels, may_decide, readable, voice
from cvdops.access.standing import Held, Standing
from cvdops.access.subjects import LOGGED_IN, NEEDED, Action, Gate, Subject
from tests.access.standings import (
    CATEGORIES,
    ENVIRONMENTS,
    ROLES,
    gates,
    helds,
    people,
    questions,
    standings,
    with_more,
)
from tests.examples import examples

many = examples(150)


def names() -> dict[str, str]:
    return {role: role.title() for role in ROLES}


def allowed(standing: Standing, question: tuple[Action, Subject]) -> bool:
    return decide(standing, *question, names).allowed


@many
@given(standings, questions())
def test_a_refusal_gives_reasons_and_a_permission_none(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    decision = decide(standing, *question, names)
    assert decision.allowed == (not decision.reasons)
    assert all(reason.code and reason.text.endswith(".") for reason in decision.reasons)
    assert all(reason.remedy.endswith(".") for reason in decision.reasons)  # how to get further


@many
@given(standings, questions(), helds)
def test_another_role_never_takes_a_right_away(
    standing: Standing, question: tuple[Action, Subject], held: Held
) -> None:
    if allowed(standing, question):
        assert allowed(with_more(standing, held), question)


@many
@given(standings, gates, helds)
def test_nobody_decides_what_they_are_involved_in_under_any_roles(
    standing: Standing, gate: Gate, held: Held
) -> None:
    mine = replace(gate, involved={**gate.involved, standing.person: "asked for it"})
    assert not allowed(with_more(standing, held), (Action.DECIDE, mine))


@many
@given(people, people, gates, helds)
def test_no_delegation_leads_round_the_separation_of_duties(
    giver: Standing, receiver: Standing, gate: Gate, held: Held
) -> None:
    theirs = replace(gate, involved={**gate.involved, giver.person: "asked for it"})
    alone = voice(receiver, theirs)
    delegated = replace(receiver, behalf=(with_more(giver, held),))
    assert voice(delegated, theirs) == (alone and delegated)


@many
@given(standings, gates)
def test_the_short_answer_at_a_gate_is_the_long_one(standing: Standing, gate: Gate) -> None:
    assert may_decide(standing, gate) == allowed(standing, (Action.DECIDE, gate))


@many
@given(standings, questions())
def test_who_is_deactivated_may_nothing_but_what_is_public(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    gone = replace(standing, active=False)
    assert allowed(gone, question) == (question[0] is Action.PUBLIC)


@many
@given(standings, questions())
def test_who_holds_no_role_may_what_everybody_may(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    nobody = replace(standing, active=True, held=(), groups=frozenset(), behalf=())
    assert allowed(nobody, question) == (question[0] in {Action.PUBLIC, *LOGGED_IN})


@many
@given(standings, questions())
def test_a_refusal_by_the_matrix_names_the_level_that_is_missing(
    standing: Standing, question: tuple[Action, Subject]
) -> None:
    action = question[0]
    for reason in decide(standing, *question, names).reasons:
        if reason.code == "matrix":
            assert NEEDED[action].label in reason.text
            assert reason.remedy


@many
@given(standings)
def test_what_one_may_do_somewhere_can_be_read(standing: Standing) -> None:
    everywhere = ("", *ENVIRONMENTS)
    best = {c: max(levels(standing, e, security=True)[c] for e in everywhere) for c in CATEGORIES}
    assert {c for c in CATEGORIES if best[c] >= Level.REVIEW} == readable(standing) - {""}


@pytest.mark.faults
@settings(max_examples=10_000)
@given(standings, questions(), gates, helds)
def test_all_of_it_holds_for_ten_thousand_policies(
    standing: Standing, question: tuple[Action, Subject], gate: Gate, held: Held
) -> None:
    inner = {
        test_a_refusal_gives_reasons_and_a_permission_none: (standing, question),
        test_another_role_never_takes_a_right_away: (standing, question, held),
        test_nobody_decides_what_they_are_involved_in_under_any_roles: (standing, gate, held),
        test_the_short_answer_at_a_gate_is_the_long_one: (standing, gate),
        test_who_is_deactivated_may_nothing_but_what_is_public: (standing, question),
        test_who_holds_no_role_may_what_everybody_may: (standing, question),
        test_a_refusal_by_the_matrix_names_the_level_that_is_missing: (standing, question),
        test_what_one_may_do_somewhere_can_be_read: (standing,),
    }
    for test, given_to_it in inner.items():
        test.hypothesis.inner_test(*given_to_it)  # type: ignore[attr-defined]
