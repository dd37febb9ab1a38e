"""How annotated documents are understood."""

import pytest

from cvdops.spec.document import Expect, Kind, SectionKind, Shell
from cvdops.spec.parser import parse
from tests.spec.documents import ANNOTATED, annotated

RUNBOOK = parse(ANNOTATED, "BACKUP_RESTORE.md")


def codes(source: str | bytes) -> list[str]:
    return [d.code for d in parse(source).diagnostics]


def test_a_clean_document_has_no_diagnostics() -> None:
    assert RUNBOOK.diagnostics == ()
    assert RUNBOOK.executable


def test_front_matter_is_the_metadata_and_keeps_versions_and_dates_as_written() -> None:
    assert RUNBOOK.id == "backup-restore"
    assert RUNBOOK.metadata["version"] == "1.10"
    assert RUNBOOK.metadata["last_updated"] == "2026-11-01"
    assert RUNBOOK.shell is Shell.STRICT


def test_steps_have_ids_kinds_sections_and_lines() -> None:
    found = [(s.id, s.kind, s.section) for s in RUNBOOK.steps]
    assert found == [
        ("preparation", Kind.CHECKLIST, SectionKind.PREPARATION),
        ("backup", Kind.BASH, SectionKind.PROCEDURES),
        ("go", Kind.APPROVAL, SectionKind.PROCEDURES),
        ("restore", Kind.BASH, SectionKind.PROCEDURES),
        ("check", Kind.BASH, SectionKind.VERIFICATION),
        ("remove-backup", Kind.BASH, SectionKind.ROLLBACK),
    ]
    lines = ANNOTATED.split("\n")
    assert all(
        "#" + s.id in lines[s.line - 1] for s in RUNBOOK.steps if s.kind is not Kind.CHECKLIST
    )


def test_attributes_are_read_with_their_units() -> None:
    attributes = RUNBOOK.step("backup").attributes
    assert (attributes.timeout, attributes.destructive) == (60.0, True)
    assert attributes.rollback == "remove-backup"


def test_a_checkpoint_checks_its_sample() -> None:
    step = RUNBOOK.step("check")
    assert step.attributes.expect is Expect.CONTAINS
    assert [s.text for s in step.samples] == ["ok"]


def test_titles_count_the_blocks_of_a_heading() -> None:
    assert RUNBOOK.step("backup").title == "Database backup"
    assert RUNBOOK.step("restore").title == "Restore (2 of 2)"


def test_prose_is_what_stands_before_the_block() -> None:
    assert RUNBOOK.step("backup").prose == "Say **hello**."


def test_procedures_are_those_declared() -> None:
    assert [(p.key, p.steps) for p in RUNBOOK.procedures] == [
        ("backup-database", ("backup",)),
        ("restore-database", ("go", "restore")),
    ]


def test_a_gate_is_read_from_its_yaml() -> None:
    gate = RUNBOOK.step("go").gate
    assert gate is not None
    assert gate.approvers == ("operations-manager", "cto")
    assert (gate.required, gate.expires, gate.message) == (1, 7200.0, "Restore the database?")


def test_troubleshooting_entries_have_their_two_parts() -> None:
    (entry,) = RUNBOOK.troubleshooting
    assert entry.title == "Database is locked"
    assert "locked" in entry.symptoms
    assert "fuser" in entry.resolution


def test_a_heading_can_be_marked_as_a_procedure() -> None:
    runbook = parse(
        annotated(procedures="### Go {#go .procedure}\n```bash\nls\n```\n### Not\n```bash\nls\n```")
    )
    assert [(p.key, p.steps) for p in runbook.procedures] == [("go", ("go",))]
    assert "RB306" in [d.code for d in runbook.diagnostics]


def test_blocks_without_ids_are_numbered_by_their_heading() -> None:
    runbook = parse(
        annotated(procedures="### Go on!\n```bash\nls\n```\n```sh\nls\n```\n```python\n1\n```")
    )
    assert [s.id for s in runbook.steps] == ["go-on", "go-on-2", "go-on-3"]
    assert [s.title for s in runbook.steps][1] == "Go on! (2 of 3)"


def test_a_block_marked_no_run_is_documentation() -> None:
    assert parse(annotated(procedures="```bash {no-run}\nls\n```")).steps == ()


def test_a_block_inside_a_comment_or_a_quotation_never_runs() -> None:
    text = "<!--\n```bash\nrm -rf /\n```\n-->\n\n> ```bash\n> ls\n> ```\n"
    assert parse(annotated(procedures=text)).steps == ()


