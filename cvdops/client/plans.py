"""A plan as lines: what would run, where and with which values, who is asked, and how it would be undone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]


def plan(found: Mapping[str, Any], environment: str, gate: str = "") -> Iterator[str]:
    """Of an execution, as the API has it. `gate`: the id of the step at which a decision is asked for."""
    yield summary(found["steps"], environment)
    yield from steps(found["steps"], found["rollback"], gate)
    if found["rollback"]:
        yield ""
        yield "What a rollback could run:"
        yield from steps(found["rollback"], ())


def summary(found: Sequence[Step], environment: str) -> str:
    """How much it is, on which hosts, and how much of it changes something that is hard to get back."""
    hosts = list(dict.fromkeys(host for step in found for host in step["hosts"]))
    gates = sum(step["kind"] == "approval" for step in found)
    sharp = sum(step["destructive"] for step in found)
    where = f" on {', '.join(hosts)}" if hosts else ""
    return (
        f"In {environment}: {_count(len(found), 'step')}{where}, "
        f"{sharp or 'none'} of them destructive, {_count(gates, 'gate')}."
    )


def steps(found: Sequence[Step], rollback: Sequence[Step], gate: str = "") -> Iterator[str]:
    """Each with its command, and what stands beside it. `rollback`: the steps that undo others."""
    undo = {step["id"]: step["title"] for step in rollback}
    for number, step in enumerate(found, start=1):
        where = f" ({', '.join(step['hosts'])})" if step["hosts"] else ""
        marks = ", ".join(_marks(step, gate))
        yield f"{number}. {step['title']}{where}{f' [{marks}]' if marks else ''}"
        yield from (f"     {name}={value}" for name, value in step["values"].items())
        yield from _block(" > ", step["text"])
        yield from (f"   [ ] {item}" for item in step["checklist"])
        yield from _block(" | ", step["body"])
        if step["rollback"]:
            yield f"   undone by: {undo.get(step['rollback'], step['rollback'])}"


def _marks(step: Step, gate: str) -> Iterator[str]:
    if step["kind"] == "approval":
        yield "this gate" if step["id"] == gate else "gate"
    if step["destructive"]:
        yield "destructive"
    if step["checkpoint"]:
        yield "checkpoint"


def _block(mark: str, text: str) -> Iterator[str]:
    yield from (f"  {mark}{line}" for line in text.rstrip().split("\n") if text.strip())


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"
