"""What the page of an execution says where a step has several hosts, or nobody carries it out."""

from django.test import Client

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
