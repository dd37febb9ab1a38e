"""One planted defect for each rule is found, at its line, and nothing else."""

import re
from datetime import date
from pathlib import Path

import pytest

from cvdops.spec.codes import CODES
from cvdops.spec.lint import lint
from cvdops.spec.parser import parse
from tests.spec.documents import ANNOTATED, TODAY

GATE = ANNOTATED[ANNOTATED.index("```approval") : ANNOTATED.index("```bash {#restore")]


def findings(source: str) -> list[tuple[str, str]]:
    """The codes, each with the text of its line."""
    lines = source.split("\n")
    return [(d.code, lines[d.line - 1]) for d in lint(parse(source), source, TODAY)]


def test_a_clean_document_has_no_findings() -> None:
    assert findings(ANNOTATED) == []


RESTORE = """sqlite3 "${DATABASE_PATH}" ".restore '${RESTORE_FILE}'\""""

DEFECTS = [
    ("RB301", "## Prerequisites\n\nAccess.\n\n", "", "---"),
    ("RB401", "hi ${LABEL}", "hi ${LABEL} ${NOBODY}", 'echo "hi ${LABEL} ${NOBODY}"'),
    ("RB402", "variables:\n", "variables:\n  SPARE: {default: x}\n", "  SPARE: {default: x}"),
    ("RB403", "echo", "echo <host>", 'echo <host> "hi ${LABEL}"'),
    (
        "RB404",
        "echo",
        "/usr/bin/curl your-domain.com",
        '/usr/bin/curl your-domain.com "hi ${LABEL}"',
    ),
    (
        "RB404",
        "# Expected",
        "# Update this with the label\n# Expected",
        "# Update this with the label",
    ),
    ("RB405", "echo", "/usr/bin/ssh -i key ops@server\necho", "/usr/bin/ssh -i key ops@server"),
    ("RB406", "echo", "tail -f x.log\necho", "tail -f x.log"),
    ("RB406", "echo", "/usr/bin/vim x\necho", "/usr/bin/vim x"),
    ("RB407", 'echo "hi ${LABEL}"', "echo hi $LABEL", "echo hi $LABEL"),
    ("RB408", "echo", "N=1\nkill $N\necho", "kill $N"),
    ("RB409", "echo", 'eval "$LABEL"\necho', 'eval "$LABEL"'),
    ("RB409", "echo", 'bash -c "ls ${LABEL}"\necho', 'bash -c "ls ${LABEL}"'),
    ("RB410", '"[a-z0-9/._-]{1,200}"', '".{1,50}"', RESTORE),
    ("RB410", '"[a-z0-9/._-]{1,200}"', '"[^;]{1,50}"', RESTORE),
    ("RB501", "echo", "curl -f x\necho", "curl -f x"),
    ("RB502", "```output\nok\n```\n", "", "```bash {#check checkpoint}"),
    ("RB502", "```output\nok\n", "```output\nIt should say so\n", "```output"),
    ("RB503", "**Symptoms**", "**Signs**", "## Troubleshooting"),
    ("RB504", "sections: [database-backup]", "sections: [database-backup], verification: []", None),
    ("RB505", " rollback=remove-backup", "", "```bash {#backup timeout=60s destructive}"),
    ("RB506", "impact: No downtime.\n", "", "---"),
    ("RB508", "last_updated: 2026-11-01", "last_updated: 2026-05-01", "last_updated: 2026-05-01"),
    ("RB509", "last_updated: 2026-11-01\n", "", "---"),
]


@pytest.mark.parametrize(
    ("code", "old", "new", "line"), DEFECTS, ids=[f"{d[0]}-{d[2][:12]!r}" for d in DEFECTS]
)
def test_a_planted_defect_is_found(code: str, old: str, new: str, line: str | None) -> None:
    assert old in ANNOTATED
    line = line or "```bash {#backup timeout=60s destructive rollback=remove-backup}"
    assert findings(ANNOTATED.replace(old, new, 1)) == [(code, line)]


def test_a_destructive_restore_needs_an_approval_before_it() -> None:
    destructive = ANNOTATED.replace("{#restore ", "{#restore destructive rollback=remove-backup ")
    destructive = destructive.replace("verification: []", "verification: [check]")
    assert findings(destructive) == []
    assert [code for code, _ in findings(destructive.replace(GATE, ""))] == ["RB507"]


