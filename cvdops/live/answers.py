"""What came back to the requests of `http` steps: for those who may execute; others are told so."""

from cvdops.access.policy import Action, Matter, can
from cvdops.accounts.models import User
from cvdops.executions.models import StepRun
from cvdops.executions.plan import Plan
from cvdops.spec.document import Kind

WITHHELD = "What came back is shown only to people with Execute on this category."


def reads_answers(user: User, matter: Matter) -> bool:
    return can(user, Action.READ_ANSWERS, matter).allowed


def is_answer(step: StepRun) -> bool:
    """Whether the output of this step is what came back to a request."""
    return step.kind == Kind.HTTP


def kept_answers(plan: Plan) -> frozenset[str]:
    """The variables whose values are what came back."""
    steps = (*plan.forward, *plan.backward)
    kept = (step.attributes.capture for step in steps if step.kind is Kind.HTTP)
    return frozenset(name for name in kept if name)
