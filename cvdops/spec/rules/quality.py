"""The rules about safety and care: samples, error handling, verification, rollback, impact, approval, age."""

from collections.abc import Iterator
from datetime import timedelta

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic, Expect, Kind, OnFailure, Procedure, SectionKind, Step
from cvdops.spec.kinds import COMMANDS
from cvdops.spec.metadata import as_date
from cvdops.spec.rules.subject import Subject
from cvdops.spec.samples import all_or_nothing, is_prose
from cvdops.spec.slugs import quote

_SIX_MONTHS = timedelta(days=184)
_WITH_APPROVAL = frozenset({"deployment", "performance", "security"})


def checkpoint_without_sample(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.runbook.steps:
        if not step.attributes.checkpoint or step.kind not in COMMANDS:
            continue
        if step.kind is Kind.HTTP and step.attributes.expect_status:
            continue
        hint = "Put an ```output block right after this one."
        if not step.samples:
            message = f"The checkpoint {quote(step.id)} has no expected output."
            yield diagnostic("RB502", step.line, message, hint)
        elif all(is_prose(sample.text) for sample in step.samples):
            message = f"The checkpoint {quote(step.id)} describes its output in words, which will not come."
            yield diagnostic("RB502", step.samples[0].line, message, hint)


def empty_sample(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.runbook.steps:
        for sample in step.samples:
            if not sample.text.strip():
                yield diagnostic(
                    "RB514",
                    sample.line,
                    f"The empty expected output of {quote(step.id)} promises that nothing is printed.",
                    "Write what is to come, or “...” if anything may come.",
                )


def checkpoint_of_measures(subject: Subject) -> Iterator[Diagnostic]:
    """A measure is compared with nothing, also where it says none or all."""
    for step in subject.runbook.steps:
        if not step.attributes.checkpoint or step.attributes.expect is not Expect.CONTAINS:
            continue
        for sample in step.samples:
            if measure := all_or_nothing(sample.text):
                yield diagnostic(
                    "RB513",
                    sample.line,
                    f"{quote(measure)} stands for any measure, so any number keeps this promise.",
                    "Check the number itself, with expect=exact, expect=regex or in the command.",
                )


def no_error_handling(subject: Subject) -> Iterator[Diagnostic]:
    runbook = subject.runbook
    handled = any(
        s.attributes.retry or s.attributes.on_failure is not OnFailure.STOP for s in runbook.steps
    )
    if runbook.steps and not handled and not runbook.troubleshooting:
        yield diagnostic(
            "RB503",
            subject.section_line(SectionKind.TROUBLESHOOTING),
            "What to do when a step fails is written nowhere.",
            "Add a Troubleshooting entry with **Symptoms** and **Resolution**, or on-failure= or retry=.",
        )


def unverified_action(subject: Subject) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for _, steps in subject.plans:
        verified = False
        for step in reversed(steps):
            if step.attributes.destructive and not verified and step.id not in seen:
                seen.add(step.id)
                yield diagnostic(
                    "RB504",
                    step.line,
                    f"Nothing verifies what {quote(step.id)} did.",
                    "Add a checkpoint after it, or steps below Verification.",
                )
            verified |= step.attributes.checkpoint or step.section is SectionKind.VERIFICATION


def destructive_without_rollback(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.runbook.steps:
        if step.attributes.destructive and not step.attributes.rollback:
            if step.section is SectionKind.ROLLBACK:
                continue
            yield diagnostic(
                "RB505",
                step.line,
                f"The destructive step {quote(step.id)} has no rollback.",
                "Name the step of the Rollback section that undoes it: rollback=ID.",
            )


def rollback_without_destructive(subject: Subject) -> Iterator[Diagnostic]:
    for step in subject.runbook.steps:
        if step.attributes.rollback and not step.attributes.destructive:
            yield diagnostic(
                "RB515",
                step.line,
                f"{quote(step.id)} names a rollback step, which never runs: it is not destructive.",
                "Add destructive if it changes something, or remove rollback=.",
            )


def no_impact(subject: Subject) -> Iterator[Diagnostic]:
    runbook = subject.runbook
    told = runbook.metadata.get("impact") or any("impact" in s.lower() for s in _headings(subject))
    if runbook.steps and not told:
        yield diagnostic(
            "RB506",
            1,
            "What this runbook does to those who use the system is not said.",
            "Add impact: to the front matter, for example “No downtime”.",
        )


def _headings(subject: Subject) -> Iterator[str]:
    return (line for line in subject.lines if line.startswith("#"))


def no_approval(subject: Subject) -> Iterator[Diagnostic]:
    """Where approval is demanded, a gate stands before the first destructive step."""
    category = str(subject.runbook.metadata.get("category", ""))
    for procedure, steps in subject.plans:
        if category in _WITH_APPROVAL or (category == "backup-restore" and _restores(procedure)):
            for step in steps:
                if step.kind is Kind.APPROVAL:
                    break
                if step.attributes.destructive:
                    yield _ungated(procedure, step, category)
                    break


def _restores(procedure: Procedure) -> bool:
    return "restore" in f"{procedure.key} {procedure.title}".lower()


def _ungated(procedure: Procedure, step: Step, category: str) -> Diagnostic:
    return diagnostic(
        "RB507",
        step.line,
        f"The procedure {quote(procedure.key)} reaches {quote(step.id)} without an approval gate,"
        f" which a {category} runbook needs.",
        "Put an ```approval block before it.",
    )


def outdated(subject: Subject) -> Iterator[Diagnostic]:
    value = subject.runbook.metadata.get("last_updated")
    updated = as_date(value)
    line = subject.key_line("last_updated")
    if updated is None:
        hint = "Add last_updated: to the front matter."
        if "RB104" in {d.code for d in subject.runbook.diagnostics if d.line == line}:
            return  # said there already
        message = "When the document was last updated is not said."
        if value:
            message = (
                f"When the document was last updated is said as {quote(value)}, which is no date."
            )
            hint = "Write it as a date such as 2026-11-01."
        yield diagnostic("RB509", line, message, hint)
    elif subject.today - updated > _SIX_MONTHS:
        yield diagnostic(
            "RB508",
            line,
            f"The document was last updated on {updated}, more than six months ago.",
            "Review it, and write the date of the review.",
        )
