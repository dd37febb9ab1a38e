"""How plain documents, as teams have them, are understood."""

import pytest

from cvdops.spec.document import Kind, SectionKind, Shell
from cvdops.spec.parser import parse
from tests.spec.documents import PLAIN

RUNBOOK = parse(PLAIN, "docs/DEPLOYMENT_RUNBOOK.md")


def procedures(body: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(p.key, p.steps) for p in parse(f"# T\n\n{body}").procedures]


def block(text: str = "ls") -> str:
    return f"```bash\n{text}\n```\n"


def test_it_imports_unchanged() -> None:
    categorised = parse(PLAIN.replace("## Metadata", "## Metadata\n- **Category**: Deployment"))
    assert (RUNBOOK.executable, categorised.executable) == (False, True)
    assert RUNBOOK.shell is Shell.PASTE
    assert (RUNBOOK.id, RUNBOOK.title) == ("deployment-runbook", "Deployment Runbook")


def test_metadata_comes_from_the_list_and_the_closing_lines() -> None:
    assert RUNBOOK.metadata == {
        "version": "1.0.0",
        "last_updated": "2026-08-12",
        "owner": "Operations Team",
        "next_review": "2027-04-01",
    }


def test_headings_are_mapped_to_sections_by_their_words() -> None:
    assert {s.heading: s.kind for s in RUNBOOK.sections} == {
        "Metadata": SectionKind.REFERENCE,
        "Overview": SectionKind.OVERVIEW,
        "Prerequisites": SectionKind.PREREQUISITES,
        "Pre-Deployment Checklist": SectionKind.PREPARATION,
        "Deployment Procedures": SectionKind.PROCEDURES,
        "Restore Procedures": SectionKind.PROCEDURES,
        "Verification Checklist": SectionKind.VERIFICATION,
        "Common Issues": SectionKind.TROUBLESHOOTING,
    }


def test_each_guess_is_a_diagnostic() -> None:
    lines = PLAIN.split("\n")
    guessed = [lines[d.line - 1] for d in RUNBOOK.diagnostics if d.code == "RB302"]
    assert "## Pre-Deployment Checklist" in guessed
    assert "## Overview" not in guessed


def test_phases_are_one_procedure_and_alternatives_are_several() -> None:
    assert [(p.key, p.steps) for p in RUNBOOK.procedures] == [
        ("deployment-procedures", ("step-1-1-choose", "phase-2-deploy")),
        ("full-restore", ("full-restore",)),
        ("single-table", ("single-table",)),
    ]


def test_checklists_are_steps_with_their_items() -> None:
    step = RUNBOOK.section(SectionKind.PREPARATION)[0]
    assert step.kind is Kind.CHECKLIST
    assert [(i.text, i.line) for i in step.checklist] == [
        ("Approval obtained", 12),
        ("Backup verified", 13),
    ]


def test_alternatives_may_lie_one_level_deeper() -> None:
    body = f"## Procedures\n### Backup\n#### Full\n{block()}#### Small\n{block()}"
    assert procedures(body) == [("full", ("full",)), ("small", ("small",))]


def test_numbered_headings_below_a_heading_are_one_procedure() -> None:
    body = f"## Procedures\n### Backup\n#### 1. Stop\n{block()}#### 2. Copy\n{block()}### Restore\n{block()}"
    assert procedures(body) == [("backup", ("1-stop", "2-copy")), ("restore", ("restore",))]


def test_rollback_inside_procedures_is_rollback() -> None:
    body = f"## Procedures\n### Deploy\n{block()}### Rollback procedure\n{block()}"
    assert procedures(body) == [("deploy", ("deploy",))]


def test_without_a_procedures_section_what_can_run_is_taken_for_one() -> None:
    body = f"## Restart the service\n{block()}## Appendix\n{block()}"
    assert procedures(body) == [("restart-the-service", ("restart-the-service",))]


def test_steps_right_below_the_title_are_a_procedure() -> None:
    assert procedures(block()) == [("t", ("t",))]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Rollback Procedures", SectionKind.ROLLBACK),
        ("Recovery Procedures", SectionKind.PROCEDURES),
        ("2. Preparation", SectionKind.PREPARATION),
        ("Post-Deployment Verification", SectionKind.VERIFICATION),
        ("Troubleshooting Procedures", SectionKind.TROUBLESHOOTING),
        ("Emergency Contacts", SectionKind.REFERENCE),
        ("Backup Schedule", SectionKind.REFERENCE),
        ("Deployment Overview", SectionKind.OVERVIEW),
        ("PREREQUISITES", SectionKind.PREREQUISITES),
    ],
)
def test_a_heading_is_read_by_its_words(heading: str, kind: SectionKind) -> None:
    assert parse(f"# T\n## {heading}\n").sections[0].kind is kind


def test_a_transcript_is_commands_and_outputs() -> None:
    text = "```console\n$ cat <<EOF\n> hello\nEOF\nhello\n$ echo a \\\n> b\na b\n```\n"
    (step,) = parse(f"# T\n## Procedures\n{text}").steps
    assert step.body == "cat <<EOF\nhello\nEOF\necho a \\\nb\n"
    assert [(s.text, s.line) for s in step.samples] == [("hello", 7), ("a b", 10)]


