"""Who has to approve: the policies and the named groups; and the rights of roles. Changed by proposal."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, can, role_names
from cvdops.approvals.models import Condition
from cvdops.changes import approver_groups, policies, roles, services
from cvdops.changes.kinds import kind as kind_named
from cvdops.environments.models import Environment
from cvdops.lib.errors import Conflict, Invalid, UserError
from cvdops.spec.document import Category
from cvdops.web import policies as shown
from cvdops.web.fresh import fresh
from cvdops.web.policies import GroupForm, PolicyForm, RoleForm, Typed


@requires(Action.READ_PERMISSIONS)
def all_policies(request: HttpRequest) -> HttpResponse:
    context = {
        "rows": shown.rows(),
        "groups": shown.groups(),
        "proposed": shown.proposed(),
        "edit": can(person(request), Action.EDIT_PERMISSIONS),
        "environments": Environment.objects.all(),
        "categories": [policies.EVERY, *Category],
        "conditions": Condition.choices,
    }
    return render(request, "permissions/policies.html", context)


@requires(Action.EDIT_PERMISSIONS)
def choose(request: HttpRequest) -> HttpResponse:
    """From the form that asks which policy, or which group, to its page."""
    if group := request.GET.get("group", "").strip():
        approver_groups.current(group)
        return redirect("approver-group", group)
    names = [request.GET.get(name, "") for name in ("environment", "category", "condition")]
    policies.stored("/".join(names))
    return redirect("policy", *names)


@requires(Action.EDIT_PERMISSIONS, "GET", "POST")
@fresh
def policy(request: HttpRequest, environment: str, category: str, condition: str) -> HttpResponse:
    key = f"{environment}/{category}/{condition}"
    current = policies.current(key)
    form = PolicyForm(request.POST or None, initial=dict(shown.typed_policy(current)))
    return _edit(request, "approval-policy", key, form)


@requires(Action.EDIT_PERMISSIONS, "GET", "POST")
@fresh
def group(request: HttpRequest, slug: str) -> HttpResponse:
    current = approver_groups.current(slug)
    form = GroupForm(request.POST or None, initial=dict(shown.typed_group(current)))
    return _edit(request, "approver-group", slug, form)


@requires(Action.EDIT_PERMISSIONS, "GET", "POST")
@fresh
def role(request: HttpRequest, slug: str) -> HttpResponse:
    form = RoleForm(request.POST or None, initial=roles.current(slug) or {})
    return _edit(request, "role", slug, form)


def _edit(
    request: HttpRequest, kind: str, key: str, form: PolicyForm | GroupForm | RoleForm
) -> HttpResponse:
    if request.method != "POST":
        return _page(request, kind, key, form, {})
    try:
        if problems := form.problems():
            raise Invalid(problems)
        seen, reason = request.POST.get("seen"), form.cleaned_data["reason"]
        change = services.submit(person(request), kind, key, form.value(), reason, seen=seen)
    except Invalid as error:
        by_field = {problem.field: problem.message for problem in error.problems}
        return _page(request, kind, key, form, by_field, error)
    except Conflict as error:
        return _page(request, kind, key, form, {}, error)
    return redirect("change", change.pk)


def _page(
    request: HttpRequest,
    kind: str,
    key: str,
    form: Typed,
    problems: Mapping[str, str],
    error: UserError | None = None,
) -> HttpResponse:
    what = kind_named(kind)
    context = {
        "title": what.title(key),
        "called": what.CALLED,
        "back": what.address(key),
        "kind": kind,
        "key": key,
        "seen": services.mark(what.current(key)),
        "fields": [
            (field, [problems[field.name]] if field.name in problems else []) for field in form
        ],
        "error": error,
        "names": role_names(),
    }
    return render(
        request, "permissions/policy.html", context, status=error.status if error else 200
    )
