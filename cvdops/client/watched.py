"""An execution of a remote portal as it is followed: read by the API, told of by its events."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cvdops.client.events import Listener
from cvdops.client.story import Gate, Look, Step
from cvdops.client.wire import Portal, Told

APART = 0.3  # seconds between two looks, however many events come
PIECE = 256 << 10  # bytes of output that are read at once
LONGEST = 5.0  # seconds after which it is looked at even if no event came


@dataclass(slots=True)
class Watched:
    """One execution. Events only say that it has moved: what is told is always read."""

    portal: Portal
    execution: str
    _listener: Listener = field(init=False)
    _looked: float = 0.0
    _refused: set[tuple[str, str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._listener = Listener(self.portal, self.execution)

    def look(self) -> Look:
        self._looked = time.monotonic()
        self._listener.moved.clear()
        found = self.portal.get("executions", self.execution)
        self._listener.start(found["position"])
        return look(found, self.portal)

    def output(self, step: Step, offset: int) -> bytes:
        asked = (step.id, step.host, step.attempt)
        if asked in self._refused:  # once: each refusal stands in the audit log
            return b""
        try:
            path = ("executions", self.execution, "steps", step.id, "output")
            answer = self.portal.fetch(
                *path, most=PIECE, offset=offset, attempt=step.attempt, host=step.host
            )
            return answer.data
        except Told as error:
            if error.status == 403:
                self._refused.add(asked)
                return f"{error}\n".encode()
            if error.status in {404, 410}:  # it has written nothing, or that is gone
                return b""
            raise

    def wait(self) -> None:
        self._listener.moved.wait(LONGEST)
        time.sleep(max(0.0, self._looked + APART - time.monotonic()))

    def stop(self) -> None:
        """Listen no more."""
        self._listener.stop()

    def cancel(self) -> str:
        body = {"comment": "Cancelled at the command line."}
        try:
            self.portal.post("executions", self.execution, "cancel", body=body)
        except Told as error:
            return f"It was not cancelled: {error}"
        return "It is being cancelled."

    def how_to_go_on(self, look: Look) -> str:
        return f"Its page: {look.url}\nGo on watching: cvdops watch {look.number}"


def look(found: Mapping[str, Any], portal: Portal) -> Look:
    """An execution of the API as it is told."""
    waits = found.get("waiting_for") or {}
    if found["state"] == "paused" and not waits:
        waits = {"code": "paused", "text": "somebody resumes it"}
    return Look(
        id=found["id"],
        number=found["number"],
        url=portal.page(found["url"]),
        title=found["runbook"],
        environment=found["environment"],
        state=found["state"],
        outcome=found["outcome"],
        wait=(waits.get("code", ""), waits_for(waits)),
        gates=tuple(_gate(one) for one in found["approvals"] if one["state"] == "open"),
        steps=tuple(
            Step(
                s["id"], s["title"], s["host"], s["state"], s["attempt"], s["exit_code"], s["kind"]
            )
            for s in found["steps"]
        ),
    )


def waits_for(waits: Mapping[str, Any]) -> str:
    """What it waits for, as a sentence; of locks with who holds them, as far as one may see that."""
    holders = "; ".join(
        f"{lock['name']} is held by #{lock['number']} {lock['runbook']} since {lock['since']}"
        for lock in waits.get("locks", ())
        if lock["execution"]
    )
    return ". ".join(filter(None, [waits.get("text", ""), holders]))


def _gate(found: Mapping[str, Any]) -> Gate:
    groups = (
        f"{group['missing']} more of {' or '.join(group['approvers'])}"
        for group in found["groups"]
        if group["missing"]
    )
    return Gate(found["id"], found["title"], (*groups, f"cvdops approve {found['id']}"))
