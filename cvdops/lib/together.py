"""Several reads in one statement: one way to the database and back, and one moment for all that they find.

A page that asks a dozen small things waits mostly for the way. The reads stay what they are, querysets of
the models; the database hands their rows over as JSON, and the models make of them what they always make.
"""

import json
from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, cast

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BinaryField, JSONField, Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from cvdops.lib.once import answers, question

P = ParamSpec("P")
R = TypeVar("R")


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


def together(*reads: QuerySet[Any, Any]) -> list[list[Any]]:
    """What each of these reads finds, in their order: all of them in one statement.

    Nothing binary can be read so. Rows related by `prefetch_related` are still read by themselves.
    """
    answered, statements = [], []
    params: list[Any] = []
    for read in reads:
        query = cast(_Answered, read.query.chain(_Answered))
        query.compiled = _Compiler(read.query, connections[read.db], read.db)
        query.compiled.rows = []
        copied = read.all()
        copied.query = query
        copied._iterable_class = read._iterable_class  # `query` makes dictionaries of `values_list`
        answered.append(copied)
        try:
            sql, values = query.compiled.as_sql()
        except EmptyResultSet:  # it asks for nothing
            continue
        names = ", ".join(f"c{i}" for i in range(query.compiled.col_count or 0))
        statements.append((f"(SELECT json_agg(t)::text FROM ({sql}) AS t ({names}))", query))
        params += values
    if statements:
        with connections[reads[0].db].cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(sql for sql, _ in statements), params)
            texts = cursor.fetchone()
        for (_, query), text in zip(statements, texts, strict=True):
            query.compiled.rows = _rows(query.compiled, json.loads(text) if text else [])
    return [list(found) for found in answered]


def _rows(compiler: _Compiler, found: list[dict[str, Any]]) -> list[list[Any]]:
    columns = [
        (f"c{i}", _python(expression.output_field))
        for i, (expression, *_) in enumerate(compiler.select[: compiler.col_count])
    ]
    return [
        [None if row[name] is None else python(row[name]) for name, python in columns]
        for row in found
    ]


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

    def __init__(self, ask: Callable[P, QuerySet[Any, R]]) -> None:
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


class Wanted:
    """A read that will be asked for."""

    def __init__(self, ask: Callable[..., QuerySet[Any, Any]], args: Any, kwargs: Any) -> None:
        self.question = question(ask, args, kwargs)
        self.reads = ask(*args, **kwargs)


def read(*wanted: Wanted) -> list[list[Any]]:
    """What these find, in one statement. Within one look it is known from then on."""
    known = answers()
    if known is None:
        return together(*(one.reads for one in wanted))
    new = [one for one in wanted if one.question not in known]
    for one, found in zip(new, together(*(one.reads for one in new)), strict=True):
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
