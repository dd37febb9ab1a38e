"""What an execution proves: who, what, which version, who agreed, what happened, and digests of all output."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.catalog import VersionItem, version_item
from cvdops.api.execution import ExecutionDetail, detail
from cvdops.catalog.models import VersionReview
from cvdops.executions.models import Participant, StepAttempt
from cvdops.executions.queries import get_outline, matter, plan_of
from cvdops.live import timeline
from cvdops.live.answers import WITHHELD, kept_answers, reads_answers

router = Router(tags=["executions"])


class Took(Schema):
    """Somebody who took part; `left_at` is null for who does still."""

    user: str
    part: str
    joined_at: datetime
    left_at: datetime | None

    @classmethod
    def of(cls, one: Participant) -> "Took":
        user = one.user.username
        return cls(user=user, part=one.part, joined_at=one.joined_at, left_at=one.left_at)


class Acted(Schema):
    """Somebody who did something to it."""

    user: str
    did: list[str]


class Attempt(Schema):
    """A try of a step. `output_digest` is the SHA-256 of the bytes of its output, in hex."""

    step: str
    host: str
    phase: str
    attempt: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    exit_code: int | None
    output_size: int
    output_digest: str

    @classmethod
    def of(cls, one: StepAttempt) -> "Attempt":
        return cls(
            step=one.step.key,
            host=one.step.host,
            phase=one.step.phase,
            attempt=one.number,
            state=one.state,
            started_at=one.sent_at,
            finished_at=one.finished_at,
            exit_code=one.exit_code,
            output_size=one.output_size,
            output_digest=one.output_digest,
        )


class Happened(Schema):
    """A line of the timeline, as people read it."""

    at: datetime
    text: str
    comment: str

    @classmethod
    def of(cls, entry: timeline.Entry) -> "Happened":
        return cls(at=entry.at, text=entry.text, comment=entry.comment)


class Proven(VersionItem):
    """The version that ran. `content_hash` is the SHA-256 of the document, in hex."""

    content_hash: str


class Evidence(Schema):
    """All of it, as it stood at that moment. `cut`: the timeline is longer than what is here."""

    at: datetime
    execution: ExecutionDetail
    version: Proven
    people: list[Took]
    acted: list[Acted]
    attempts: list[Attempt]
    timeline: list[Happened]
    cut: bool


@router.get(
    "/executions/{execution_id}/evidence", response=Evidence, url_name="api-execution-evidence"
)
@requires(Action.READ_EXECUTION)
def evidence(request: HttpRequest, execution_id: str) -> Evidence:
    """What it proves, in one answer: as the page of evidence has it."""
    user = person(request)
    found = get_outline(user, execution_id)
    shown = detail(user, found.pk)
    if not reads_answers(user, matter(found)):
        hidden = kept_answers(plan_of(found.pk)) & shown.variables.keys()
        shown.variables |= dict.fromkeys(hidden, WITHHELD)
    reviews = VersionReview.objects.filter(version=found.version_id).select_related("reviewer")
    people = list(Participant.objects.filter(execution=found).select_related("user"))
    tries = StepAttempt.objects.filter(step__execution=found).select_related("step")
    events = list(timeline.every(found.pk))
    return Evidence(
        at=timezone.now(),
        execution=shown,
        version=Proven(
            **version_item(found.version, reviews).model_dump(),
            content_hash=found.version.content_hash,
        ),
        people=[Took.of(one) for one in people],
        acted=[
            Acted(user=one.user.username, did=list(one.did))
            for one in timeline.people(people, events)
            if one.did
        ],
        attempts=[
            Attempt.of(one)
            for one in tries.order_by("step__phase", "step__position", "step__lane", "number")
        ],
        timeline=[Happened.of(entry) for entry in timeline.lines(events)],
        cut=len(events) == timeline.EVIDENCE,
    )
