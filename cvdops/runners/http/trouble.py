"""How a request can go wrong, told apart by whether the other side may have acted on it."""

from typing import Protocol


class NotSent(Exception):
    """Nothing of the request left this machine. The text says why and what to do."""


class Broken(Exception):
    """The request was sent, and no answer came that can be believed."""


class Wait(Protocol):
    """How one waits for a descriptor here: whoever called decides for how long, and may give up."""

    def __call__(self, descriptor: int, events: int, seconds: float | None = None) -> bool:
        """Whether it is ready for these events of `poll`; False after so many seconds.

        Raises whatever the caller of the request wants to hear of.
        """
