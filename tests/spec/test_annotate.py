"""A document in the annotated form says what was understood of it, and means the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvdops.spec.annotate import annotate
from cvdops.spec.document import Runbook, Step
from cvdops.spec.parser import parse
from tests.examples import examples
from tests.spec.documents import ANNOTATED, PLAIN
from tests.spec.test_properties import PIECES

RUNBOOKS = sorted((Path(__file__).parents[2] / "runbooks").glob("*.md"))
TEXT = annotate(parse(PLAIN, "PLAN.md"), PLAIN)


def placeless(step: Step) -> Step:
    """The step without its lines, which front matter moves."""
    return replace(
        step,
        line=0,
        samples=tuple(replace(s, line=0) for s in step.samples),
        checklist=tuple(replace(i, line=0) for i in step.checklist),
    )


def meaning(runbook: Runbook) -> object:
    procedures = [(p.key, p.steps, p.preparation, p.verification) for p in runbook.procedures]
    return [placeless(step) for step in runbook.steps], procedures, runbook.shell, runbook.title


def check_fixed_point(source: str) -> str:
    runbook = parse(source, "X.md")
    text = annotate(runbook, source)
    again = parse(text, "X.md")
    assert meaning(again) == meaning(runbook)
    assert annotate(again, text) == text
    return text


def test_it_has_front_matter_ids_and_sections() -> None:
    lines = TEXT.split("\n")
    assert lines[:4] == ["---", "format: 1", "id: plan", "version: 1.0.0"]
    assert "category: deployment # by the words of the title" in lines
    assert "# approver: who approves changes of it" in lines
    assert "```bash {#phase-2-deploy}" in lines
    assert "## Verification Checklist {section=verification}" in lines


def test_nothing_of_it_is_guessed_any_more() -> None:
    assert parse(TEXT).diagnostics == ()


def test_unset_variables_and_undeclared_tools_are_declared() -> None:
    source = '# T\n\n## Procedures\n```bash\nkubectl get "$WHAT" | jq .\n```\n'
    runbook = parse(annotate(parse(source), source))
    assert runbook.metadata["tools"] == ["jq", "kubectl"]
    assert [(v.name, v.required) for v in runbook.variables] == [("WHAT", True)]


def test_a_part_of_a_heading_can_be_a_procedure() -> None:
    block = "```sh\nls\n```\n"
    text = check_fixed_point(f"# T\n## Procedures\n{block}### One\n{block}### Two\n{block}")
    assert "    steps: [procedures]\n" in text
    assert "RB305" not in [d.code for d in parse(text).diagnostics]


@pytest.mark.parametrize(
    ("line", "annotated"),
    [
        ("```bash", "```bash {#id}"),
        ("~~~~ bash", "~~~~bash {#id}"),
        ("```bash {timeout=5s}", "```bash {#id timeout=5s}"),
        ("```bash {checkpoint}", "```bash {#id checkpoint}"),
        ("```bash {1,3-5}", "```bash {#id}"),
        ('```bash title="x"', "```bash {#id}"),
        ("```bash {#a}", "```bash {#a}"),
    ],
)
def test_a_block_gets_the_id_it_has(line: str, annotated: str) -> None:
    end = "~~~~" if line.startswith("~") else "```"
    source = f"# T\n## Procedures\n### id\n{line}\nls\n{end}\n"
    assert f"\n{annotated}\n" in check_fixed_point(source)


@pytest.mark.parametrize(
    ("lines", "annotated"),
    [
        ("## Restore it", "## Restore it {section=procedures}"),
        ("##  Restore it ##", "##  Restore it {section=procedures} ##"),
        ("Restore it\n----------", "Restore it {section=procedures}\n----------"),
        ("## Restore it {#r}", "## Restore it {#r section=procedures}"),
        ("## Restore ${NAME}", "## Restore ${NAME} {section=procedures}"),
    ],
)
def test_a_heading_says_its_section(lines: str, annotated: str) -> None:
    assert f"\n{annotated}\n" in check_fixed_point(f"# T\n\n{lines}\n```sh\nls\n```\n")


def test_steps_right_below_the_title() -> None:
    assert "# T {section=procedures}\n" in check_fixed_point("# T\n```sh\nls\n```\n")


@pytest.mark.parametrize("path", RUNBOOKS, ids=lambda p: p.stem)
def test_our_runbooks_are_annotated_already(path: Path) -> None:
    source = path.read_text()
    assert annotate(parse(source, path.name), source) == source


@pytest.mark.parametrize("source", ["x" * 1_000_001, "a\n" * 19_999, "a\n" * 20_001])
def test_a_document_that_is_too_large_stays_as_it_is(source: str) -> None:
    assert annotate(parse(source), source) == source


def test_front_matter_that_cannot_be_read_stays_as_it_is() -> None:
    source = "---\na: [\n---\n# T\n## Procedures\n```sh\nls\n```\n"
    assert annotate(parse(source), source) == source.replace("```sh", "```sh {#procedures}")


def test_front_matter_in_braces_stays_as_it_is() -> None:
    assert check_fixed_point("---\n{owner: me}\n---\n") == "---\n{owner: me}\n---\n"


@examples(300)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_anything_shaped_like_a_runbook(pieces: list[str]) -> None:
    check_fixed_point("".join(pieces))


@given(
    st.sampled_from([ANNOTATED, PLAIN]),
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 30), st.sampled_from(PIECES)), max_size=5
    ),
)
def test_mutations_of_real_documents(source: str, changes: list[tuple[int, int, str]]) -> None:
    for at, removed, piece in changes:
        source = source[:at] + piece + source[at + removed :]
    check_fixed_point(source)
