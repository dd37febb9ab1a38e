"""What the document says about a step that went wrong in this way."""

from cvdops.executions import output
from cvdops.executions.states import STEP_STUCK
from cvdops.lib.visible import visible
from cvdops.spec.document import Troubleshooting
from cvdops.web.advice import matching
from cvdops.web.live.scene import Row, Scene

LOOKED_AT = 8_000  # bytes of output that advice is sought for


def troubles(scene: Scene, row: Row | None, *, answers: bool) -> list[Troubleshooting]:
    """Entries of the troubleshooting section that fit, the best first; none for a step that is well.

    `answers`: for somebody who may read what came back to requests.
    """
    if row is None or row.step.state not in STEP_STUCK:
        return []
    written = ""
    if row.attempt is not None and (answers or not row.is_answer):
        size = row.attempt.output_size or output.size(row.attempt.pk)
        data = output.read(row.attempt.pk, max(0, size - LOOKED_AT))
        written = visible(data.decode(errors="replace"))
    step = row.step
    return matching(scene.troubleshooting(), f"{step.title} {step.key} {step.note} {written}")
