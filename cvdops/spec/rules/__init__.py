"""The rules that a runbook is held to, one function each, in one registry."""

from collections.abc import Callable, Iterator

from cvdops.spec.document import Diagnostic
from cvdops.spec.rules import commands, injection, placeholders, quality, structure, variables
from cvdops.spec.rules.subject import Subject

RULES: tuple[Callable[[Subject], Iterator[Diagnostic]], ...] = (
    structure.missing_section,
    structure.no_category,
    structure.mixed_letters,
    variables.unset,
    variables.never_used,
    placeholders.angle_placeholder,
    placeholders.unfilled_placeholder,
    commands.bare_ssh,
    commands.waits_for_input,
    commands.undeclared_tool,
    commands.unseen_characters,
    injection.unquoted,
    injection.text_as_code,
    injection.value_in_sql,
    injection.value_in_address,
    quality.checkpoint_without_sample,
    quality.checkpoint_of_measures,
    quality.empty_sample,
    quality.no_error_handling,
    quality.unverified_action,
    quality.destructive_without_rollback,
    quality.rollback_without_destructive,
    quality.no_impact,
    quality.no_approval,
    quality.outdated,
    commands.unread,
)
