"""Which process runs what, and when: the long ones first, so that none is alone at the end."""

from collections import Counter

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

LONG = (
    *("tests/e2e/", "tests/stack/", "tests/faults/", "tests/look/", "tests/live/", "tests/client/"),
    *("tests/commands/", "tests/catalog/", "tests/runbooks/", "tests/practice/", "tests/runners/"),
    *("tests/executions/", "tests/approvals/", "tests/fuzz/", "tests/api/"),
)
TOGETHER = ("tests/e2e/",)  # files that share a system


class Scheduling(LoadFileScheduling):
    """A file stays in one process, because some start a whole system for all of their tests."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (one for one in TOGETHER if nodeid.startswith(one))
        return next(shared, super()._split_scope(nodeid))

    def remove_node(self, node: WorkerController) -> str | None:
        """The test in which a process ended is not begun again: it would end the next one, too."""
        units = self.assigned_work[node].values()
        left = [(unit, test) for unit in units for test, done in unit.items() if not done]
        for unit, test in left[:1]:
            unit[test] = True
        super().remove_node(node)
        return left[0][1] if left else None

    def _reschedule(self, node: WorkerController) -> None:
        """A process begins a test when it knows the next: one that replaces another needs two, too."""
        super()._reschedule(node)
        if self.workqueue and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def schedule(config: pytest.Config, log: object) -> Scheduling:
    config.option.loadscopereorder = False  # `order` has seen to it
    return Scheduling(config, log)


def order(items: list[pytest.Item]) -> None:
    """The folders whose tests are long, then files by the number of their tests."""
    tests = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[int, int]:
        folder = next((n for n, one in enumerate(LONG) if item.nodeid.startswith(one)), len(LONG))
        return folder, -tests[item.path]

    items.sort(key=place)
