"""Fields of runbooks and their versions."""

from collections.abc import Mapping

RUNBOOKS: Mapping[str, str] = {
    "FileShape.action": "`added`, `updated`, `unchanged`, `removed`, `broken`, `refused` …",
    "asked": "The user names of those who were asked.",
    "choices": "The only values that it may have; none: any of its type.",
    "current": "The newest version that can be executed; null: there is none.",
    "files": "Each file of the source, and what became of it.",
    "group": "The group of runbooks that it belongs to.",
    "hint": "How to mend it.",
    "Linted.id": "The id that the runbook would have.",
    "RunbookStep.id": "The step's id in the document.",
    "ProcedureShape.key": "By which a start names it.",
    "message": "What there is to say of it.",
    "Document.name": "The name of its file, from which its id follows where the document has none.",
    "newest": "The newest version, also one that cannot be executed; null: there is none.",
    "path": "The file in the source.",
    "procedures": "The keys of the procedures.",
    "RunbookDetail.procedures": "What of the runbook can be started on its own.",
    "VariableShape.procedures": "The procedures that need it; none: all.",
    "removed_at": "Since when it is no longer in the source; null: it is.",
    "VariableShape.required": "Whether a start has to give it.",
    "reviewed_at": "When they found it right.",
    "reviewer": "Who has read this version and found it right.",
    "FileShape.runbook": "The id of the runbook in it; empty: none was found.",
    "severity": "`error`: it cannot be executed; `warning`; `info`.",
    "ProcedureShape.steps": "The ids of its steps, in their order.",
    "Document.text": "The runbook, as Markdown.",
    "type": "`string`, `integer`, `boolean`, `choice`, `path`, `url` or `version`.",
    "RunbookDetail.variables": "What a start may give, or has to.",
}
