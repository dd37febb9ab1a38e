"""What is shown of a step's values before it runs."""

import pytest

from cvdops.executions.inputs import inputs
from cvdops.executions.plan import Database
from cvdops.spec.document import Attributes, Kind, SectionKind, Step

VALUES = {"A": "1", "B": "", "SECRET": "•••"}
DATABASES = {"cvd": Database("sqlite", "/data/cvd.db")}


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        (Kind.BASH, 'echo "${B}" $A "$NOBODY" :SECRET', [("B", ""), ("A", "1")]),
        (Kind.PYTHON, "os.environ['A'], os.getenv(\"SECRET\")", [("A", "1"), ("SECRET", "•••")]),
        (Kind.SQL, "SELECT :A, ':B', $SECRET", [("database", "cvd /data/cvd.db"), ("A", "1")]),
    ],
)
def test_the_values_that_it_names(kind: Kind, body: str, shown: list[tuple[str, str]]) -> None:
    attributes = Attributes(database="cvd" if kind is Kind.SQL else "")
    place = {"section": SectionKind.PROCEDURES, "line": 1, "attributes": attributes}
    step = Step(id="a", title="", kind=kind, body=body, **place)
    found = inputs(step, VALUES, DATABASES, ())
    assert [(one.name, one.value) for one in found] == shown
