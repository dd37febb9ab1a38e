"""`manage.py demo`."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from cvdops.access.models import RoleGrant
from cvdops.accounts.models import User
from cvdops.catalog.origin import Origin
from cvdops.environments.models import AllowedAddress, Environment, EnvironmentVariable, Period
from cvdops.web.people import PASSWORD, PEOPLE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Settings) -> Path:
    settings.RUNBOOKS, settings.PRACTICE_DIR = Origin(str(tmp_path)), tmp_path
    (tmp_path / "environment.json").write_text(json.dumps({"BASE_URL": "http://localhost:1"}))
    return tmp_path


def test_there_is_one_person_per_role_who_can_log_in() -> None:
    call_command("demo")
    held = RoleGrant.objects.values_list("user__username", "role_id")
    assert set(held) == {(name, name) for name, _ in PEOPLE}
    assert Client().login(username="auditor", password=PASSWORD)


def test_windows_are_those_of_the_mission_and_stay_as_people_make_them() -> None:
    call_command("demo")
    windows = Period.objects.values_list("environment", "name")
    assert set(windows) == {("production", "Sunday night"), ("staging", "Wednesday evening")}
    Period.objects.all().delete()
    call_command("demo")
    assert not Period.objects.exists()


def test_again_changes_nothing_but_the_practice_variables(folders: Path) -> None:
    call_command("demo")
    before = list(User.objects.values_list("username", "password"))
    (folders / "environment.json").write_text(json.dumps({"BASE_URL": "http://localhost:2"}))
    call_command("demo")
    assert list(User.objects.values_list("username", "password")) == before
    assert EnvironmentVariable.objects.get(name="BASE_URL").value == "http://localhost:2"


def test_requests_reach_the_practice_cvd_where_it_is_now(folders: Path) -> None:
    call_command("demo")
    Environment.objects.get(pk="development").addresses.create(host="other.example", port=443)
    (folders / "environment.json").write_text(json.dumps({"BASE_URL": "http://localhost:2"}))
    for _ in range(2):
        call_command("demo")
        assert [str(a) for a in AllowedAddress.objects.all()] == [
            "localhost:2",
            "other.example:443",
        ]


def test_staging_and_production_wait_for_their_hosts() -> None:
    call_command("demo")
    found = {e.slug: (e.protected, e.hosts.count()) for e in Environment.objects.all()}
    assert found == {"development": (False, 1), "staging": (False, 0), "production": (True, 0)}


def test_production_refuses_it(settings: Settings) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="password is public"):
        call_command("demo")
    assert not User.objects.exists()
