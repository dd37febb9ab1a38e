"""What a person looks at when they decide how it goes on: what was meant for another situation is not done.

Output, notes and people who come and go change nothing in it; each state and each new try does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cvdops.executions.models import Execution, StepRun

_WRITTEN = re.compile(r"([0-9]{1,18})\.([a-z]{1,20})\.([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Situation:
    """`seq`: the execution's when it was seen. Written as text it goes with a form and comes back."""

    seq: int
    phase: str
    digest: str

    @classmethod
    def of(cls, execution: Execution, steps: Iterable[StepRun]) -> Self:
        """`steps`: all of them."""
        each = sorted(f"{step.pk} {step.state} {step.attempt_count}" for step in steps)
        text = "\n".join((execution.state, execution.intent, execution.phase, *each))
        digest = sha256(text.encode()).hexdigest()[:16]
        return cls(execution.seq, execution.phase, digest)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for what was never written by us."""
        found = _WRITTEN.fullmatch(text)
        return cls(int(found[1]), found[2], found[3]) if found else None

    def __str__(self) -> str:
        return f"{self.seq}.{self.phase}.{self.digest}"
