"""Hints over Redis that an execution has moved. The truth is in PostgreSQL; a hint may be lost."""

KEY = (
    "cvdops:moved"  # one stream for all executions, so that one reader per process follows them all
)
LENGTH = 10_000  # entries kept, about
