"""Watching an execution: what a person answers, and a portal that is away for a while."""

from dataclasses import dataclass, field
from io import StringIO

from cvdops.client.following import Away, Following
from cvdops.client.story import Exit, Look, Step, Story
from cvdops.lib.console import Console
from tests.client.test_story import LOOK


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Source:
    """What is found at each look, one after the other; an error is raised."""

    looks: list[Look | BaseException]
    done: list[str] = field(default_factory=list)

    def look(self) -> Look:
        found = self.looks.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    def output(self, _step: Step, _offset: int) -> bytes:
        return b""

    def wait(self) -> None:
        pass

    def cancel(self) -> str:
        self.done.append("cancelled")
        return "It is being cancelled."

    def how_to_go_on(self, _look: Look) -> str:
        return "Go on."


def follow(answers: str, *looks: Look | BaseException) -> tuple[Exit, str, list[str]]:
    """What it ends with, what it tells, and what was done."""
    err = Terminal()
    console, source = Console(StringIO(), err, Terminal(answers)), Source(list(looks))
    code, _look = Following(source, console, Story(console), None).run()
    return code, err.getvalue(), source.done


def over(state: str) -> Look:
    return Look(
        LOOK.id, 7, LOOK.url, LOOK.title, LOOK.environment, state, "", ("", ""), (), ()
    )  # fmt: skip


def test_an_answer_that_is_none_is_asked_for_again() -> None:
    code, said, done = follow("xyz\nstay\ns\n", LOOK, KeyboardInterrupt())
    assert (code, done) == (Exit.STOPPED, [])
    assert "“xyz” is none of these." in said and said.count("[c/s/Enter]") == 3


def test_c_cancels_and_it_is_followed_to_its_end() -> None:
    code, _said, done = follow("c\n", LOOK, KeyboardInterrupt(), over("cancelled"))
    assert (code, done) == (Exit.FAILED, ["cancelled"])


def test_a_portal_that_was_away_is_said_to_be_back_once() -> None:
    away = Away("The portal cannot be reached.")
    code, said, _done = follow("", LOOK, away, LOOK, over("succeeded"))
    assert code == Exit.SUCCEEDED
    assert said.count("is asked again.") == said.count("The portal answers again") == 1
