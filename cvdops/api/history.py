"""The history: what is looked for in it, filters kept under a name, files of it, and two of it compared."""

from datetime import date, datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Day, Flag, Moment, Text
from cvdops.api.execution import ExecutionItem, items
from cvdops.api.files import FILE, Format
from cvdops.executions import filters, history, records
from cvdops.executions.models import SavedFilter, StepRun
from cvdops.executions.queries import named
from cvdops.executions.states import ExecutionState
from cvdops.lib.errors import Invalid, Problem
from cvdops.lib.exports import export
from cvdops.lib.moments import midnight, rfc3339
from cvdops.live import comparison

router = Router(tags=["executions"])


class Filters(Asked):
    """`q`: the number, words of the reason, a part of the title; `output`: words that a step wrote.

    Each of these words stands in the output as it is given, with its signs, in any case and order;
    `"two words"` in double quotes in a row. Nothing else has a meaning: `-1` is found as `-1`.
    `variable` is a name, with `value` what it had; `emergency=true`: emergencies alone.
    """

    runbook: Text = ""
    procedure: Text = ""
    environment: Text = ""
    state: ExecutionState | None = None
    requested_by: Text = ""
    host: Text = ""
    since: Moment | None = None
    until: Moment | None = None
    q: Text = ""
    output: Text = ""
    variable: Text = ""
    value: Text = ""
    emergency: bool = False

    def wanted(self) -> history.Wanted:
        """What is looked for. Raises Invalid."""
        _check_value(self.variable, self.value)
        given = {name: getattr(self, name) for name in Filters.model_fields}
        given["person"], given["state"] = given.pop("requested_by"), self.state or ""
        return history.Wanted(**given)

    def asked(self) -> str:
        """The same as the end of an address."""
        given = {name: getattr(self, name) for name in Filters.model_fields}
        said = {n: rfc3339(v) if isinstance(v, datetime) else v for n, v in given.items() if v}
        return urlencode({n: "true" if v is True else v for n, v in said.items()})


class Kept(Schema):
    """A filter of the history that you keep. `query` is what `GET executions` takes."""

    id: int
    name: str
    url: str
    query: str

    @classmethod
    def of(cls, found: SavedFilter) -> "Kept":
        url = f"{reverse('executions')}?{found.query}"
        return cls(id=found.pk, name=found.name, url=url, query=urlencode(_parameters(found.query)))


class AllKept(Schema):
    items: list[Kept]
    next_cursor: str


_Words = Annotated[Text, Field(max_length=200)]
_Name = Annotated[Text, Field(max_length=120)]


class Keeping(Asked):
    """A filter as the page of the history has it: by whole days in UTC. Another one of this name gives way."""

    name: Annotated[Text, Field(min_length=1, max_length=60)]
    q: _Words = ""
    output: _Words = ""
    runbook: _Name = ""
    environment: _Name = ""
    state: ExecutionState | None = None
    requested_by: Annotated[Text, Field(max_length=80)] = ""
    since: Day | None = None
    until: Day | None = None
    procedure: _Name = ""
    host: Annotated[Text, Field(max_length=63)] = ""
    variable: Annotated[Text, Field(max_length=80)] = ""
    value: Annotated[Text, Field(max_length=1000)] = ""
    emergency: Flag = False

    def query(self) -> str:
        """As in the address of the page. Raises Invalid."""
        _check_value(self.variable, self.value)
        given = {name: getattr(self, name) for name in Keeping.model_fields if name != "name"}
        given["person"], given["emergency"] = given.pop("requested_by"), "yes" * self.emergency
        return urlencode({name: value for name, value in given.items() if value})


class Side(Schema):
    """A step in one of the two. `seconds` is what it took; null: it did not end."""

    state: str
    attempt: int
    seconds: float | None


class OutputDifference(Schema):
    """How the two outputs compare. Where they differ: the number of the first such line, and it in both."""

    text: str
    differs: bool
    line: int | None
    first: str | None
    second: str | None


class StepPair(Schema):
    """The same step of both; null where one does not have it."""

    id: str
    title: str
    host: str
    phase: str
    differs: bool
    first: Side | None
    second: Side | None
    output: OutputDifference | None


