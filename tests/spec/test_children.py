"""What several runbooks say about each other."""

from cvdops.spec.children import cycles, missing
from cvdops.spec.document import Runbook
from cvdops.spec.parser import parse


def runbook(**procedures: str) -> Runbook:
    """Procedures, each of which starts the child `runbook/procedure`; nothing for an empty one."""
    text = "# T\n\n## Procedures\n\n"
    for key, child in procedures.items():
        name, _, procedure = child.partition("/")
        start = f"```runbook\nrunbook: {name}\nprocedure: {procedure}\n```" if child else ""
        text += f"### {key} {{.procedure}}\n```bash\nls\n```\n{start}\n"
    return parse(text)


def test_a_circle_is_an_error_in_each_of_its_runbooks() -> None:
    documents = {"a": runbook(x="b/y"), "b": runbook(y="c/z"), "c": runbook(z="a/x")}
    found = cycles(documents)
    assert {key: [(d.code, d.line) for d in each] for key, each in found.items()} == {
        key: [("RB214", 9)] for key in documents
    }


def test_a_procedure_that_starts_itself_is_a_circle() -> None:
    (found,) = cycles({"a": runbook(x="a/x")})["a"]
    assert "a/x starts itself" in found.message


def test_another_procedure_of_the_same_runbook_is_no_circle() -> None:
    assert cycles({"a": runbook(x="b/y", w=""), "b": runbook(y="a/w")}) == {}


def test_what_only_leads_into_a_circle_is_not_part_of_it() -> None:
    documents = {"a": runbook(x="b/y"), "b": runbook(y="c/z"), "c": runbook(z="b/y")}
    assert set(cycles(documents)) == {"b", "c"}


def test_a_long_chain_is_no_circle() -> None:
    documents = {f"a{n}": runbook(x=f"a{n + 1}/x") for n in range(1500)}
    assert cycles(documents) == {}


def test_the_only_procedure_needs_no_name() -> None:
    assert set(cycles({"a": runbook(x="b/"), "b": runbook(y="a/")})) == {"a", "b"}


def test_a_child_that_does_not_exist_is_an_error_with_what_there_is() -> None:
    documents = {"a": runbook(x="b/y", w="nobody/x"), "b": runbook(z="", v="")}
    assert [(d.code, d.message, d.hint) for d in missing(documents)["a"]] == [
        ("RB215", "b has no procedure “y”.", "It has: z, v."),
        ("RB215", "There is no runbook “nobody”.", "There are: a, b."),
    ]


def test_a_child_takes_only_its_own_variables() -> None:
    child = parse(
        '---\nvariables: {A: {default: x}}\n---\n# T\n\n## Procedures\n```bash\necho "$A"\n```\n'
    )
    start = "```runbook\nrunbook: b\nvariables: {A: 1, B: 2}\n```\n"
    documents = {"a": parse(f"# T\n\n## Procedures\n{start}"), "b": child}
    assert [d.message for d in missing(documents)["a"]] == ["b takes no variable B."]
