"""Resolving a start: what would run, with which values, where, and what stands in its way."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from cvdops.access import catalog
from cvdops.access.catalog import get_runbook
from cvdops.access.policy import UNCATEGORISED, Action, Decision, Matter, can
from cvdops.accounts.models import User
from cvdops.approvals import policies
from cvdops.catalog import queries
from cvdops.catalog.models import Runbook, RunbookVersion
from cvdops.catalog.queries import document
from cvdops.environments import calendar, vault
from cvdops.environments import queries as places
from cvdops.environments.models import Environment
from cvdops.environments.periods import described
from cvdops.executions import demands, reach, readiness, targets
from cvdops.executions.checklists import ChecklistDraft
from cvdops.executions.obstacles import obstacles
from cvdops.executions.plan import ChildPlan, Plan, fingerprint
from cvdops.executions.targets import Targets
from cvdops.executions.versions import currency, executable_version
from cvdops.lib.errors import Invalid, NotFound, Problem
from cvdops.lib.once import once
from cvdops.lib.redaction import SHORTEST
from cvdops.lib.together import Wanted, ahead
from cvdops.spec.document import Category, Child, SectionKind, Step, Variable
from cvdops.spec.document import Runbook as Document
from cvdops.spec.plan import UnknownProcedure, steps_of
from cvdops.spec.values import check

EVERY = (*Category, UNCATEGORISED)
MAX_DEPTH = 5  # of runbooks that start runbooks
TEMPORARY = frozenset({"window", "freeze", "hold"})  # codes of reasons that go by
_UNOPENED = "secret"  # stands for one of the environment's: a plan is made without opening it
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")  # a variable that a child's value names


@dataclass(frozen=True, slots=True)
class Preview:
    """A start, resolved as far as it can be. It can be made when there are no problems and it is allowed."""

    runbook: Runbook
    version: RunbookVersion
    document: Document
    environment: Environment
    procedure: str
    values: Mapping[str, str]
    draft: Plan  # the plan as far as it could be made
    targets: Targets
    variables: tuple[tuple[Variable, str], ...]  # those to be filled in, with their present value
    before: tuple[ChecklistDraft, ...]
    problems: tuple[Problem, ...]
    matter: Matter  # what the policy was asked about
    decision: Decision
    supervision: bool  # it begins when somebody certified has joined as supervisor

    @property
    def plan(self) -> Plan | None:
        """The plan, if nothing stands in its way."""
        return None if self.problems else self.draft

    @property
    def untimely(self) -> bool:
        """Whether it is refused, and only for now: by a hold, a freeze or a closed window."""
        codes = {reason.code for reason in self.decision.reasons}
        return bool(codes) and codes <= TEMPORARY

    @property
    def instead_of(self) -> RunbookVersion | None:
        """The version that would run if nobody had chosen this one; none if this is it."""
        current = self.runbook.current
        return current if current != self.version else None


def resolve(
    user: User,
    runbook_id: str,
    environment_slug: str,
    procedure: str | None,
    given: Mapping[str, str],
    version: int | None = None,
    depth: int = 0,
    later: Collection[str] = (),
    *,
    emergency: bool = False,
    unseen: bool = False,
) -> Preview:
    """Resolve a start, of the version with this number or of the one that runs when none is named.

    Raises NotFound, and Invalid for a procedure or environment that does not exist or a version that
    cannot be executed. `depth` is that of a child in the tree of executions, and `later` are those of
    its variables that its parent gives a value only when it starts it. `unseen`: also what this person may
    not see any more, for the portal's own look at what somebody started.
    """
    runbook = queries.runbook(runbook_id, EVERY) if unseen else get_runbook(user, runbook_id)
    chosen = executable_version(runbook, version)
    doc = document(chosen)
    ahead(*reads(environment_slug, runbook.pk, runbook.category))
    environment = _environment(environment_slug)
    key, steps = _steps(doc, procedure)
    common = dict(places.variables(environment.slug))
    undo = _backward(doc, steps)
    secrets = _secrets(environment, doc, (*steps, *undo), given)
    values, found = check(doc, key, given, {**common, **dict.fromkeys(secrets, _UNOPENED)})
    problems = [Problem(p.name, p.message) for p in found if p.name not in secrets]
    values = {name: value for name, value in values.items() if name not in secrets}
    problems += _too_short(doc, values)
    where = targets.resolve(environment, (*steps, *undo), common)
    open_names = {*later, *secret_names(doc), *secrets}  # a plan never tells where a secret leads
    known = {name: value for name, value in values.items() if name not in open_names}
    where_to = reach.resolve(environment, (*steps, *undo), known)
    children, broken = _children(
        user, (*steps, *undo), environment, depth, emergency=emergency, unseen=unseen
    )
    gated = demands.resolve(
        steps,
        undo,
        environment=environment.slug,
        category=runbook.category,
        procedure=key,
        emergency=emergency,
    )
    problems += [
        *gated.problems,
        *where.problems,
        *where_to.problems,
        *broken,
        *obstacles(runbook, chosen, doc, steps),
    ]
    plan = Plan(
        runbook=runbook.pk,
        content_hash=chosen.content_hash,
        commit=chosen.commit,
        procedure=key,
        environment=environment.slug,
        shell=doc.shell,
        variables=_public(doc, values),
        hosts=where.hosts,
        groups=where.groups,
        databases=where.databases,
        default_host=where.default,
        locks=_locks(doc),
        forward=gated.steps,
        backward=undo,
        children=children,
        addresses=where_to.addresses,
        secrets=secrets,
        gates=gated.demands,
        windows=tuple(map(described, calendar.periods(environment.slug))),
        given=tuple(sorted(name for name, value in given.items() if value)),
        later=tuple(sorted(later)),
        chosen=version is not None and chosen != runbook.current,
        emergency=emergency,
    )
    matter = starting(runbook, chosen, environment, plan)
    decision = can(user, Action.START, matter)
    supervision = "supervision" in {reason.code for reason in decision.reasons}
    if supervision:  # somebody joins before it begins
        matter = replace(matter, supervised=True)
        decision = can(user, Action.START, matter)
    return Preview(
        runbook=runbook,
        version=chosen,
        document=doc,
        environment=environment,
        procedure=key,
        values=values,
        draft=plan,
        targets=where,
        variables=_to_fill_in(doc, key, given, values),
        before=readiness.before(user, plan, doc.metadata, currency(runbook, chosen)),
        problems=tuple(problems),
        matter=matter,
        decision=decision,
        supervision=supervision,
    )


def reads(environment: str, runbook: str, category: str) -> tuple[Wanted, ...]:
    """What resolving a start reads of its environment, for a page that reads more together with it."""
    return (
        places.environments.of(environment),
        places.hosts.of(environment),
        places.keys.of(environment),
        places.variables.of(environment),
        vault.current.of(environment),
        calendar.periods.of(environment),
        calendar.holds.of(environment, runbook, None),
        policies.policies.of(environment, category),
        readiness.tested.of(environment),
    )


def starting(
    runbook: Runbook, version: RunbookVersion, environment: Environment, plan: Plan
) -> Matter:
    """What the policy has to know about a start of this version by this plan."""
    return replace(
        catalog.matter(runbook, version, environment),
        runbook=runbook.pk,
        read_only=not plan.changes,
        emergency=plan.emergency,
    )


@once
def _environment(slug: str) -> Environment:
    found = places.environment(slug)
    if found is None:
        known = ", ".join(Environment.objects.values_list("slug", flat=True))
        text = f"There is no environment “{slug}”. There are: {known}."
        raise Invalid([Problem("environment", text)])
    return found


def _steps(doc: Document, procedure: str | None) -> tuple[str, tuple[Step, ...]]:
    if not procedure and len(doc.procedures) > 1:
        known = ", ".join(p.key for p in doc.procedures)
        raise Invalid([Problem("procedure", f"Choose one of the procedures: {known}.")])
    key = procedure or doc.procedures[0].key
    try:
        return key, steps_of(doc, key)
    except UnknownProcedure as error:
        raise Invalid([Problem("procedure", str(error))]) from None


def _backward(doc: Document, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Every step that undoes one of these, in the order of the document."""
    named = {step.attributes.undone_by for step in steps}
    return tuple(s for s in doc.section(SectionKind.ROLLBACK) if s.id in named)


