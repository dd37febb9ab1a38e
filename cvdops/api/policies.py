"""Who has to approve: the policies and the named groups."""

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status

from cvdops.access.marks import requires
from cvdops.access.models import ApproverGroup
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Flag, Number, Text, told
from cvdops.api.changes import ChangeShape, Reason, Seen, submitted
from cvdops.api.sharp import sharp
from cvdops.approvals import quorum
from cvdops.approvals.groups import Group, from_json
from cvdops.approvals.models import ApprovalPolicy, Condition
from cvdops.changes import approver_groups, policies
from cvdops.changes.services import mark
from cvdops.spec.document import Category

router = Router(tags=["permissions"])


class QuorumShape(Schema):
    """So many persons of these roles or named groups."""

    approvers: list[str]
    required: int


class PolicyShape(Schema):
    """`category` is `every` for all of them; `expires` are seconds; no groups: nobody has to approve.

    `unmet` says why nobody could ever meet it as people hold roles now; it is empty if somebody could.
    """

    environment: str
    category: str
    condition: str
    groups: list[QuorumShape]
    expires: int
    reason_required: bool
    version: int
    unmet: str
    mark: str

    @classmethod
    def of(cls, policy: ApprovalPolicy, unmet: str) -> "PolicyShape":
        groups = from_json(policy.groups)
        value = policies.value(groups, policy.expires, reason_required=policy.reason_required)
        return cls(
            environment=policy.environment_id,
            category=policy.category or policies.EVERY,
            condition=policy.condition,
            groups=[QuorumShape(approvers=list(g.approvers), required=g.required) for g in groups],
            expires=policy.expires,
            reason_required=policy.reason_required,
            version=policy.version,
            unmet=unmet,
            mark=mark(value),
        )


class NamedGroup(Schema):
    slug: str
    name: str
    members: list[str]
    mark: str

    @classmethod
    def of(cls, group: ApproverGroup) -> "NamedGroup":
        members = sorted(user.username for user in group.members.all())
        value = approver_groups.value(group.name, members)
        return cls(slug=group.pk, name=group.name, members=members, mark=mark(value))


class Quorum(Asked):
    """So many persons of these roles or named groups."""

    approvers: list[Text]
    required: Number


class Policy(Asked):
    """Who has to approve. `expires`: seconds to decide in. No groups: nobody has to."""

    environment: Text
    category: Annotated[
        Category | Literal["every"], told(f"Say one of {', '.join(Category)}, every.")
    ]
    condition: Condition
    groups: list[Quorum]
    expires: Number
    reason_required: Flag = False
    reason: Reason
    seen: Seen | None = None


class Policies(Schema):
    """All of them: there are as many as environments, categories and conditions make."""

    policies: list[PolicyShape]
    groups: list[NamedGroup]


@router.get("/permissions/policies", response=Policies, url_name="api-policies")
@requires(Action.READ_PERMISSIONS)
def all_policies(request: HttpRequest) -> Policies:
    """The approval policies, by environment, and the named groups of approvers."""
    stuck = {policy.pk: why for policy, why in quorum.stuck()}
    named = ApproverGroup.objects.prefetch_related("members")
    return Policies(
        policies=[PolicyShape.of(one, stuck.get(one.pk, "")) for one in quorum.policies()],
        groups=[NamedGroup.of(group) for group in named],
    )


@router.post("/permissions/policies", response={201: ChangeShape}, url_name="api-policies")
@requires(Action.EDIT_PERMISSIONS, "POST")
@sharp
def set_policy(request: HttpRequest, asked: Policy) -> Status[ChangeShape]:
    """Propose who has to approve."""
    key = policies.key(asked.environment, asked.category, asked.condition)
    groups = [Group(tuple(group.approvers), group.required) for group in asked.groups]
    after = policies.value(groups, asked.expires, reason_required=asked.reason_required)
    return submitted(request, "approval-policy", key, after, asked.reason, asked.seen)
