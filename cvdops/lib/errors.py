"""The errors that people cause and can mend. Each has a stable code; its text says what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass


class UserError(Exception):
    """Something a person asked for that cannot be done. Nothing was changed."""

    code = "error"
    status = 400  # the HTTP status that says the same
    title = "That does not fit"  # what happened, in a few words


class NotFound(UserError):
    """There is no such thing, or not for this person: the two are never told apart."""

    code = "not_found"
    status = 404
    title = "Nothing here"

    def __init__(self, what: str = "page") -> None:
        super().__init__(f"There is no such {what}, or you may not see it.")


MOVED_ON = "It has moved on"  # the title of what came second


class Conflict(UserError):
    """As things stand it cannot be done; `title` says in a few words how they stand."""

    code = "conflict"
    status = 409

    def __init__(self, text: str, title: str = "It cannot be done now") -> None:
        self.title = title
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for a refusal: a stable code, the sentence, and the shortest way to get further."""

    code: str
    text: str
    remedy: str = ""


class Refused(UserError):
    """The policy says no."""

    code = "refused"
    status = 403
    title = "You may not do this"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(reason.text for reason in self.reasons))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of what was sent."""

    field: str
    message: str


class Invalid(UserError):
    """What was sent does not fit. Every problem is named, not just the first."""

    code = "invalid"
    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


class TooMany(UserError):
    """More than one person may ask for; `wait`: after how many seconds there is room again."""

    code = "too_many"
    status = 429
    title = "Too much at once"

    def __init__(self, text: str, wait: int) -> None:
        self.wait = wait
        seconds = "1 second" if wait == 1 else f"{wait} seconds"
        super().__init__(f"{text} Nothing was done. Try it again in {seconds}.")
