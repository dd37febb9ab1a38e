"""Executions, their steps, attempts, output and events. States are written by `transitions` alone."""

from cvdops.executions.models.closing import ChecklistMark, Closing, Health, HealthSample
from cvdops.executions.models.emergency import Emergency
from cvdops.executions.models.execution import (
    Event,
    Execution,
    NextNumber,
    NotSaved,
    OutputSegment,
    StepAttempt,
    StepRun,
)
from cvdops.executions.models.history import OutputWords, SavedFilter
from cvdops.executions.models.participants import Participant
from cvdops.executions.models.routines import RoutineDone
from cvdops.executions.models.triggers import Delivery, Trigger
from cvdops.executions.models.workers import HostCheck, Lock, Worker

__all__ = [
    "ChecklistMark",
    "Closing",
    "Delivery",
    "Emergency",
    "Event",
    "Execution",
    "Health",
    "HealthSample",
    "HostCheck",
    "Lock",
    "NextNumber",
    "NotSaved",
    "OutputSegment",
    "OutputWords",
    "Participant",
    "RoutineDone",
    "SavedFilter",
    "StepAttempt",
    "StepRun",
    "Trigger",
    "Worker",
]
