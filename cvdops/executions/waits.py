"""For what an execution waits: the codes in `waiting_for` that more than one module knows."""

APPROVAL = "approval"
RIGHT = "right"  # somebody who may run it
WINDOW = "window"  # in which its environment may be changed
PLAN = "plan"  # nothing: its plan was changed in the database
SUPERVISOR = "supervisor"  # somebody certified, who joins before it starts
TO_DECIDE = ": somebody decides what to do."  # the end of the sentence on a step that is stuck
