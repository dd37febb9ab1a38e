"""The forms of approval policies, named groups and the rights of roles, and how policies are shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from cvdops.access.models import ApproverGroup
from cvdops.access.policy import role_names
from cvdops.approvals import quorum
from cvdops.approvals.groups import Group, from_json
from cvdops.approvals.models import ApprovalPolicy
from cvdops.changes import policies, roles
from cvdops.changes.approver_groups import value as group_value
from cvdops.changes.kind import Value
from cvdops.changes.models import Change, ChangeState
from cvdops.lib.errors import Problem
from cvdops.web.changes import Shown

KINDS = ("approval-policy", "approver-group")
_LINE = re.compile(r"\s*(?:([0-9]{1,3})\s+of\s+)?(.+?)\s*", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*,\s*|\s+or\s+|\s+")


class Typed(forms.Form):
    """What is typed; what it may be is decided by the kind of change."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field, forms.BooleanField):
                field.widget.attrs |= {"class": "input", "autocomplete": "off"}

    def problems(self) -> list[Problem]:
        """What cannot be read."""
        self.is_valid()
        return [
            Problem(field, str(message))
            for field, messages in self.errors.items()
            for message in messages
        ]


def _reason() -> forms.CharField:
    return forms.CharField(max_length=2000, widget=forms.Textarea({"rows": 2}))


class PolicyForm(Typed):
    who = forms.CharField(
        label="Who approves",
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 3}),
        help_text="A group on each line, as “1 of operations-manager or cto”. Empty: nobody has to.",
    )
    minutes = forms.IntegerField(
        min_value=policies.SHORTEST // 60,
        max_value=policies.LONGEST // 60,
        help_text="To decide in; for as long an approval lets something begin.",
    )
    reason_required = forms.BooleanField(label="Who approves has to say why", required=False)
    reason = _reason()

    def value(self) -> Value:
        """The new value that it asks for; only of a valid form."""
        typed = self.cleaned_data
        return policies.value(
            [_group(line) for line in typed["who"].splitlines() if line.strip()],
            typed["minutes"] * 60,
            reason_required=typed["reason_required"],
        )


class RoleForm(Typed):
    leads = forms.BooleanField(
        label="Leads wherever it may execute",
        required=False,
        help_text="Skips steps and marks them as done, hands over, declares emergencies.",
    )
    administers = forms.BooleanField(label="Administers accounts and settings", required=False)
    reads_audit = forms.BooleanField(label="Reads the audit log", required=False)
    reason = _reason()

    def value(self) -> Value:
        """The new value that it asks for; only of a valid form."""
        typed = self.cleaned_data
        return {name: typed[name] for name in roles.WORDS}


class GroupForm(Typed):
    name = forms.CharField(max_length=80)
    members = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 3}),
        help_text="User names, with commas between them.",
    )
    reason = _reason()

    def value(self) -> Value:
        """The new value that it asks for; only of a valid form."""
        names = {name for name in _BETWEEN.split(self.cleaned_data["members"]) if name}
        return group_value(" ".join(self.cleaned_data["name"].split()), sorted(names))


def _group(line: str) -> Group:
    found = _LINE.fullmatch(line)
    count, names = found.groups() if found else (None, line)
    split = dict.fromkeys(name for name in _BETWEEN.split(names.strip()) if name)
    return Group(tuple(split), int(count or 1))


def typed_policy(current: Value) -> Mapping[str, object]:
    """What the form begins with."""
    if current is None:
        return {"minutes": 240}
    lines = [f"{g.required} of {' or '.join(g.approvers)}" for g in from_json(current["groups"])]
    return {
        "who": "\n".join(lines),
        "minutes": current["expires"] // 60,
        "reason_required": current["reason_required"],
    }


def typed_group(current: Value) -> Mapping[str, object]:
    """What the form begins with."""
    return {**current, "members": ", ".join(current["members"])} if current else {}


@dataclass(frozen=True, slots=True)
class Row:
    """A policy as its page shows it."""

    policy: ApprovalPolicy
    key: str
    groups: tuple[tuple[int, tuple[str, ...]], ...]  # so many of these approvers
    unmet: str  # why nobody could ever meet it; empty if it can be met


def rows() -> list[Row]:
    """Every policy, by environment."""
    names = role_names()
    stuck = {policy.pk: why for policy, why in quorum.stuck()}
    return [
        Row(
            policy,
            policies.key(policy.environment_id, policy.category, policy.condition),
            tuple(
                (group.required, tuple(names.get(name, name) for name in group.approvers))
                for group in from_json(policy.groups)
            ),
            stuck.get(policy.pk, ""),
        )
        for policy in quorum.policies()
    ]


def groups() -> Sequence[ApproverGroup]:
    """Every named group with its members."""
    return list(ApproverGroup.objects.prefetch_related("members"))


def proposed() -> list[Shown]:
    """The changes of both that wait for a second person."""
    found = Change.objects.filter(kind__in=KINDS, state=ChangeState.PROPOSED)
    return [Shown(change) for change in found.select_related("proposed_by", "decided_by")]