def _public(doc: Document, values: Mapping[str, str]) -> dict[str, str]:
    hidden = secret_names(doc)
    return {
        name: fingerprint(value, settings.SECRET_KEY) if name in hidden else value
        for name, value in values.items()
    }


def secret_names(doc: Document) -> frozenset[str]:
    """The variables whose values are never stored or shown."""
    return frozenset(variable.name for variable in doc.variables if variable.secret)


def _secrets(
    environment: Environment, doc: Document, steps: Sequence[Step], given: Mapping[str, str]
) -> dict[str, int]:
    """The secrets of the environment that the runbook gets: those that it declares or a step names.

    What somebody gives for a declared one comes before them.
    """
    there = vault.versions(environment.slug)
    declared = {variable.name for variable in doc.variables}
    named = {word for step in steps for word in _WORD.findall(step.body) if word in there}
    wanted = ((declared & there.keys()) | named) - {n for n, value in given.items() if value}
    return {name: there[name] for name in sorted(wanted)}


def _too_short(doc: Document, values: Mapping[str, str]) -> list[Problem]:
    """A secret that could not be masked without masking ordinary text."""
    return [
        Problem(
            name, f"{name} is a secret of less than {SHORTEST} characters: choose a longer one."
        )
        for name in sorted(secret_names(doc) & values.keys())
        if values[name] and len(values[name].strip()) < SHORTEST
    ]


