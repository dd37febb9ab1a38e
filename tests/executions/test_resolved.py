"""The steps of a plan with what they are given."""

import pytest

from cvdops.executions.queries import planned as plan_of
from cvdops.executions.resolved import planned
from tests.executions.scene import Scene

pytestmark = pytest.mark.django_db

BLOCKS = """
#### Before
```bash {#before rollback=back destructive}
echo "$ONE"
```

#### Change
```bash {#change}
ONE=other
```

#### After
```bash {#after}
echo "$ONE" "$TWO"
```
"""
BACK = """
#### Back
```bash {#back}
echo "$TWO"
```
"""


def test_a_value_is_sure_until_a_script_may_have_set_it(scene: Scene) -> None:
    scene.runbook(BLOCKS, BACK, "variables: {ONE: a, TWO: b}\n")
    execution = scene.start()
    plan = plan_of(execution)
    before, _, after = planned(execution, plan, plan.steps)
    assert [(one.name, one.fixed) for one in before.values] == [("ONE", True)]
    assert [(one.name, one.fixed) for one in after.values] == [
        ("ONE", False),
        ("TWO", True),
    ]
    assert before.undo is not None
    assert [(one.name, one.fixed) for one in before.undo.values] == [("TWO", True)]
