"""How many of whom have to agree."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from cvdops.approvals.groups import Demand, Group, covers, from_json, missing, to_json, together

NAMES = ("manager", "cto", "dba", "security")
names = st.frozensets(st.sampled_from(NAMES), max_size=3)
group = st.builds(
    Group,
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
    st.integers(1, 2),
)
groups = st.lists(group, max_size=3)


def most(asked: list[Group], voices: list[frozenset[str]]) -> int:
    """The most seats that these voices can fill, by trying every order."""
    seats = [set(group.approvers) for group in asked for _ in range(group.required)]
    padded = [*voices, *[frozenset[str]()] * len(seats)]
    return max(
        (
            sum(bool(voice & seat) for voice, seat in zip(order, seats, strict=False))
            for order in permutations(padded, len(seats))
        ),
        default=0,
    )


@given(st.lists(group, max_size=2), st.lists(names, max_size=3))
def test_as_many_voices_count_as_can(asked: list[Group], voices: list[frozenset[str]]) -> None:
    left = missing(asked, voices)
    assert sum(left) == sum(group.required for group in asked) - most(asked, voices)


@given(groups, groups, st.lists(names, max_size=5))
def test_what_covers_a_demand_is_never_full_before_it(
    asked: list[Group], wanted: list[Group], voices: list[frozenset[str]]
) -> None:
    if covers(asked, wanted) and not sum(missing(asked, voices)):
        assert not sum(missing(wanted, voices))


@given(groups, groups, st.lists(names, max_size=5))
def test_two_demands_together_are_full_only_when_each_is(
    one: list[Group], other: list[Group], voices: list[frozenset[str]]
) -> None:
    both = together([Demand(tuple(one), 60), Demand(tuple(other), 30)])
    if not sum(missing(both.groups, voices)):
        assert not sum(missing(one, voices))
        assert not sum(missing(other, voices))


@given(groups, st.lists(names, max_size=4), names)
def test_one_more_voice_never_takes_one_away(
    asked: list[Group], voices: list[frozenset[str]], more: frozenset[str]
) -> None:
    assert sum(missing(asked, [*voices, more])) <= sum(missing(asked, voices))


def test_who_could_fill_two_groups_counts_where_the_other_cannot() -> None:
    asked = [Group(("manager", "cto")), Group(("manager",))]
    assert missing(asked, [frozenset({"manager"}), frozenset({"cto"})]) == (0, 0)


def test_one_person_counts_for_one_group_only() -> None:
    asked = [Group(("manager",)), Group(("security",))]
    assert sum(missing(asked, [frozenset({"manager", "security"})])) == 1


def test_the_same_demand_twice_is_asked_for_once() -> None:
    one = Demand((Group(("manager",)),), 60, policies=("a",))
    both = together([one, Demand((Group(("manager", "cto")),), 30, True, ("b",))])
    assert both == Demand((Group(("manager",)),), 30, True, ("a", "b"))


@given(groups)
def test_groups_are_stored_as_they_are(asked: list[Group]) -> None:
    assert from_json(to_json(asked)) == tuple(asked)
