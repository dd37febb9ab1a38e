"""What is wrong with the installation, for administrators: the last look of `doctor` on each machine."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.doctor import kept
from cvdops.doctor.finding import State

router = Router(tags=["installation"])


class FindingShape(Schema):
    """`means`: what follows from it; `mend`: what to do. Both are empty if it is `ok`."""

    name: str
    state: State
    found: str
    means: str
    mend: str


class Machine(Schema):
    """`looked_at`: when the findings were made; `under_way`: it is being looked at now."""

    machine: str
    under_way: bool
    looked_at: datetime | None
    findings: list[FindingShape]


class Machines(Schema):
    items: list[Machine]
    next_cursor: str


@router.get("/installation", response=Machines, url_name="api-installation")
@requires(Action.EXAMINE)
def machines(request: HttpRequest) -> Machines:
    """What the last look found on each machine, all on one page. It never looks itself."""
    return _found()


@router.post("/installation/look", response={202: Machines}, url_name="api-look")
@requires(Action.EXAMINE, "POST")
def look(request: HttpRequest) -> Status[Any]:
    """Have the machine that answers looked at. It takes a while: ask for what was found until it is there."""
    kept.ask(person(request))
    return Status(202, _found())


def _found() -> Machines:
    items = [
        Machine(
            machine=one.machine,
            under_way=now,
            looked_at=one.done_at,
            findings=one.findings,
        )
        for one, now in kept.examinations()
    ]
    return Machines(items=items, next_cursor="")
