"""What several runbooks say about each other: children that exist, and no circle of them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from cvdops.spec.codes import diagnostic
from cvdops.spec.document import Diagnostic, Procedure, Runbook, Step
from cvdops.spec.plan import Plans
from cvdops.spec.slugs import quote
from cvdops.spec.values import variables_of

Node = tuple[str, str]  # a runbook's id and the key of one of its procedures
Found = Mapping[str, tuple[Diagnostic, ...]]  # by the runbook's id


def cycles(documents: Mapping[str, Runbook]) -> Found:
    """A diagnostic on each child step that leads back to the procedure it belongs to.

    `documents` by their ids. Children that are not among them are passed over.
    """
    calls = _calls(documents)
    components = _components({node: [to for _, to in steps] for node, steps in calls.items()})
    found: dict[str, dict[str, Diagnostic]] = defaultdict(dict)
    for node, steps in calls.items():
        for step, to in steps:
            if components[node] == components[to]:
                found[node[0]][step.id] = _cycle(step, node, to)
    return {runbook: tuple(steps.values()) for runbook, steps in found.items()}


def _cycle(step: Step, node: Node, to: Node) -> Diagnostic:
    back = "itself" if to == node else f"{to[0]}/{to[1]}, which leads back to it"
    return diagnostic(
        "RB214",
        step.line,
        f"The step {quote(step.id)} of {node[0]}/{node[1]} starts {back}: it would never end.",
        "Remove one of the child runbooks of this circle.",
    )


def missing(documents: Mapping[str, Runbook], *, complete: bool = True) -> Found:
    """A diagnostic on each child step that names no runbook of these, no procedure or no variable of it.

    Not `complete`: a runbook that is not among these may be elsewhere.
    """
    found: dict[str, tuple[Diagnostic, ...]] = {}
    for key, runbook in documents.items():
        wrong = [
            diagnostic("RB215", step.line, why, hint)
            for step in runbook.steps
            if step.child and (complete or step.child.runbook in documents)
            for why, hint in _why_not(step, documents)
        ]
        if wrong:
            found[key] = tuple(wrong)
    return found


def _why_not(step: Step, documents: Mapping[str, Runbook]) -> Iterator[tuple[str, str]]:
    child = step.child
    if child is None or not child.runbook:
        return
    runbook = documents.get(child.runbook)
    if runbook is None:
        known = ", ".join(sorted(documents))[:400]
        yield f"There is no runbook {quote(child.runbook)}.", f"There are: {known}."
        return
    procedure = _procedure(runbook, child.procedure)
    if procedure is None:
        keys = ", ".join(p.key for p in runbook.procedures)[:400] or "none"
        what = quote(child.procedure) if child.procedure else "that is chosen when none is named"
        yield f"{child.runbook} has no procedure {what}.", f"It has: {keys}."
        return
    names = {v.name for v in variables_of(runbook, procedure.key)}
    for name in child.variables.keys() - names:
        known = ", ".join(sorted(names)) or "none"
        yield f"{child.runbook} takes no variable {name}.", f"It takes: {known}."


def _procedure(runbook: Runbook, key: str) -> Procedure | None:
    """The one with the key; without a key the only one there is."""
    if not key:
        return runbook.procedures[0] if len(runbook.procedures) == 1 else None
    return next((p for p in runbook.procedures if p.key == key), None)


def _calls(documents: Mapping[str, Runbook]) -> dict[Node, list[tuple[Step, Node]]]:
    """The child steps of each procedure, with what they start."""
    calls: dict[Node, list[tuple[Step, Node]]] = {}
    for key, runbook in documents.items():
        plans = Plans(runbook)
        for procedure in runbook.procedures:
            steps = plans.steps(procedure)
            calls[key, procedure.key] = [
                (s, to) for s in steps if (to := _target(s, documents)) is not None
            ]
    return calls


def _target(step: Step, documents: Mapping[str, Runbook]) -> Node | None:
    runbook = documents.get(step.child.runbook) if step.child else None
    if step.child is None or runbook is None:
        return None
    procedure = _procedure(runbook, step.child.procedure)
    return (step.child.runbook, procedure.key) if procedure else None


def _components(graph: Mapping[Node, list[Node]]) -> dict[Node, Node]:
    """Each node with one that stands for all those in a circle with it (Kosaraju's two walks)."""
    back: dict[Node, list[Node]] = {node: [] for node in graph}
    for node, targets in graph.items():
        for target in targets:
            back[target].append(node)
    order = [node for root in _walks(graph, list(graph)) for node in root]
    return {node: walk[-1] for walk in _walks(back, order[::-1]) for node in walk}


def _walks(graph: Mapping[Node, list[Node]], roots: list[Node]) -> Iterator[list[Node]]:
    """For each root not seen before: what can be reached from it, each node after what it leads to."""
    seen: set[Node] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        walk: list[Node] = []
        path = [(root, iter(graph[root]))]
        while path:
            node, targets = path[-1]
            target = next((t for t in targets if t not in seen), None)
            if target is None:
                walk.append(node)
                path.pop()
            else:
                seen.add(target)
                path.append((target, iter(graph[target])))
        yield walk
