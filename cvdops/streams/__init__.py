"""Hints over Redis that an execution has moved. The truth is in PostgreSQL; a hint may be lost."""

# One stream for all executions, so that one connection per process follows them all. Reading it costs
# the same as a subscription, and a reader that was away for a moment finds what it missed.
KEY = "cvdops:moved"
LENGTH = 10_000  # entries kept, about
