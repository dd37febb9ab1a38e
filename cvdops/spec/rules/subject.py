"""What a rule looks at: the runbook, its text, and today's date."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from cvdops.spec import shell
from cvdops.spec.document import Kind, Procedure, Runbook, SectionKind, Step
from cvdops.spec.kinds import SHELLS
from cvdops.spec.plan import Plans


@dataclass(slots=True)
class Subject:
    runbook: Runbook
    lines: Sequence[str]
    today: date
    _scripts: dict[str, shell.Script] = field(default_factory=dict)
    _left: float = 1_000_000  # what reading scripts may still cost
    unread: Step | None = None  # the first whose script was too much
    _places: dict[str, list[int]] = field(default_factory=dict)
    _commands: dict[str, tuple[shell.Command, ...]] = field(default_factory=dict)

    @property
    def plans(self) -> Iterator[tuple[Procedure, tuple[Step, ...]]]:
        """Each procedure with the steps it runs."""
        plans = Plans(self.runbook)
        return ((procedure, plans.steps(procedure)) for procedure in self.runbook.procedures)

    @property
    def shell_steps(self) -> Iterator[Step]:
        return (step for step in self.runbook.steps if step.kind in SHELLS)

    def script(self, step: Step) -> shell.Script:
        """The step's body as shell code, read once; empty past more code than anybody writes."""
        if step.id not in self._scripts:
            self._scripts[step.id] = shell.read(step.body if self._can_afford(step) else "")
        return self._scripts[step.id]

    def _can_afford(self, step: Step) -> bool:
        cost = shell.cost(step.body)
        if cost > self._left:
            self.unread = self.unread or step
            return False
        self._left -= cost
        return True

    @property
    def commands(self) -> Iterator[tuple[Step, shell.Command]]:
        """Every command of every shell step."""
        return ((step, command) for step in self.shell_steps for command in self.commands_of(step))

    def commands_of(self, step: Step) -> tuple[shell.Command, ...]:
        """The commands of the step, found once."""
        if step.id not in self._commands:
            self._commands[step.id] = tuple(shell.commands(self.script(step)))
        return self._commands[step.id]

    def line(self, step: Step, number: int) -> int:
        """The line of the file of a line (from 0) of the step's body."""
        if step.kind is not Kind.CONSOLE:
            return step.line + 1 + number
        if step.id not in self._places:
            self._places[step.id] = list(self._commands_at(step))
        places = self._places[step.id]
        return places[number] if number < len(places) else step.line

    def _commands_at(self, step: Step) -> Iterator[int]:
        """The line of the file of each command of a transcript: outputs stand between them."""
        at = step.line  # an index: the line after the fence
        for wanted in map(str.strip, step.body.split("\n")):
            while at < len(self.lines) and not self.lines[at].strip().endswith(wanted):
                at += 1
            at += 1
            yield min(at, len(self.lines))

    def section_line(self, kind: SectionKind) -> int:
        """The line of the section's heading; 1 if there is none."""
        return next((s.line for s in self.runbook.sections if s.kind is kind), 1)

    def key_line(self, key: str) -> int:
        """The line of a key of the front matter, or of the words that stand for it; 1 without either."""
        words = re.compile(rf"{key}:|\W*{key.replace('_', ' ')}\b\W*:", re.IGNORECASE)
        return next((i for i, text in enumerate(self.lines, start=1) if words.match(text)), 1)

    def heading_line(self, word: str) -> int:
        """The line of the first heading with this word; 1 if there is none."""
        found = (i for i, t in enumerate(self.lines, start=1) if t[:1] == "#" and word in t)
        return next(found, 1)