def _to_fill_in(
    doc: Document, procedure: str, given: Mapping[str, str], values: Mapping[str, str]
) -> tuple[tuple[Variable, str], ...]:
    return tuple(
        (
            variable,
            given.get(variable.name, "" if variable.secret else values.get(variable.name, "")),
        )
        for variable in doc.variables
        if not variable.procedures or procedure in variable.procedures
    )


def _children(
    user: User,
    steps: Sequence[Step],
    environment: Environment,
    depth: int,
    **how: bool,
) -> tuple[dict[str, ChildPlan], list[Problem]]:
    """The plans of the runbooks that these steps start, pinned with the plan of their parent."""
    plans: dict[str, ChildPlan] = {}
    problems = []
    for step in steps:
        if step.child is None:
            continue
        try:
            preview = _child(user, step.child, environment, depth, **how)
        except (Invalid, NotFound) as error:
            problems.append(Problem("runbook", f"“{step.title}”: {error}"))
            continue
        named = {name for name, text in step.child.variables.items() if NAMED.search(text)}
        found = [problem.message for problem in preview.problems if problem.field not in named]
        found += [
            reason.text for reason in preview.decision.reasons if not preview.decision.allowed
        ]
        problems += [Problem("runbook", f"“{step.title}”: {text}") for text in found]
        plans[step.id] = ChildPlan(preview.version.pk, preview.draft)
    return plans, problems


def _child(user: User, child: Child, environment: Environment, depth: int, **how: bool) -> Preview:
    if depth >= MAX_DEPTH:
        text = f"Runbooks start each other more than {MAX_DEPTH} levels deep."
        raise Invalid([Problem("runbook", text)])
    later = {name for name, text in child.variables.items() if NAMED.search(text)}
    given = {name: text for name, text in child.variables.items() if name not in later}
    procedure = child.procedure or None
    return resolve(
        user,
        child.runbook,
        environment.slug,
        procedure,
        given,
        depth=depth + 1,
        later=later,
        **how,
    )


def _locks(doc: Document) -> tuple[str, ...]:
    names = doc.metadata.get("locks", ())
    return tuple(sorted({str(name) for name in names})) if isinstance(names, list | tuple) else ()
