"""Who gains and who loses what."""

from hypothesis import given
from hypothesis import strategies as st

from cvdops.access.levels import Level
from cvdops.changes.effects import Holding, effects, level

CELLS = {("dev", "security"): Level.REVIEW, ("ops", "security"): Level.EXECUTE}
DANA = Holding("dana", "Dana", "dev", leads=False)


def said(*args: object, **kwargs: object) -> list[str]:
    return [str(effect) for effect in effects(*args, **kwargs)]  # type: ignore[arg-type]


def test_a_higher_cell_gains_what_lies_between() -> None:
    assert said([DANA], CELLS, changed={("dev", "security"): Level.EXECUTE}) == [
        "Dana gains on security: starts, pauses, cancels, retries and rolls back; confirms manual "
        "steps and checklist items, writes notes (Review → Execute)."
    ]


def test_who_has_as_much_by_another_role_is_not_named() -> None:
    ops = Holding("dana", "Dana", "ops", leads=False)
    assert said([DANA, ops], CELLS, changed={("dev", "security"): Level.ASSIST}) == []


def test_a_role_in_one_environment_counts_there() -> None:
    there = Holding("dana", "Dana", "ops", leads=True, environment="staging")
    (effect,) = effects([DANA], CELLS, after=[DANA, there])
    assert (effect.where, effect.after) == ("security in staging", Level.LEAD)


def test_two_environments_are_both_named() -> None:
    there = [Holding("dana", "Dana", "ops", leads=False, environment=e) for e in ("one", "two")]
    found = effects([DANA], CELLS, after=[DANA, *there])
    assert [effect.environment for effect in found] == ["one", "two"]


def test_lead_for_security_incidents_is_named_apart() -> None:
    changed = {("dev", "security"): Level.LEAD_SECURITY}
    (effect,) = effects([DANA], CELLS, changed=changed)
    assert (effect.security, effect.where) == (True, "security, for security incidents")


ROLES = ("a", "b", "c")
CATEGORIES = ("deployment", "security")
PLACES = ("", "staging", "production")
cells = st.fixed_dictionaries(
    {(r, c): st.sampled_from(list(Level)) for r in ROLES for c in CATEGORIES}
)
holdings = st.lists(
    st.builds(
        Holding,
        username=st.sampled_from(["x", "y"]),
        name=st.just("N"),
        role=st.sampled_from(ROLES),
        leads=st.just(False),
        environment=st.sampled_from(PLACES),
    ),
    max_size=5,
)


@given(holdings, cells, holdings, cells)
def test_every_difference_is_named_and_only_differences(
    before: list[Holding],
    table: dict[tuple[str, str], Level],
    after: list[Holding],
    changed: dict[tuple[str, str], Level],
) -> None:
    found = effects(before, table, after=after, changed=changed)
    for username in ("x", "y"):
        old = [h for h in before if h.username == username]
        new = [h for h in after if h.username == username]
        for category in CATEGORIES:
            differs = any(
                level(old, table, category, place, security=security)
                != level(new, changed, category, place, security=security)
                for place in PLACES
                for security in (False, True)
            )
            named = any(e.username == username and e.category == category for e in found)
            assert differs == named
    assert all(effect.before != effect.after for effect in found)
