"""Several reads in one statement: one way to the database and back, and one moment for all that they find.

A page that asks a dozen small things waits mostly for the way. The reads stay what they are, querysets of
the models; the database hands their rows over as JSON, and the models make of them what they always make.
What is written in SQL (`Rows`) is read with them.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BinaryField, JSONField, Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from cvdops.lib.once import answers, question
from cvdops.lib.statements import cursor

P = ParamSpec("P")
R = TypeVar("R")

_NAMED = re.compile(r"%\((\w+)\)s")


class _Compiler(SQLCompiler):
    """Of a read whose rows have come already, with the values that its fields have in Python."""

    rows: list[list[Any]]

    def execute_sql(self, *_: object, **__: object) -> Any:
        return [self.rows]

    def get_converters(self, _: object) -> dict[int, Any]:
        return {}


class _Answered(Query):
    compiled: _Compiler

    def get_compiler(self, *_: object, **__: object) -> _Compiler:
        return self.compiled

    def chain(self, *_: object) -> "_Answered":
        """What has been answered is built no further, so the parts of it are not copied."""
        made = _Answered.__new__(_Answered)
        made.__dict__ = self.__dict__.copy()
        return made


@dataclass(frozen=True, slots=True)
class Rows:
    """A read that is written in SQL, with named parameters: of each row what JSON makes of it, by column."""

    sql: str
    values: Mapping[str, Any]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(together(self)[0])


class _Written:
    """The statement of what is written in SQL, and its parameters."""

    def __init__(self, read: Rows) -> None:
        params: list[Any] = []

        def place(named: re.Match[str]) -> str:
            params.append(read.values[named[1]])
            return "%s"

        self.sql, self.params = f"({_NAMED.sub(place, read.sql)}) AS t", params

    def about(self, ids: Sequence[UUID]) -> "_Written":
        """The same with these ids in their places."""
        return _placed(self, ids)

    def found(self, rows: list[dict[str, Any]]) -> list[Any]:
        """What whoever asked gets, of the rows that the statement has found."""
        return rows


class _Built:
    """The same of a queryset; an empty statement asks for nothing. It can be used many times, in any thread."""

    def __init__(self, read: QuerySet[Any, Any]) -> None:
        self._read = read.all()
        self._read.query = read.query.chain(_Answered)
        self._read._iterable_class = read._iterable_class  # above it became that of `values`
        # the proxy, as it belongs to no thread
        self._compiler = _Compiler(read.query, connection, read.db)
        self.sql = ""
        self.params: Iterable[Any] = ()
        try:
            sql, self.params = self._compiler.as_sql()
        except EmptyResultSet:
            return  # `found` is asked for no rows
        columns = self._compiler.select[: self._compiler.col_count]
        self._columns = [
            (f"c{i}", _python(expression.output_field))
            for i, (expression, *_) in enumerate(columns)
        ]
        self.sql = f"({sql}) AS t ({', '.join(name for name, _ in self._columns)})"

    def about(self, ids: Sequence[UUID]) -> "_Built":
        return _placed(self, ids)

    def found(self, rows: list[dict[str, Any]]) -> list[Any]:
        compiler = copy(self._compiler)
        compiler.rows = [
            [None if row[name] is None else python(row[name]) for name, python in self._columns]
            for row in rows
        ]
        answered = self._read.all()
        cast(_Answered, answered.query).compiled = compiler
        return list(answered)


_Statement = _Written | _Built
S = TypeVar("S", _Written, _Built)


def _placed(general: S, ids: Sequence[UUID]) -> S:
    if not ids:
        return general
    now = {_place(number): one for number, one in enumerate(ids, 1)}

    def there(value: Any) -> Any:
        if isinstance(value, UUID):
            return now.get(value, value)
        return [there(one) for one in value] if isinstance(value, list) else value

    placed = copy(general)
    placed.params = [there(value) for value in general.params]
    return placed


def _statement(read: "QuerySet[Any, Any] | Rows") -> _Statement:
    return _Written(read) if isinstance(read, Rows) else _Built(read)


def together(*reads: "QuerySet[Any, Any] | Rows") -> list[list[Any]]:
    """What each of these reads finds, in their order: all of them in one statement.

    Nothing binary can be read so. Rows related by `prefetch_related` are still read by themselves.
    """
    return _ask([_statement(read) for read in reads])


def _ask(statements: Sequence[_Statement]) -> list[list[Any]]:
    asked = [one for one in statements if one.sql]
    rows: dict[int, list[dict[str, Any]]] = {}
    if asked:
        with cursor() as asking:
            sql = ", ".join(f"(SELECT json_agg(t)::text FROM {one.sql})" for one in asked)
            asking.execute(f"SELECT {sql}", [value for one in asked for value in one.params])
            texts = asking.fetchone()
        rows = {
            id(one): json.loads(text) if text else []
            for one, text in zip(asked, texts, strict=True)
        }
    return [one.found(rows.get(id(one), [])) for one in statements]


def _python(field: Any) -> Callable[[Any], Any]:
    """How a value that came as JSON becomes one of this field."""
    if isinstance(field, BinaryField):
        raise TypeError("A binary value cannot be read together with others.")
    if isinstance(field, JSONField):
        return _same
    if isinstance(field, ArrayField):
        inner = _python(field.base_field)
        return lambda values: [None if value is None else inner(value) for value in values]
    known: Callable[[Any], Any] = field.to_python
    return known


def _same(value: Any) -> Any:
    return value


class Read(Generic[P, R]):
    """A function that says what is to be read. Called, it answers with the rows; within one look, `once`."""

    @overload
    def __init__(self, ask: Callable[P, QuerySet[Any, R]]) -> None: ...

    @overload
    def __init__(self: "Read[P, dict[str, Any]]", ask: Callable[P, Rows]) -> None: ...

    def __init__(self, ask: Callable[P, Any]) -> None:
        self.ask = ask
        update_wrapper(self, ask)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        known = answers()
        if known is None:
            return list(self.ask(*args, **kwargs))
        asked = question(self.ask, args, kwargs)
        if asked not in known:
            known[asked] = list(self.ask(*args, **kwargs))
        found: list[R] = known[asked]
        return found

    def of(self, *args: P.args, **kwargs: P.kwargs) -> "Wanted":
        """This read with these arguments, for `ahead`."""
        return Wanted(self.ask, args, kwargs)


class Fixed(Read[P, R]):
    """A read whose statement follows from its arguments alone, not from what is stored and not from the time.

    The statement is made once for the same arguments: to build it takes longer than to ask it. What it finds
    is asked for each time. An id (a UUID, or one in a tuple of them) is only compared with what is stored, so
    that the statement is the same whichever it is.
    """

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        (found,) = read(self.of(*args, **kwargs))
        return found

    def of(self, *args: P.args, **kwargs: P.kwargs) -> "Wanted":
        return Wanted(self.ask, args, kwargs, fixed=True)


class Wanted:
    """A read that will be asked for."""

    def __init__(
        self, ask: Callable[..., Any], args: Any, kwargs: Any, *, fixed: bool = False
    ) -> None:
        self.question = question(ask, args, kwargs)
        self._asks = ask, args, kwargs
        self._fixed = fixed

    @property
    def statement(self) -> _Statement:
        """Made when it is read: most of them are known already where they are wanted again."""
        ask, args, kwargs = self._asks
        if not self._fixed:
            return _statement(ask(*args, **kwargs))
        ids: list[UUID] = []
        general = _general(args, ids)
        return _fixed(question(ask, general, kwargs)).about(ids)


def _place(number: int) -> UUID:
    """What stands in a statement of `Fixed` where the id of this number will be; nothing stored has it."""
    return UUID(int=number)


def _general(args: tuple[Any, ...], ids: list[UUID]) -> tuple[Any, ...]:
    """The arguments with places instead of ids, which are added to `ids`; also of tuples of ids."""
    made: list[Any] = []
    for one in args:
        if isinstance(one, UUID):
            ids.append(one)
            made.append(_place(len(ids)))
        elif isinstance(one, tuple) and all(isinstance(part, UUID) for part in one):
            made.append(_general(one, ids))
        else:
            made.append(one)
    return tuple(made)


@lru_cache(maxsize=1024)
def _fixed(asked: Any) -> _Statement:
    ask, args, kwargs = asked
    made = _statement(ask(*args, **dict(kwargs)))
    if made.sql and not _ids_in(args) <= _ids_in(made.params):
        raise TypeError(f"{ask.__qualname__} does more with an id than compare it.")
    return made


def _ids_in(values: Iterable[Any]) -> set[UUID]:
    found: set[UUID] = set()
    for one in values:
        if isinstance(one, UUID):
            found.add(one)
        elif isinstance(one, tuple | list):
            found |= _ids_in(one)
    return found


def read(*wanted: Wanted) -> list[list[Any]]:
    """What these find, in one statement. Within one look it is known from then on."""
    known = answers()
    if known is None:
        return _ask([one.statement for one in wanted])
    new = [one for one in wanted if one.question not in known]
    for one, found in zip(new, _ask([one.statement for one in new]), strict=True):
        known[one.question] = found
    return [known[one.question] for one in wanted]


def ahead(*wanted: Wanted) -> None:
    """Within one look: read together what is going to be asked for. Elsewhere each is read when it is."""
    if answers() is not None:
        read(*wanted)


def attach(rows: Iterable[Model], name: str, found: Iterable[Any], key: str) -> None:
    """Give each row those of `found` that are related to it by this field, as `prefetch_related` would."""
    theirs: dict[Any, list[Any]] = {}
    for one in found:
        theirs.setdefault(getattr(one, key), []).append(one)
    for row in rows:
        related = getattr(row, name).get_queryset()
        related._result_cache = theirs.get(row.pk, [])
        related._prefetch_done = True
        row._prefetched_objects_cache = {  # type: ignore[attr-defined]
            **getattr(row, "_prefetched_objects_cache", {}),
            name: related,
        }