class ValuePair(Schema):
    """A variable in both; null where one does not have it."""

    name: str
    differs: bool
    first: str | None
    second: str | None


class Comparison(Schema):
    """Two executions side by side. Outputs are compared without times and ids, which are others each time."""

    first: ExecutionItem
    second: ExecutionItem
    variables: list[ValuePair]
    steps: list[StepPair]


class Two(Asked):
    """The ids or numbers of the two."""

    first: Annotated[Text, Field(min_length=1, max_length=40)]
    second: Annotated[Text, Field(min_length=1, max_length=40)]


@router.get("/executions/export/{file_kind}", url_name="api-executions-export", openapi_extra=FILE)
@requires(Action.USE_PORTAL)
def file(request: HttpRequest, file_kind: Format, wanted: Query[Filters]) -> HttpResponseBase:
    """All executions that fit, oldest first, as a file of any length. The audit log keeps who took it."""
    read = records.executions(person(request), wanted.wanted(), file_kind, wanted.asked())
    return export(f"executions-{timezone.now():%Y-%m-%d}", file_kind, records.EXECUTION, read)


@router.get("/executions/filters", response=AllKept, url_name="api-filters")
@requires(Action.USE_PORTAL)
def kept(request: HttpRequest) -> AllKept:
    """The filters that you keep, by their names."""
    found = SavedFilter.objects.filter(user=person(request))
    return AllKept(items=[Kept.of(one) for one in found], next_cursor="")


@router.post("/executions/filters", response={201: Kept}, url_name="api-filters")
@requires(Action.USE_PORTAL, "POST")
def keep(request: HttpRequest, said: Keeping) -> Status[Kept]:
    """Keep a filter under a name, for you alone."""
    return Status(201, Kept.of(filters.save(person(request), said.name, said.query())))


@router.post(
    "/executions/filters/{int:filter_id}/remove", response={204: None}, url_name="api-filter-remove"
)
@requires(Action.USE_PORTAL, "POST")
def forget(request: HttpRequest, filter_id: int) -> Status[None]:
    """Keep one of them no longer."""
    filters.remove(person(request), filter_id)
    return Status(204, None)


@router.get("/executions/compare", response=Comparison, url_name="api-compare")
@requires(Action.USE_PORTAL)
def compare(request: HttpRequest, wanted: Query[Two]) -> Comparison:
    """What differs between two executions: variables, steps, and the first line of each output."""
    user = person(request)
    one, two = named(user, wanted.first), named(user, wanted.second)
    found = comparison.compare(user, one, two)
    first, second = items([one, two])
    return Comparison(
        first=first,
        second=second,
        variables=[
            ValuePair(name=v.name, differs=v.differs, first=v.first, second=v.second)
            for v in found.variables
        ],
        steps=[_pair(pair) for pair in found.pairs],
    )


def _pair(pair: comparison.Pair) -> StepPair:
    step, seconds = pair.step, pair.seconds
    return StepPair(
        id=step.key,
        title=step.title,
        host=step.host,
        phase=step.phase,
        differs=pair.differs,
        first=_side(pair.first, seconds[0]),
        second=_side(pair.second, seconds[1]),
        output=_difference(pair.output),
    )


def _side(step: StepRun | None, seconds: float | None) -> Side | None:
    return Side(state=step.state, attempt=step.attempt_count, seconds=seconds) if step else None


def _difference(found: comparison.Difference | None) -> OutputDifference | None:
    if found is None:
        return None
    return OutputDifference(
        text=found.text,
        differs=found.differs,
        line=found.number or None,
        first=found.first,
        second=found.second,
    )


def _check_value(variable: str, value: str) -> None:
    """Raises Invalid for the value of no variable."""
    if value and not variable:
        raise Invalid([Problem("value", "Name the variable, too.")])


def _parameters(query: str) -> dict[str, str]:
    """Those of the address of the page, as the API names them: days become moments."""
    given = dict(parse_qsl(query))
    for name, shift in (("since", 0), ("until", 1)):
        if day := given.get(name):
            given[name] = rfc3339(midnight(date.fromisoformat(day), shift))
    if "person" in given:
        given["requested_by"] = given.pop("person")
    if "emergency" in given:
        given["emergency"] = "true"
    return given
