"""Help texts that teach: what a command is for, examples, and what its exit codes say."""

from argparse import HelpFormatter
from collections.abc import Sequence

_MARK = "exit codes:"


class LessonFormatter(HelpFormatter):
    """Keeps the lines of the lesson at the end; what stands before is filled as usual."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if _MARK in text else super()._fill_text(text, width, indent)


def lesson(examples: Sequence[tuple[str, str]], exits: Sequence[tuple[int, str]]) -> str:
    """The end of a help text. `examples`: what is typed, and what it does; `exits`: code, what it says."""
    lines = ["examples:"] if examples else []
    for typed, does in examples:
        lines += [f"  {typed}", f"      {does}"]
    lines += ["", _MARK, *(f"  {code:<3}  {says}" for code, says in exits)]
    return "\n".join(lines).strip()
