"""The one table of diagnostic codes: what each means and how grave it is."""

from typing import NamedTuple

from cvdops.spec.document import Diagnostic, Severity

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741 — one letter keeps the table a table


_MOST = 1000


class Code(NamedTuple):
    severity: Severity
    explanation: str


CODES: dict[str, Code] = {
    # Reading the file
    "RB001": Code(E, "The file is larger than a runbook may be."),
    "RB002": Code(W, "The file is not UTF-8; unreadable bytes were replaced."),
    "RB003": Code(W, "The file holds control characters; they were replaced."),
    "RB004": Code(E, "A code block is never closed."),
    "RB005": Code(W, "The document has no title."),
    "RB006": Code(E, "Reading the document takes too long or too much memory."),
    # Front matter
    "RB101": Code(E, "The front matter cannot be read."),
    "RB102": Code(E, "The front matter uses something that runbooks may not use."),
    "RB103": Code(W, "The front matter has a key that means nothing here."),
    "RB104": Code(E, "A value in the front matter is wrong."),
    "RB105": Code(E, "The id of the runbook is no slug."),
    "RB106": Code(E, "A variable is declared wrongly."),
    "RB107": Code(E, "The pattern of a variable is refused."),
    "RB108": Code(I, "What looks like metadata is not read."),
    "RB109": Code(E, "The category is missing, or none that the portal knows."),
    "RB110": Code(I, "The category was read from its words."),
    "RB111": Code(W, "A variable is declared that comes from the environment."),
    "RB112": Code(W, "A variable is required and has a default."),
    # Blocks and their attributes
    "RB201": Code(E, "The attributes of a block cannot be read."),
    "RB202": Code(E, "An attribute is unknown, or does not fit this kind of block."),
    "RB203": Code(E, "An attribute has a bad value."),
    "RB204": Code(E, "Two blocks have the same id."),
    "RB205": Code(E, "rollback= names a step that does not exist."),
    "RB206": Code(E, "The body of a block cannot be understood."),
    "RB207": Code(E, "rollback= names a step outside the Rollback section."),
    "RB208": Code(E, "expect= has no expected output to check against."),
    "RB209": Code(E, "The when= condition cannot be evaluated."),
    "RB210": Code(E, "The expected output is no usable regular expression."),
    "RB211": Code(I, "A transcript without a prompt is shown and not run."),
    "RB212": Code(I, "A block that might be meant to run is shown and not run."),
    "RB213": Code(I, "A script whose commands stand after prompts is read as a transcript."),
    "RB214": Code(E, "Runbooks start each other in a circle."),
    "RB215": Code(E, "A child runbook, its procedure or a variable of it does not exist."),
    "RB216": Code(W, "An approver is none of the portal's roles."),
    "RB217": Code(W, "A block is empty."),
    "RB218": Code(I, "A command after another prompt is read as output."),
    "RB219": Code(W, "A script begins with a prompt."),
    "RB220": Code(E, "Two files have the same id."),
    # Structure
    "RB301": Code(W, "One of the seven standard sections is missing."),
    "RB302": Code(I, "A heading was taken for a standard section by its words."),
    "RB303": Code(I, "Blocks outside the executed sections are shown and not run."),
    "RB304": Code(E, "A procedure names a heading that does not exist in Procedures."),
    "RB305": Code(I, "The procedures were found by the shape of the document."),
    "RB306": Code(W, "A step belongs to no procedure, so it never runs."),
    "RB307": Code(W, "The document has no procedure, so nothing of it can be run."),
    "RB308": Code(E, "A procedure names a step that does not exist."),
    "RB309": Code(W, "A procedure has no steps."),
    "RB310": Code(E, "A heading names a section that does not exist."),
    "RB311": Code(E, "The procedures have more steps in all than a runbook may have."),
    "RB312": Code(W, "A title or heading mixes letters that look alike."),
    # Variables and commands, before anything runs
    "RB401": Code(W, "A variable is used that nobody sets."),
    "RB402": Code(I, "A declared variable is never used."),
    "RB403": Code(W, "A command holds a placeholder in angle brackets."),
    "RB404": Code(W, "A command holds a placeholder that was never filled in."),
    "RB405": Code(W, "A bare ssh would hang, or run on the wrong machine."),
    "RB406": Code(W, "A command waits for somebody at a keyboard."),
    "RB407": Code(E, "A value from outside stands in a command without quotes."),
    "RB408": Code(W, "A variable that the document sets stands in a command without quotes."),
    "RB409": Code(E, "A value becomes part of a program."),
    "RB410": Code(E, "A value becomes part of an SQL statement."),
    "RB411": Code(E, "A value becomes part of an address."),
    "RB412": Code(W, "The document holds more code than is checked."),
    "RB413": Code(E, "A command holds characters that nobody sees."),
    # Quality
    "RB501": Code(W, "A command is neither given by its full path nor declared in tools."),
    "RB502": Code(W, "A checkpoint has no expected output."),
    "RB503": Code(W, "What to do when something fails is not documented."),
    "RB504": Code(W, "A major action is not verified."),
    "RB505": Code(W, "A destructive step has no rollback."),
    "RB506": Code(W, "The impact is not assessed."),
    "RB507": Code(W, "No approval gate where one is demanded."),
    "RB508": Code(W, "The document was not updated in the last six months."),
    "RB509": Code(W, "The document does not say when it was last updated."),
    "RB515": Code(W, "A step names its rollback and is not destructive, so nothing rolls it back."),
    # Quality, by what is known of its history
    "RB510": Code(W, "Nobody but the author has reviewed this version."),
    "RB511": Code(W, "This version was not executed successfully where it is to be tested."),
    "RB512": Code(W, "The outputs that the document promises are not those that came."),
    # Quality, by what a promise is worth
    "RB513": Code(I, "An expected output says none or all, and any number keeps it."),
    "RB514": Code(I, "An empty expected output promises that nothing is printed."),
}


def diagnostic(code: str, line: int, message: str, hint: str) -> Diagnostic:
    """A diagnostic with the severity that its code has in the table. The hint says what to do."""
    severity = CODES[code].severity
    return Diagnostic(code=code, severity=severity, line=max(line, 1), message=message, hint=hint)


class Notes:
    """Collects what the parser notices while it reads."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []

    def add(self, code: str, line: int, message: str, hint: str) -> None:
        """Past the limit only errors are kept, because they decide whether the runbook may run."""
        found = diagnostic(code, line, message, hint)
        limit = 2 * _MOST if found.severity is Severity.ERROR else _MOST
        if len(self._found) < limit:
            self._found.append(found)

    def within(self, lines: int) -> tuple[Diagnostic, ...]:
        """All of them by line, none of which points outside a file of so many lines."""
        bounded = (
            d if d.line <= max(lines, 1) else diagnostic(d.code, max(lines, 1), d.message, d.hint)
            for d in self._found
        )
        return tuple(sorted(bounded, key=lambda d: (d.line, d.code)))
