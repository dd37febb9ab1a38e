"""Following an execution to its end, as `ssh` would: output as it comes, and what to tell the shell."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from cvdops.client.story import Exit, Look, Output, Story
from cvdops.lib.console import Console
from cvdops.lib.visible import visible

PATIENCE = 30.0  # seconds that nobody's script waits for a person, if it does not say for how long


class Away(Exception):
    """The portal cannot be asked now; what runs goes on. The text says what is wrong."""

    code = "away"


class Source(Output, Protocol):
    """An execution that is followed. Everything may raise Away."""

    def look(self) -> Look:
        """As it stands now."""

    def wait(self) -> None:
        """Until it may have moved, a few seconds at most."""

    def cancel(self) -> str:
        """Have it cancelled. What came of it, as a sentence."""

    def how_to_go_on(self, look: Look) -> str:
        """A sentence for somebody who stops watching."""


@dataclass(slots=True)
class Following:
    """One watch over an execution. `patience`: seconds for each wait for a person; None: no limit."""

    source: Source
    console: Console
    story: Story
    patience: float | None
    _look: Look | None = None
    _since: float | None = None  # when it began to wait for somebody
    _away: str = ""

    def run(self) -> tuple[Exit, Look | None]:
        """Follow it until it is over, or waits for somebody for too long, or the person has enough."""
        while True:
            try:
                code = self._turn()
            except KeyboardInterrupt:
                code = self._interrupted()
            if code is not None:
                return code, self._look

    def _turn(self) -> Exit | None:
        with self._patient():
            self._look = look = self.source.look()
            self.story.go_on(look, self.source)
            self._back()
            if (code := self._verdict(look)) is not None:
                self.story.end(look)
                if not look.over:
                    self.console.tell(self.source.how_to_go_on(look))
                return code
            self.source.wait()
        return None

    def _back(self) -> None:
        if self._away:
            self.console.tell("The portal answers again: it is followed from where it was.")
        self._away = ""

    @contextmanager
    def _patient(self) -> Iterator[None]:
        """A portal that is away is asked again for as long as somebody watches: the steps go on."""
        try:
            yield
        except Away as error:
            if not self._away:
                self.console.tell(f"{error} What runs goes on; the portal is asked again.")
            self._away = str(error)
            time.sleep(1)

    def _verdict(self, look: Look) -> Exit | None:
        """What to end with; None: go on."""
        if look.over:
            return Exit.SUCCEEDED if look.state == "succeeded" else Exit.FAILED
        if look.stuck:
            return Exit.FAILED
        if not look.for_somebody:
            self._since = None
            return None
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        waited = self.patience is not None and now >= self._since + self.patience
        return Exit.WAITING if waited else None

    def _interrupted(self) -> Exit | None:
        """Ctrl-C: the person is asked, who may have meant the execution or only the watching."""
        try:
            if not self.console.attended:
                return self._stop()
            self.console.tell("")
            answer = self._answer()
            if answer in {"c", "cancel"}:
                self.console.tell(self.source.cancel())
            return self._stop() if answer in {"s", "stop"} else None
        except KeyboardInterrupt:
            return self._stop()
        except Away as error:
            self.console.tell(f"{error} It was not cancelled.")
            return None

    def _answer(self) -> str:
        """What the person wants: asked again until it is one of these."""
        while True:
            answer = self.console.ask(
                "Cancel the execution, stop watching it, or go on watching? [c/s/Enter]"
            )
            if answer in {"c", "cancel", "s", "stop", ""}:
                return answer
            self.console.tell(f"“{visible(answer)}” is none of these.")

    def _stop(self) -> Exit:
        self.console.tell("No longer watched. The execution goes on.")
        if self._look:
            self.console.tell(self.source.how_to_go_on(self._look))
        return Exit.STOPPED


def patience(wait: float | None, *, follow: bool, attended: bool) -> float | None:
    """Seconds to wait for a person: as was said, else none without `follow`, no limit for who sits there."""
    if wait is not None:
        return wait
    if not follow:
        return 0.0
    return None if attended else PATIENCE