def test_a_child_runbook_is_read_from_its_yaml() -> None:
    text = "```runbook\nrunbook: backup-restore\nprocedure: backup-database\nvariables: {N: 1, ON: true}\n```"
    child = parse(annotated(procedures=text)).steps[0].child
    assert child is not None
    assert (child.runbook, child.procedure) == ("backup-restore", "backup-database")
    assert child.variables == {"N": "1", "ON": "true"}


def test_a_manual_block_may_be_text_or_yaml() -> None:
    text = "```manual\nCall: the network team\n```\n```manual\nmessage: Look at it.\n```"
    assert [s.body for s in parse(annotated(procedures=text)).steps] == [
        "Call: the network team",
        "Look at it.",
    ]


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ("{timeout=60}", "RB203"),
        ("{timeout=48h}", "RB203"),
        ("{retry=-1}", "RB203"),
        ("{exit=256}", "RB203"),
        ("{on-failure=panic}", "RB203"),
        ("{capture=PATH}", "RB203"),
        ("{#../x}", "RB203"),
        ("{colour=red}", "RB202"),
        ("{database=cvd}", "RB202"),
        ("{timeout=5s timeout=6s}", "RB201"),
        ('{when="a"', "RB201"),
        ("{rollback=nowhere}", "RB205"),
        ("{rollback=title}", "RB205"),
        ('{when="A ="}', "RB209"),
        ('{when="NOBODY == x"}', "RB209"),
        ("{expect=exact}", "RB208"),
    ],
)
def test_a_wrong_attribute_is_an_error_at_its_line(info: str, code: str) -> None:
    runbook = parse(annotated(procedures=f"```bash {info}\nls\n```"))
    (found,) = [d for d in runbook.diagnostics if d.severity == "error"]
    assert (found.code, found.line) == (code, 8)
    assert not runbook.executable


def test_the_start_of_a_runbook_has_no_time_limit() -> None:
    call = "```runbook {timeout=5m}\nrunbook: other\nprocedure: do\n```"
    assert codes(annotated(procedures=call)) == ["RB202"]


def test_a_duplicate_id_is_an_error_and_the_ids_stay_unique() -> None:
    runbook = parse(annotated(procedures="```bash {#a}\nls\n```\n```bash {#a}\nls\n```"))
    assert [d.code for d in runbook.diagnostics] == ["RB204"]
    assert len({s.id for s in runbook.steps}) == 2


def test_a_rollback_has_to_lie_in_the_rollback_section() -> None:
    assert codes(
        annotated(procedures="```bash {#a rollback=b}\nls\n```\n```bash {#b}\nls\n```")
    ) == ["RB207"]


def test_an_unclosed_block_is_an_error() -> None:
    assert codes(annotated(procedures="```bash\nls")) == ["RB004"]


@pytest.mark.parametrize(
    ("front_matter", "code"),
    [
        ("a: &x 1\n", "RB102"),
        ("a: *x\n", "RB102"),
        ("a: !!python/object/apply:os.system [ls]\n", "RB102"),
        ("format: 1\n", "RB102"),
        ("a: " + "[" * 30 + "]" * 30 + "\n", "RB102"),
        ("a: [\n", "RB101"),
        ("a: " + "x" * 70_000 + "\n", "RB102"),
        ("id: ../etc\n", "RB105"),
        ("category: cooking\n", "RB104"),
        ("last_updated: yesterday\n", "RB104"),
        ("procedures: {a: {sections: [nowhere]}}\n", "RB304"),
        ("variables: {PATH: x}\n", "RB106"),
        ("variables: {A: {type: integer, default: x}}\n", "RB106"),
        ("variables: {A: {pattern: '(a+)+$'}}\n", "RB107"),
        ("variables: {A: {secret: true, default: x}}\n", "RB106"),
        ("variables: {A: {procedures: [nowhere]}}\n", "RB106"),
    ],
)
def test_wrong_front_matter_is_an_error(front_matter: str, code: str) -> None:
    source = annotated(front_matter, "### a\n```bash\nls\n```")
    assert code in [d.code for d in parse(source).diagnostics if d.severity == "error"]


def test_front_matter_that_is_no_mapping_is_an_error() -> None:
    assert "RB101" in codes("---\n- a\n---\n# T\n")


def test_only_true_and_false_are_booleans() -> None:
    metadata = parse("---\ntested: {a: no, b: on, c: true, d: 'true', e: 010}\n---\n# T\n").metadata
    assert metadata["tested"] == {"a": "no", "b": "on", "c": True, "d": "true", "e": "010"}


def test_a_procedure_may_name_its_own_verification() -> None:
    assert RUNBOOK.procedures[0].verification is None
    assert RUNBOOK.procedures[1].verification == ()
    wrong = ANNOTATED.replace("verification: []", "verification: [nowhere]")
    assert codes(wrong) == ["RB308"]
