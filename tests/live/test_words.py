"""What the page of an execution says where a step has several hosts, or nobody carries it out."""

import pytest
from django.test import Client

from cvdops.executions import services
from cvdops.executions.models import Execution
from cvdops.web.live.feed import Feed
from tests.executions.scene import Scene
from tests.executions.test_children import child, child_block
from tests.executions.test_engine import block
from tests.live.test_pages import as_person, page


def reader(scene: Scene) -> Client:
    return as_person(scene, "devops-engineer")


def test_the_hosts_of_a_group_are_told_apart(scene: Scene) -> None:
    hosts = [scene.environment.hosts.create(name=f"web-{n}", transport="local") for n in (1, 2)]
    scene.environment.groups.create(name="web").hosts.set(hosts)
    scene.runbook(block("set", 'WHO="here"', "target=web"))
    html = page(reader(scene), scene.run())
    for name in ("web-1", "web-2"):
        assert f'<span class="visually-hidden">on </span>{name}</span>' in html
        assert f'<dt><code>WHO</code> <span class="muted">on {name}</span></dt>' in html


def test_a_step_on_one_host_does_not_repeat_it(scene: Scene) -> None:
    scene.runbook(block("set", 'WHO="here"'))
    html = page(reader(scene), scene.run())
    assert 'class="host' not in html and "on here</span>" not in html


def test_a_step_leads_to_the_execution_that_it_started(scene: Scene) -> None:
    scene.other("inner", block("in", "echo inside"))
    scene.runbook(child_block())
    execution = scene.run()
    inner = child(execution)
    scene.advance(inner)
    html = page(reader(scene), scene.advance(execution))
    assert f'It started <a href="/executions/{inner.pk}/">' in html
    assert 'id="term" aria-label="Output" hidden' in html


def test_a_child_and_its_parent_lead_to_each_other(scene: Scene) -> None:
    scene.other("inner", block("in", "echo inside"))
    scene.runbook(child_block())
    execution = scene.run()
    inner = child(execution)
    assert f'href="/executions/{execution.pk}/"' in page(reader(scene), inner)
    services.pause(scene.person("devops-engineer"), execution.pk)
    said = f">execution #{inner.number}</a> has ended. To stop sooner, pause that one."
    assert said in page(reader(scene), execution)


@pytest.mark.parametrize(
    ("intent", "said"),
    [
        ("cancel", "It is being cancelled as soon as a worker comes."),
        ("pause", "It pauses when a worker comes and the running step has ended."),
    ],
)
def test_what_was_asked_is_said_also_without_a_worker(
    scene: Scene, execution: Execution, intent: str, said: str
) -> None:
    Execution.objects.filter(pk=execution.pk).update(intent=intent)
    html = page(reader(scene), execution)
    assert said in html and "No worker serves" in html and "It goes on by itself" not in html


def test_a_lost_connection_is_said_at_the_top(scene: Scene, execution: Execution) -> None:
    execution.steps.filter(key="first").update(state="running", note="It has been lost.")
    html = page(reader(scene), execution)
    assert "connection to here lost" in html and '<p class="tone-wait break">It has been' in html


def test_why_a_step_failed_is_said_once(scene: Scene) -> None:
    scene.runbook(block("fail", "exit 3"))
    html = page(reader(scene), scene.run())
    assert html.count("It ended with exit code 3.") == 1 and "Decide after" in html


def test_a_step_that_never_began_has_no_output_to_read(scene: Scene, execution: Execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(state="waiting", waiting_for={"code": "step"})
    execution.steps.filter(key="first").update(state="failed", note="No host.")
    html = page(reader(scene), execution)
    assert "Decide after" not in html and 'aria-label="Output" hidden' in html


HELP = """
## Troubleshooting

### The server keeps its old certificate
**Symptoms:** the server shows its old certificate.
**Resolution:** Reload the server by hand.
"""


def test_what_helps_with_a_failed_step_stays_when_it_is_given_up(scene: Scene) -> None:
    scene.runbook(block("fail", "echo the server shows its old certificate; false") + HELP)
    execution = scene.run()
    feed = Feed(execution.pk, 0, answers=True)
    before = b"".join(feed.turn().frames)
    services.give_up(scene.person("devops-engineer"), execution.pk)
    after = b"".join(feed.turn().frames)
    words = b"From the troubleshooting section"
    assert words not in before and words in after