def test_a_shell_block_without_prompts_is_a_script() -> None:
    (step,) = parse("# T\n## Procedures\n```shell\ncd /tmp\nls\n```\n").steps
    assert (step.kind, step.body) == (Kind.CONSOLE, "cd /tmp\nls\n")


def test_a_bash_block_with_prompts_is_a_transcript_and_says_so() -> None:
    runbook = parse("# T\n## Procedures\n```bash\n$ ls\nfile\n```\n")
    (step,) = runbook.steps
    assert (step.kind, step.body, step.samples[0].text) == (Kind.CONSOLE, "ls\n", "file")
    assert "RB213" in [d.code for d in runbook.diagnostics]


def test_a_console_block_without_prompts_is_shown_and_said() -> None:
    runbook = parse("# T\n## Procedures\n```console\nactive\n```\n")
    assert runbook.steps == ()
    assert "RB211" in [d.code for d in runbook.diagnostics]


@pytest.mark.parametrize("language", ["", "text"])
def test_a_text_block_after_the_words_expected_output_is_a_sample(language: str) -> None:
    text = f"# T\n## Procedures\n{block()}\n**Expected output:**\n\n```{language}\nfine\n```\n"
    (step,) = parse(text).steps
    assert [(s.text, s.line) for s in step.samples] == [("fine", 9)]


def test_comments_that_promise_an_output_are_samples() -> None:
    text = block("a\n# Expected output: one\nb\n# Expected output:\n#   two\n# three\nc")
    (step,) = parse(f"# T\n## Procedures\n{text}").steps
    assert [(s.text, s.line) for s in step.samples] == [("one", 5), ("two\nthree", 7)]


def test_a_block_in_a_numbered_list_keeps_its_line() -> None:
    (step,) = parse("# T\n## Procedures\n1. First\n\n   ```sh\n   ls\n   ```\n").steps
    assert (step.line, step.body) == (5, "ls\n")


def test_blocks_in_other_sections_never_run() -> None:
    sections = ("Overview", "Prerequisites", "Troubleshooting", "Appendix")
    text = "".join(f"## {name}\n{block()}" for name in sections)
    assert parse(f"# T\n## Procedures\n{block()}{text}").steps[1:] == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (b"# T\r\n\r\n## Procedures\r\n```bash\r\nls\r\n```\r\n", None),
        (b"\xef\xbb\xbf# T\n\n## Procedures\n```bash\nls\n```\n", None),
        (b"# T\n\xe9\n## Procedures\n```bash\nls\n```\n", "RB002"),
        (b"# T\n\x00\n## Procedures\n```bash\nls\n```\n", "RB003"),
    ],
)
def test_however_the_bytes_are_written(source: bytes, code: str | None) -> None:
    runbook = parse(source)
    assert (runbook.title, runbook.steps[0].line, runbook.steps[0].body) == ("T", 4, "ls\n")
    assert code is None or code in [d.code for d in runbook.diagnostics]


@pytest.mark.parametrize("source", [b"x" * 1_000_001, "a\n" * 20_001])
def test_too_large_a_file_is_one_error(source: bytes | str) -> None:
    runbook = parse(source, "BIG.md")
    assert [d.code for d in runbook.diagnostics] == ["RB001"]
    assert (runbook.id, runbook.steps) == ("big", ())


def test_the_underline_of_a_heading_is_no_prose() -> None:
    (step,) = parse("# T\n\nProcedures\n----------\n\nSay so.\n\n```sh\nls\n```\n").steps
    assert (step.title, step.prose) == ("Procedures", "Say so.")


@pytest.mark.parametrize("heading", ["Check ${NAME}", "Use {braces}", "Ends with {a=b}"])
def test_a_heading_may_end_with_braces(heading: str) -> None:
    assert parse(f"# T\n## {heading}\n").sections[0].heading == heading


def test_a_heading_may_say_its_section() -> None:
    source = f"# T\n## Go {{section=procedures}}\n{block()}### Not {{section=reference}}\n{block()}"
    runbook = parse(source)
    assert [(s.heading, s.kind) for s in runbook.sections] == [
        ("Go", SectionKind.PROCEDURES),
        ("Not", SectionKind.REFERENCE),
    ]
    assert [s.id for s in runbook.steps] == ["go"]
    assert "RB302" not in [d.code for d in runbook.diagnostics]


def test_a_section_that_does_not_exist_is_an_error() -> None:
    found = parse("# T\n## Go {section=cooking}\n").diagnostics
    assert [(d.code, d.line) for d in found if d.severity == "error"] == [("RB310", 2)]


def test_a_metadata_list_declares_no_structure() -> None:
    body = f"## Metadata\n- **Procedures**: two\n- **Shell**: zsh\n## Procedures\n{block()}"
    assert procedures(body) == [("procedures", ("procedures",))]


def test_lines_to_be_marked_are_no_attributes() -> None:
    runbook = parse("# T\n## Procedures\n```bash {1,3-4}\nls\n```\n")
    assert runbook.diagnostics == ()
