"""Processes that read documents: kept for the next sync, because to start one takes longer than a test."""

from types import TracebackType

from cvdops.catalog.confined import Reader

_idle: list[Reader] = []


class Kept(Reader):
    """A reader that goes on with the process of one that is done. Each thread has its own."""

    def __init__(self) -> None:
        super().__init__()
        if _idle:
            self._process = _idle.pop()._process

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            _idle.append(self)
        else:
            super().__exit__(kind, error, trace)


def end() -> None:
    """All that are kept."""
    while _idle:
        _idle.pop()._end()
