"""What the pages show of `http` steps before they are sent."""

import pytest

from cvdops.catalog.sync import sync
from cvdops.environments.models import AllowedAddress
from tests.web.world import World

DOCUMENT = """---
format: 1
id: asking
category: deployment
variables:
  NAME: {required: true}
  TOKEN: {secret: true}
---
# Asking

## Procedures

### Ask {.procedure}

#### Gate
```approval {#ask}
approvers: [operations-manager]
```

#### The service
```http {#call}
GET ${BASE_URL}/find?name=${NAME}&token=${TOKEN}
```

#### What it names
```http {#next}
GET ${FOUND}
```
"""
SHOWN = (
    'The portal asks <code class="break">GET http://localhost:5000/find?name=a%20%26%20b&amp;token='
)
SHOWN += "${TOKEN}</code>"
LATER = '<code class="break">GET ${FOUND} at localhost:5000</code>'
GIVEN = {"NAME": "a & b", "TOKEN": "hush-hush"}


@pytest.fixture
def asking(world: World) -> World:
    (world.folder / "asking.md").write_text(DOCUMENT)
    sync(world.folder)
    return world


def test_the_launch_page_shows_where_a_request_goes(asking: World) -> None:
    address = "/runbooks/asking/run/?procedure=ask&var-NAME=a+%26+b&var-TOKEN=hush-hush"
    page = asking.client("devops-engineer").get(address).content.decode()
    assert SHOWN in page
    assert LATER in page
    assert "hush" not in page
    assert "does not allow" not in page


def test_the_launch_page_says_who_allows_another_address(asking: World) -> None:
    AllowedAddress.objects.all().delete()
    address = "/runbooks/asking/run/?procedure=ask&var-NAME=a"
    page = asking.client("devops-engineer").get(address).content.decode()
    assert "“The service” would talk to localhost:5000, which Development does not allow." in page
    assert "An administrator or an Operations Lead adds it" in page


def test_the_approver_sees_it_too(asking: World) -> None:
    key = asking.request(runbook="asking", procedure="ask", variables=GIVEN)
    page = asking.client("operations-manager").get(f"/approvals/{key}/").content.decode()
    assert SHOWN in page
    assert LATER in page
    assert "hush" not in page
