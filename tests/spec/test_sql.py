"""The body of an `sql` block."""

import pytest

from cvdops.spec import sql
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from tests.spec.documents import TODAY, annotated

# Each of these can be read by a client; none of them is a command of it.
HARMLESS = [
    "SELECT '\\! touch canary';",
    "SELECT 'it''s \\! touch canary';",
    "SELECT 'C:\\', 'a';",
    "SELECT 1; -- \\! touch canary '",
    "SELECT 1; /* \\! touch canary ' */",
    "SELECT 1; /* ** / \\! touch canary */",
    "SELECT $$ ' \\! touch canary $$;",
    "SELECT $a$ $$ ' \\! touch canary $b$ $a$;",
    "SELECT E'\\'\\\\! touch canary', e'\\\\', 'a';",
    "SELECT U&'\\0041', B'01', X'1F';",
    'SELECT 1 AS "a""\\! touch canary";',
    "SELECT 1::int, (ARRAY[1, 2, 3])[1:2], '{1}'::int[] <@ ARRAY[1];",
    "SELECT '{}'::jsonb ? 'a', 1 AS edit, 2 AS \"edit\";",
]
REFUSED = {
    "SELECT 1 \\! touch canary": 0,
    "SELECT 1;\n\\! touch canary": 1,
    "SELECT 1\\g | touch canary": 0,
    "SELECT E'\\'; \\! touch canary": 0,
    "SELECT '\\'; \\! touch canary": 0,
    "/* /* */ ' */ \\! touch canary": 0,
    "SELECT $1$ \\! touch canary": 0,
    "SELECT $a$ $b$\n\\! touch canary": 0,
    "COPY t FROM STDIN;\n1\n\\.\n": 2,
    "\n.shell touch canary": 1,
    "-- \n  .shell touch canary": 1,
    "SELECT '\n.shell touch canary\n';": 1,
    "SELECT edit('x', 'touch canary');": 0,
    'SELECT 1,\n"EDIT" /* a */ -- b\n (1)': 2,
    "SELECT load_extension('x');": 0,
    "SELECT writefile('canary', 'x');": 0,
    "SELECT :'NAME';": 0,
    'SELECT :"NAME";': 0,
    "SELECT :{?NAME};": 0,
    "SELECT ${NAME};": 0,
    "SELECT $NAME, 1;": 0,
    "SELECT @NAME;": 0,
    "SELECT 'open": 0,
    'SELECT "open': 0,
    "SELECT 1 /* open": 0,
}


@pytest.mark.parametrize("body", HARMLESS)
def test_statements_are_left_as_they_are(body: str) -> None:
    sql.check(body)
    assert sql.for_psql(body) == body


@pytest.mark.parametrize("body", REFUSED)
def test_what_is_no_statement_says_where(body: str) -> None:
    with pytest.raises(sql.StatementError) as error:
        sql.check(body)
    assert error.value.line == REFUSED[body]


def test_placeholders_are_found_outside_texts_and_comments() -> None:
    body = "SELECT :A, ':B', \":C\", $$ :D $$, x::E -- :F\nFROM t /* :G */ WHERE a[:H] = :A;"
    found = [(p.name, p.line) for p in sql.placeholders(body)]
    assert found == [("A", 0), ("H", 1), ("A", 1)]
    assert sql.names(body) == ("A", "H")
    assert sql.for_psql("SELECT :A, ':A', x::A;") == "SELECT :'cvdops_A', ':A', x::A;"


def test_in_an_annotated_document_it_is_an_error_at_its_line() -> None:
    runbook = parse(annotated(procedures="```sql\nSELECT 1;\n.shell touch canary\n```"))
    assert [(d.code, d.line) for d in runbook.diagnostics] == [("RB206", 10)]
    assert not runbook.executable


def test_in_a_plain_document_it_is_shown_and_not_run() -> None:
    runbook = parse("# T\n\n## Procedures\n```sql\n\\dt\n```\n")
    assert runbook.steps == ()
    assert "RB212" in [d.code for d in runbook.diagnostics]


def test_a_placeholder_that_nobody_sets_is_found_at_its_line() -> None:
    source = annotated(procedures="```sql\nSELECT 1,\n  :NOBODY, :ENVIRONMENT;\n```")
    found = [d for d in lint(parse(source), source, TODAY) if d.code == "RB401"]
    assert [(d.line, d.message.split()[0]) for d in found] == [(10, "NOBODY")]


def test_a_variable_that_a_statement_names_is_used() -> None:
    header = "variables: {STATUS: {default: new}}\n"
    source = annotated(header, procedures="```sql\nSELECT :STATUS;\n```")
    assert not [d for d in lint(parse(source), source, TODAY) if d.code in ("RB401", "RB402")]
