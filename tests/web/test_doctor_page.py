"""The page of `doctor`: what was found last, and a look on demand."""

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from cvdops.access.seed import seed_roles
from cvdops.audit.models import AuditEntry
from cvdops.doctor import kept
from cvdops.doctor.finding import ok, warning, wrong
from cvdops.doctor.models import Examination
from cvdops.lib.errors import Conflict, Refused
from tests.cast import person
from tests.faults.workers import database_url
from tests.waiting import until
from tests.web.world import World

FOUND = (
    ok("git", "git version 2."),
    warning("catalog", "Nobody has read it.", "There is nothing to run.", "Run `manage.py sync`."),
    wrong("disk", "Free are 3 MB.", "Nothing is started.", "Make room."),
)


def test_it_shows_the_worst_first_with_what_to_do(world: World) -> None:
    assert "Nobody has looked yet." in world.client("admin").get("/doctor/").content.decode()
    kept.keep(FOUND)
    page = world.client("admin").get("/doctor/").content.decode()
    assert (
        page.index("Free are 3 MB.") < page.index("Nobody has read it.") < page.index("git version")
    )
    assert "What it means:</b> Nothing is started." in page
    assert "What to do:</b> Make room." in page
    assert kept.machine() in page and "every 1s" not in page


def test_what_is_found_later_takes_its_place(world: World) -> None:
    kept.keep(FOUND)
    kept.keep(FOUND[:1])
    assert [len(one.findings) for one in Examination.objects.all()] == [1]


def test_a_look_runs_once_and_the_page_waits_for_it(world: World) -> None:
    admin = person("admin")
    kept.ask(admin)
    with pytest.raises(Conflict, match="being looked at now"):
        kept.ask(admin)
    page = world.client("admin").get("/doctor/").content.decode()
    assert 'hx-trigger="every 1s"' in page and "It is being looked at now." in page
    assert AuditEntry.objects.filter(action="installation.examine", actor=admin).count() == 1
    kept.keep(FOUND)
    kept.ask(admin)


def test_a_look_that_died_is_said_and_can_be_repeated(world: World) -> None:
    admin = person("admin")
    kept.ask(admin)
    Examination.objects.update(asked_at=Now() - kept.LIMIT)
    assert "did not come to an end" in world.client("admin").get("/doctor/").content.decode()
    kept.ask(admin)


def test_only_who_administers_may_ask(world: World) -> None:
    with pytest.raises(Refused, match="for administrators"):
        kept.ask(person("operations-lead"))


def test_the_button_has_it_looked_at_in_a_process_of_its_own(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url())
    seed_roles()
    kept.ask(person("admin"))
    found = until(lambda: Examination.objects.exclude(done_at=None).first(), what="a look")
    assert found.asked_at is None
    assert {"PostgreSQL", "Redis", "disk"} <= {one["name"] for one in found.findings}


def test_the_command_keeps_what_it_found(world: World) -> None:
    with pytest.raises(SystemExit):  # no worker is there
        call_command("doctor", keep=True, json=True)
    assert Examination.objects.get().machine == kept.machine()
