"""What is approved is what was asked for: any change makes the decision void, and is shown."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvdops.approvals.models import ApprovalPolicy, ApprovalRequest
from cvdops.environments.models import Environment
from cvdops.environments.periods import Period
from cvdops.executions import drift, services
from cvdops.executions.demands import START
from cvdops.executions.models import Execution
from cvdops.executions.plan import digest
from cvdops.lib.errors import Conflict
from tests.approvals.steps import block
from tests.examples import examples
from tests.executions.scene import Scene

CHILD = "#### c\n\n```runbook {#c}\nrunbook: child\n```\n\n"
EXTRA = "variables:\n  NAME: {default: x}\n  TOKEN: {secret: true}\n"
KEY = {"kind": "ssh-ed25519", "key": "AAAA", "fingerprint": "SHA256:abc"}
BODY = block("one", 'echo "$NAME"', "target=web") + CHILD


def prepared(scene: Scene) -> Execution:
    """At its gate in production: two hosts in a group, a secret, a child."""
    production = Environment.objects.get(pk="production")
    production.variables.create(name="COMMON", value="1")
    group = production.groups.create(name="web")
    for name in ("web1", "web2"):
        host = production.hosts.create(name=name, transport="ssh", address=f"{name}.example.com")
        host.keys.create(kind="ssh-ed25519", key="AAAA", fingerprint=f"SHA256:{name}")
        group.hosts.add(host)
    scene.other("child", block("inner", "true"))
    scene.runbook(BODY, extra=EXTRA)
    return scene.run(
        environment="production",
        confirm_environment="production",
        variables={"NAME": "given", "TOKEN": "a-long-secret"},
    )


def production(name: str) -> Any:
    return getattr(Environment.objects.get(pk="production"), name)


CHANGES: dict[str, tuple[Callable[[Scene], object], str]] = {
    "one space": (
        lambda scene: scene.runbook(BODY.replace('echo "', 'echo  "'), extra=EXTRA),
        "Step one, body",
    ),
    "a default": (
        lambda scene: scene.runbook(BODY, extra=EXTRA + "  MORE: {default: y}\n"),
        "Variable MORE",
    ),
    "a child": (
        lambda scene: scene.other("child", block("inner", "true; true")),
        "The runbook started by c: Step inner, body",
    ),
    "a variable": (
        lambda _: production("variables").filter(name="COMMON").update(value="2"),
        "Variable COMMON: 1 → 2",
    ),
    "a host": (
        lambda _: production("hosts").filter(name="web1").update(address="elsewhere.example.com"),
        "Host web1, address",
    ),
    "the hosts of a group": (
        lambda _: production("groups").get().hosts.remove(production("hosts").get(name="web2")),
        "Host group web: web1, web2 → web1",
    ),
    "a host key": (
        lambda _: production("hosts").get(name="web1").keys.create(**KEY),
        "Host web1, keys",
    ),
    "a policy": (
        lambda _: ApprovalPolicy.objects.filter(category="deployment").update(version=2),
        f"Who approves at {START}, policies",
    ),
    "a window": (
        lambda _: Period.objects.create(
            environment_id="production", kind="freeze", name="Xmas",
            starts_at="2026-12-24T00:00Z", minutes=600,
        ),
        "Maintenance windows and freezes",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_the_request_void_says_what_and_asks_anew(change: str, scene: Scene) -> None:
    execution = prepared(scene)
    request = scene.gate(execution)
    made, told = CHANGES[change]
    made(scene)
    with pytest.raises(Conflict, match="asked for anew"):
        scene.approve(execution)
    request.refresh_from_db()
    assert request.state == "void"
    assert told in request.void_reason + str([str(d) for d in drift.present(execution).differences])
    assert scene.gate(execution).pk != request.pk
    assert not request.decisions.exists()


@pytest.mark.parametrize("change", ["a variable", "a host key"])
def test_a_change_after_the_approval_makes_it_void_before_anything_runs(
    change: str, scene: Scene
) -> None:
    execution = prepared(scene)
    scene.approve(execution)
    CHANGES[change][0](scene)
    scene.advance(execution)
    first = ApprovalRequest.objects.filter(execution_id=execution.pk).earliest("created_at")
    assert first.state == "void"
    assert scene.gate(execution).present_digest != first.present_digest
    assert scene.states(execution)["one"] == "pending"


def test_what_would_be_resolved_again_is_what_was_pinned(scene: Scene) -> None:
    execution = prepared(scene)
    assert drift.present(execution) == drift.Present(
        execution.plan_digest, (), drift.present(execution).gates
    )


def test_a_child_asks_for_itself_and_is_as_it_was_pinned(scene: Scene) -> None:
    head = "variables:\n  WHAT: {required: true}\n  TOKEN: {secret: true}\n"
    scene.other("child", block("inner", 'echo "$WHAT"'), extra=head)
    call = "runbook: child\nvariables: {WHAT: '${NAME}', TOKEN: '${TOKEN}'}\n"
    scene.runbook(f"#### c\n\n```runbook {{#c}}\n{call}```\n\n", extra=EXTRA)
    parent = scene.run(
        environment="production",
        confirm_environment="production",
        variables={"NAME": "given", "TOKEN": "a-long-secret"},
    )
    scene.approve(parent)
    scene.advance(parent)
    child = scene.advance(Execution.objects.get(parent__isnull=False))
    assert child.waiting_for["code"] == "approval"
    assert drift.present(child).differences == ()
    scene.approve(child)
    assert scene.advance(child).state == "succeeded"


def test_a_runbook_that_is_gone_is_a_difference(scene: Scene) -> None:
    execution = prepared(scene)
    execution.runbook.removed_at = execution.created_at
    execution.runbook.save()
    assert "no longer in the source" in str(drift.present(execution).differences)


def test_the_policy_of_now_says_who_is_asked_anew(scene: Scene) -> None:
    execution = prepared(scene)
    ApprovalPolicy.objects.filter(category="deployment").update(
        groups=[{"approvers": ["cto"], "required": 1}], version=2
    )
    with pytest.raises(Conflict):
        scene.approve(execution)
    anew = scene.gate(execution)
    services.decide(scene.person("cto"), anew.pk, "approve", "", anew.plan_digest)
    assert scene.states(execution)[START] == "succeeded"


leaves = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from(["", "a", "b"]))
steps = st.fixed_dictionaries(
    {"id": st.sampled_from(["one", "two"]), "kind": st.just("bash"), "body": leaves}
)
plans = st.dictionaries(
    st.sampled_from(["variables", "hosts", "forward", "locks", "children"]),
    st.recursive(
        st.one_of(leaves, st.lists(steps, max_size=3)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
        ),
        max_leaves=6,
    ),
    max_size=3,
)


@examples(300)
@given(plans, plans)
def test_there_is_a_difference_exactly_if_the_digests_differ(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert bool(list(drift.differences(before, after))) == (digest(before) != digest(after))


@pytest.mark.faults
@settings(max_examples=5_000, deadline=None)
@given(plans, plans)
def test_that_is_so_for_five_thousand_pairs(before: dict[str, Any], after: dict[str, Any]) -> None:
    test_there_is_a_difference_exactly_if_the_digests_differ.hypothesis.inner_test(before, after)
