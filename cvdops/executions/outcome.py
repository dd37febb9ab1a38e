"""How an attempt ended, judged from values alone. Pure."""

from dataclasses import dataclass

from cvdops.executions.states import StepEvent
from cvdops.spec.document import Expect, Step
from cvdops.spec.samples import compare

MAX_DETAIL = 2_000
CUT = 128 + 13  # SIGPIPE
DIFFERS = "differs"  # the verdict on output that is not what the document promises


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the step, in words, and what its sample says."""

    event: StepEvent
    note: str = ""
    exit_code: int | None = None
    sample: str = ""
    sample_detail: str = ""


def judge(step: Step, exit_code: int, output: str) -> Outcome:
    """The outcome of an attempt that ran to its end. `output` is the text that was stored."""
    note = ""
    if exit_code not in step.attributes.exit_codes:
        note = f"It ended with exit code {exit_code}."
        if exit_code > 128:
            note = f"It ended with exit code {exit_code} (killed by signal {exit_code - 128})."
        if exit_code == CUT:
            note += " Somebody stopped reading what it wrote: is the disk of its host full?"
    return _judge(step, note, output, exit_code)


def judge_answer(step: Step, status: int, head: str, body: str) -> Outcome:
    """The outcome of a request that was answered. A sample that begins with HTTP/ is of all of it."""
    wanted = step.attributes.expect_status
    note = ""
    if status not in (wanted or range(200, 300)):
        expected = ", ".join(map(str, wanted)) or "200 to 299"
        note = f"It was answered with {status}; expected was {expected}."
        if 300 <= status < 400:
            note += " Redirects are not followed: name the right address in the step."
    whole = any(sample.text.lstrip().startswith("HTTP/") for sample in step.samples)
    return _judge(step, note, f"{head}\n{body}" if whole else body)


def _judge(step: Step, wrong: str, output: str, exit_code: int | None = None) -> Outcome:
    """`wrong`: why it failed whatever it printed; empty for nothing."""
    sample, detail = check_samples(step, output)
    if not wrong and sample == DIFFERS and (step.attributes.checkpoint or step.attributes.expect):
        wrong = "Its output is not what the document expects."
    event = StepEvent.FAIL if wrong else StepEvent.SUCCEED
    return Outcome(event, wrong, exit_code, sample, detail)


def check_samples(step: Step, output: str) -> tuple[str, str]:
    """The worst verdict over all samples of the step, and where the output differs."""
    expect = step.attributes.expect or (Expect.CONTAINS if step.attributes.checkpoint else None)
    results = [compare(sample.text, output, expect) for sample in step.samples]
    for verdict in (DIFFERS, "kept", "not_comparable"):
        for result in results:
            if result.verdict == verdict:
                return verdict, result.detail[:MAX_DETAIL]
    return "", ""


def backoff(step: Step, tries: int, jitter: float) -> float:
    """Seconds before the next try: doubled each time, capped at five minutes. `jitter` in 0..1."""
    seconds = min(step.attributes.backoff * 2.0 ** max(tries - 1, 0), 300.0)
    return seconds * (0.75 + 0.5 * jitter)


def may_retry(step: Step, event: StepEvent, tries: int) -> bool:
    """Whether the document asks for another try after this outcome."""
    return event in {StepEvent.FAIL, StepEvent.TIME_OUT} and tries <= step.attributes.retry
