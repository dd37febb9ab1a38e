"""How values are judged before anything starts."""

import pytest

from cvdops.spec.document import VariableType
from cvdops.spec.parser import parse
from cvdops.spec.values import ValueProblem, check
from tests.hostile_values import HOSTILE, IMPOSSIBLE
from tests.spec.documents import annotated

RUNBOOK = parse(
    annotated(
        """\
variables:
  LABEL: {default: manual, pattern: "[a-z0-9_-]{1,40}"}
  DAYS: {type: integer, default: 30, minimum: 1, maximum: 90}
  DRY: {type: boolean, default: false}
  LEVEL: {choices: [low, high]}
  FILE: {type: path, required: true, procedures: [b]}
  URL: {type: url}
  RELEASE: {type: version}
  TOKEN: {secret: true, pattern: "[a-f]{4}"}
""",
        "### a\n```bash\nls\n```\n### b\n```bash\nls\n```\n",
    )
)
COMMON = {"ENVIRONMENT": "staging"}


def problems(procedure: str = "a", **given: str) -> tuple[ValueProblem, ...]:
    return check(RUNBOOK, procedure, given, COMMON)[1]


def test_the_document_itself_is_right() -> None:
    assert [d for d in RUNBOOK.diagnostics if d.severity == "error"] == []


def test_defaults_and_common_values_fill_in() -> None:
    values, found = check(RUNBOOK, "a", {"LABEL": "", "DAYS": "007"}, COMMON)
    assert found == ()
    assert values == {
        "ENVIRONMENT": "staging",
        "LABEL": "manual",
        "DAYS": "7",
        "DRY": "false",
        **dict.fromkeys(("LEVEL", "URL", "RELEASE", "TOKEN"), ""),
    }


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("LABEL", "Has Space", "pattern"),
        ("LABEL", "manual\nx", "characters"),
        ("LABEL", "x\0", "characters"),
        ("LABEL", "x" * 5000, "length"),
        ("DAYS", "ten", "integer"),
        ("DAYS", "1_0", "integer"),
        ("DAYS", "\u0661", "integer"),
        ("DAYS", "0", "minimum"),
        ("DAYS", "91", "maximum"),
        ("DRY", "maybe", "boolean"),
        ("LEVEL", "middle", "choice"),
        ("URL", "javascript:alert(1)", "url"),
        ("URL", "http://", "url"),
        ("URL", "http://x:port/", "url"),
        ("RELEASE", "latest", "version"),
        ("NOBODY", "x", "unknown"),
        ("ENVIRONMENT", "production", "common"),
        ("FILE", "/x", "procedure"),
    ],
)
def test_a_wrong_value_is_one_problem_that_names_it(name: str, value: str, rule: str) -> None:
    (problem,) = problems(**{name: value})
    assert (problem.name, problem.rule, problem.value) == (name, rule, value)
    assert name in problem.message
    assert problem.message.endswith(".")
    assert "\n" not in problem.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "https://example.org:8080/x?y"),
        ("RELEASE", "v2.0.0-rc.1"),
        ("RELEASE", "1.4"),
        ("LEVEL", "low"),
    ],
)
def test_a_right_value_is_none(name: str, value: str) -> None:
    assert check(RUNBOOK, "a", {name: value}, COMMON) == (
        {**check(RUNBOOK, "a", {}, COMMON)[0], name: value},
        (),
    )


@pytest.mark.parametrize(
    ("value", "rule"),
    [("", "required"), ("relative", "path"), ("/a/../b", "path"), ("-rf", "path")],
)
def test_a_path_is_absolute_and_required_only_in_its_procedure(value: str, rule: str) -> None:
    assert [p.rule for p in problems("b", FILE=value)] == [rule]
    assert problems("a") == ()


def test_a_secret_is_never_repeated() -> None:
    (problem,) = problems(TOKEN="hunter2")
    assert (problem.value, "hunter2" in problem.message) == ("", False)


def test_a_variable_with_a_problem_has_no_value() -> None:
    assert "DAYS" not in check(RUNBOOK, "a", {"DAYS": "x"}, COMMON)[0]


@pytest.mark.parametrize("kind", VariableType)
def test_a_hostile_value_stays_as_it_is_or_is_refused_by_name(kind: VariableType) -> None:
    choices = ", choices: [a, b]" if kind is VariableType.CHOICE else ""
    runbook = parse(annotated(f"variables:\n  NAME: {{type: {kind}{choices}}}\n", "```sh\nls\n```"))
    for value in (*HOSTILE, *IMPOSSIBLE.values()):
        values, found = check(runbook, runbook.procedures[0].key, {"NAME": value}, {})
        kept = values.get("NAME") == value
        assert kept or found or kind is VariableType.INTEGER, value
        assert all(problem.message.startswith("NAME ") for problem in found)
        assert found or values["NAME"].isprintable()
        if kind is VariableType.INTEGER and not found:
            assert int(values["NAME"]) == int(value)
