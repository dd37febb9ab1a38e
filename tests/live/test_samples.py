"""How a kept, a broken and an incomparable promise look on the page of an execution."""

import pytest

from tests.executions.scene import Scene
from tests.live.test_pages import as_person, page

STEP = "#### Look\n```bash {{#look {attributes}}}\n{script}\n```\n```output\n{sample}\n```\n"


def shown(scene: Scene, script: str, sample: str, attributes: str = "") -> str:
    scene.runbook(STEP.format(script=script, sample=sample, attributes=attributes))
    return page(as_person(scene, "developer"), scene.run(), "?step=look")


def test_a_kept_promise(scene: Scene) -> None:
    assert "kept</span>" in shown(scene, "echo one", "one")


@pytest.mark.parametrize(("attributes", "tone"), [("", "wait"), ("expect=exact", "bad")])
def test_a_broken_one_is_red_only_if_the_step_depends_on_it(
    scene: Scene, attributes: str, tone: str
) -> None:
    html = shown(scene, "echo two", "one", attributes)
    assert f'<span class="state {tone}">' in html and "differs</span>" in html
    assert ("output differs from what is promised" in html) == (tone == "wait")


def test_one_that_is_prose_is_said_to_be_incomparable(scene: Scene) -> None:
    assert "not comparable</span>" in shown(scene, "echo x", "should show the version of it")
