"""What every transport does alike. A transport's tests inherit these and give its `transport`."""

from collections.abc import Iterator

import pytest

from cvdops.runners.job import Transport
from tests.runners.bench import Bench
from tests.runners.conformance.kinds import PythonSteps, SqlSteps
from tests.runners.conformance.lifecycle import Attaching, Claiming, Cleaning, Stopping, Waiting
from tests.runners.conformance.running import Running, Strictness, Surroundings
from tests.runners.conformance.session import SessionCarried
from tests.runners.conformance.values import ValuesStayValues


class Conformance(
    Running,
    Strictness,
    Surroundings,
    SessionCarried,
    ValuesStayValues,
    PythonSteps,
    SqlSteps,
    Claiming,
    Attaching,
    Waiting,
    Stopping,
    Cleaning,
):
    """All of them. The subclass gives the fixtures `transport` and `launcher`, the text of a Python
    program that makes the same transport under this name."""

    @pytest.fixture
    def bench(self, transport: Transport) -> Iterator[Bench]:
        bench = Bench(transport)
        yield bench
        bench.end()