@pytest.mark.parametrize(
    "line",
    [
        "A=$LABEL B=${LABEL} true",
        "export A=$LABEL",
        "local -r A=$LABEL B=$A",
        'for A in $LABEL; do echo "$A"; done',
        "case $LABEL in a) ;; esac",
        "[[ $LABEL == a && -n $LABEL ]]",
        'A=($LABEL); echo "$((LABEL + 1)) ${#LABEL}"',
        "echo '$LABEL' \\$LABEL ${LABEL:+\"$LABEL\"}",
        "cat <<END\n$LABEL\nEND",
        "sqlite3 \"$LABEL\" 'SELECT 1'",
        "sqlite3 x \"SELECT '$LABEL'\"",
        'sqlite3 x "SELECT $(basename "$ANY")"',
        'bash -c \'ls "$1"\' _ "$LABEL"',
        '/usr/bin/curl -d "$ANY" "$URL/x?$LABEL" "$URL"',
    ],
)
def test_a_value_that_stays_a_value_is_fine(line: str) -> None:
    more = "variables:\n  ANY: {default: x}\n  URL: {type: url, default: 'http://x'}\n"
    source = ANNOTATED.replace("variables:\n", more).replace("echo", f"{line}\necho", 1)
    assert [f for f in findings(source) if f[0] not in ("RB402", "RB401")] == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("cp \\\n  $ANY x", "RB407"),
        ("if [ $ANY = a ]; then ls; fi", "RB407"),
        ('echo "$(ls $ANY)"', "RB407"),
        ("echo a >> $ANY", "RB407"),
        ("python3 -c \"print('$ANY')\"", "RB409"),
        ("sqlite3 x <<END\nSELECT '$ANY'\nEND", "RB410"),
        ('sqlite3 x \\\n  "SELECT $ANY"', "RB410"),
        ('/usr/bin/curl "$URL/$ANY"', "RB411"),
        ('/usr/bin/curl "https://$ANY/x"', "RB411"),
    ],
)
def test_a_value_that_becomes_more_is_an_error(line: str, code: str) -> None:
    more = "variables:\n  ANY: {default: x}\n  URL: {type: url, default: 'http://x'}\n"
    source = ANNOTATED.replace("variables:\n", more).replace("[sqlite3]", "[sqlite3, python3]")
    found = findings(source.replace("echo", f"{line}\necho", 1))
    assert [(c, "ANY" in text) for c, text in found if c != "RB402"] == [(code, True)]


def test_a_value_in_the_text_of_an_sql_block_is_an_error() -> None:
    block = "```sql\nSELECT 1;\nSELECT '${LABEL}';\n```\n\n### Restore"
    assert findings(ANNOTATED.replace("### Restore", block)) == [("RB410", "SELECT '${LABEL}';")]


def test_following_a_log_under_a_timeout_is_fine() -> None:
    assert findings(ANNOTATED.replace("echo", "timeout 5 tail -f x.log\necho", 1)) == []


def test_a_variable_set_by_an_earlier_block_is_set() -> None:
    setting = ANNOTATED.replace("echo", "EARLIER=1\necho", 1)
    assert findings(setting.replace("rm -f", 'rm -f "${EARLIER}"')) == []


def test_a_variable_of_another_procedure_is_not_set() -> None:
    wrong = ANNOTATED.replace("hi ${LABEL}", "hi ${LABEL} ${RESTORE_FILE}")
    assert [code for code, _ in findings(wrong)] == ["RB401"]


def test_the_findings_of_the_parser_are_part_of_the_report() -> None:
    assert "RB202" in [code for code, _ in findings(ANNOTATED.replace("timeout=60s", "colour=red"))]


def test_a_document_that_is_too_large_has_one_finding() -> None:
    source = "a\n" * 20_001
    assert [d.code for d in lint(parse(source), source, date(2026, 1, 1))] == ["RB001"]


def test_every_code_that_is_used_is_in_the_table_and_the_other_way_round() -> None:
    folder = Path(__file__).parents[2] / "cvdops" / "spec"
    text = "".join(p.read_text() for p in folder.rglob("*.py") if p.name != "codes.py")
    assert set(re.findall(r'"(RB\d{3})"', text)) == set(CODES)
