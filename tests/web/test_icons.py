"""Every icon that a page could ask for can be drawn."""

import re
from pathlib import Path

import pytest

from cvdops.executions.states import EXECUTION_LOOKS, IN_PART, STEP_LOOKS, TRIED_AGAIN
from cvdops.spec.document import Kind
from cvdops.web.templatetags.portal import icon, kind_icon

NAMED = re.compile(r"""icon (?:name=)?["']([a-z0-9-]+)["']""")
LOOKS = [*EXECUTION_LOOKS.values(), *STEP_LOOKS.values(), TRIED_AGAIN, IN_PART]
IN_TEMPLATES = {
    name for path in Path("templates").rglob("*.html") for name in NAMED.findall(path.read_text())
}


@pytest.mark.parametrize(
    "name", sorted(IN_TEMPLATES | {look.icon for look in LOOKS} | {kind_icon(k) for k in Kind})
)
def test_it_can_be_drawn(name: str) -> None:
    assert "<svg" in icon(name)
