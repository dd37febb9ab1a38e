"""The practice CVD, put back by whoever may execute runbooks."""

import pytest
from django.test.utils import override_settings

from cvdops.audit.models import AuditEntry
from tests.api.calls import call, token
from tests.practice.operator import Operator
from tests.web.conftest import rows, world
from tests.web.world import World

__all__ = ["rows", "world"]

RESET = "environments/development/reset"


def test_it_is_reset_by_api_as_by_the_page(world: World, operator: Operator) -> None:
    operator.deploy("v1.0.1")
    with override_settings(PRACTICE_DIR=operator.site.root):
        assert call(token("system-admin"), "POST", RESET).status_code == 204
    assert operator.get("/health")[1]["version"] == "v1.0.0"
    assert AuditEntry.objects.get(action="practice.reset").data["exit_code"] == 0


@pytest.mark.parametrize(("role", "scopes"), [("developer", ("run",)), ("system-admin", ("read",))])
def test_it_needs_the_right_and_the_scope(role: str, scopes: tuple[str, ...], world: World) -> None:
    assert call(token(role, *scopes), "POST", RESET).status_code == 403
