"""Where the pages are that notices and commands point to.

Written here and not asked of Django: a worker or a command that asks for one address would load all pages
and the API, 20 MB and seconds that it never needs. A test holds them to the pages' own.
"""

from uuid import UUID


def execution(pk: UUID) -> str:
    return f"/executions/{pk}/"


def approval(pk: UUID) -> str:
    return f"/approvals/{pk}/"


def change(pk: UUID) -> str:
    return f"/permissions/changes/{pk}/"


def holds() -> str:
    return "/holds/"


def certified(username: str) -> str:
    return f"/permissions/certification/{username}/"


def launch(runbook: str) -> str:
    return f"/runbooks/{runbook}/run/"
