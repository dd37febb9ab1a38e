"""The parsed runbook as the JSON of `manage.py parse`, whose names stay put."""

from cvdops.spec.document import Attributes, Diagnostic, Gate, Runbook, Step, Variable


def to_json(runbook: Runbook) -> dict[str, object]:
    """Attributes have the names they have in a fence; durations are seconds."""
    return {
        "title": runbook.title,
        "metadata": dict(runbook.metadata),
        "sections": [
            {"heading": s.heading, "kind": s.kind.value, "line": s.line} for s in runbook.sections
        ],
        "procedures": [
            {"key": p.key, "title": p.title, "steps": list(p.steps)} for p in runbook.procedures
        ],
        "steps": [_step(step) for step in runbook.steps],
        "variables": [_variable(variable) for variable in runbook.variables],
        "troubleshooting": [
            {"title": t.title, "symptoms": t.symptoms, "resolution": t.resolution, "line": t.line}
            for t in runbook.troubleshooting
        ],
        "diagnostics": [diagnostic_json(d) for d in runbook.diagnostics],
    }


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "line": diagnostic.line,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
    }


def _step(step: Step) -> dict[str, object]:
    values: dict[str, object] = {
        "id": step.id,
        "title": step.title,
        "kind": step.kind.value,
        "section": step.section.value,
        "line": step.line,
        "language": step.language,
        "body": step.body,
        "attributes": _attributes(step),
        "samples": [{"text": s.text, "line": s.line} for s in step.samples],
        "checklist": [{"text": i.text, "line": i.line} for i in step.checklist],
    }
    if step.gate:
        values["gate"] = _gate(step.gate)
    if step.child:
        child = step.child
        values["child"] = {
            "runbook": child.runbook,
            "procedure": child.procedure,
            "variables": dict(child.variables),
        }
    return values


def _gate(gate: Gate) -> dict[str, object]:
    return {
        "approvers": list(gate.approvers),
        "required": gate.required,
        "expires": gate.expires,
        "message": gate.message,
    }


def _attributes(step: Step) -> dict[str, object]:
    """Those that the block states."""
    values = attributes_json(step.attributes)
    return {name: values[name] for name in step.written if name in values}


def attributes_json(attributes: Attributes) -> dict[str, object]:
    return {
        "timeout": attributes.timeout,
        "target": attributes.target,
        "batch": attributes.batch,
        "checkpoint": attributes.checkpoint,
        "destructive": attributes.destructive,
        "rollback": attributes.rollback,
        "idempotent": attributes.idempotent,
        "retry": attributes.retry,
        "backoff": attributes.backoff,
        "on-failure": attributes.on_failure.value,
        "expect": attributes.expect.value if attributes.expect else None,
        "exit": list(attributes.exit_codes),
        "when": attributes.when,
        "capture": attributes.capture,
        "lock": attributes.lock,
        "database": attributes.database,
        "expect-status": list(attributes.expect_status),
    }


def _variable(variable: Variable) -> dict[str, object]:
    return {
        "name": variable.name,
        "type": variable.type.value,
        "description": variable.description,
        "default": variable.default,
        "required": variable.required,
        "pattern": variable.pattern,
        "minimum": variable.minimum,
        "maximum": variable.maximum,
        "choices": list(variable.choices),
        "secret": variable.secret,
        "procedures": list(variable.procedures),
    }
