"""Windows and freezes on the page of an environment: proposed by one person, confirmed by another."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from icalendar import Calendar

from cvdops.changes import services
from cvdops.changes.models import Change
from cvdops.environments.models import Period
from tests.cast import person
from tests.web.world import World

NEW = {
    "name": "Sunday night",
    "starts_at": "2026-01-04T02:00",
    "ends_at": "2026-01-04T04:00",
    "repetition": "weekly",
    "reason": "as agreed",
}
STAGING = "/environments/staging/"


@pytest.fixture
def lead(world: World) -> Client:
    return world.client("operations-lead")


def propose(client: Client, kind: str = "window", **typed: str) -> str:
    """The answer; empty if it was proposed."""
    answer = client.post(f"{STAGING}windows/add/{kind}/", {**NEW, **typed})
    assert answer.status_code in {302, 422}, answer.content
    return "" if answer.status_code == 302 else answer.content.decode()


def confirmed() -> None:
    services.confirm(person("admin"), Change.objects.get(state="proposed").pk)


def test_a_window_is_there_when_a_second_person_has_confirmed_it(lead: Client) -> None:
    assert propose(lead) == ""
    assert not Period.objects.exists()
    assert "a second person has to confirm it" in lead.get(STAGING).content.decode()
    confirmed()
    assert "Sundays 02:00–04:00 UTC" in lead.get(STAGING).content.decode()


def test_a_window_is_changed_and_taken_away(world: World, lead: Client) -> None:
    address = f"{STAGING}windows/{world.window('staging').pk}/"
    assert lead.post(address, {**NEW, "ends_at": "2026-01-04T06:00"}).status_code == 302
    confirmed()
    assert Period.objects.get().minutes == 240
    assert lead.post(f"{address}remove/", {"reason": "no longer"}).status_code == 302
    confirmed()
    assert not Period.objects.exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"ends_at": "2026-01-04T02:00"}, "It ends before it begins."),
        ({"ends_at": "2026-01-03T04:00"}, "It ends before it begins."),
        ({"ends_at": "2026-01-13T04:00"}, "It comes again before it is over: shorten it."),
        ({"last": "2025-12-31"}, "It never comes: its last day lies before its first."),
        ({"starts_at": "yesterday"}, "Enter a valid date/time."),
        ({"repetition": "hourly"}, "not one of the available choices"),
        ({"reason": " "}, "This field is required."),
    ],
)
def test_what_cannot_be_a_window_is_refused(
    lead: Client, typed: dict[str, str], words: str
) -> None:
    assert words in propose(lead, **typed)
    assert not Change.objects.exists()


def test_windows_of_one_environment_do_not_overlap(world: World, lead: Client) -> None:
    world.window("staging")
    again = propose(lead, name="Again", starts_at="2026-01-04T03:00")
    assert "It overlaps with “Sunday night”, first on " in again
    assert propose(lead, "freeze", name="Again", starts_at="2026-01-04T03:00") == ""


def test_two_of_one_name_are_refused(world: World, lead: Client) -> None:
    world.window("staging", starts_at=datetime(2026, 1, 5, 2, tzinfo=UTC))
    assert "There is one of this name already" in propose(lead)


def test_the_confirming_person_reads_what_follows(world: World) -> None:
    key = "staging/Sunday night"
    window = world.window("staging")
    said = services.kind("window").consequences(key, None)
    assert said == ["staging has no window left: it could be changed at any time."]
    value = services.kind("window").current(key)
    window.delete()
    (said,) = services.kind("window").consequences(key, value)
    assert said.startswith("staging could be changed in its windows only.")


def test_times_are_shown_by_the_readers_clock_too(world: World, lead: Client) -> None:
    world.window("staging", starts_at=datetime(2025, 7, 5, 23, tzinfo=UTC), rule="FREQ=YEARLY")
    lead.cookies["zone"] = "Europe/Berlin"
    assert " 01:00 CEST)" in lead.get(STAGING).content.decode()


@pytest.mark.parametrize("zone", ["../../etc/passwd", "Nowhere/City", "posixrules", "x" * 5000])
def test_a_zone_that_is_none_is_utc(world: World, lead: Client, zone: str) -> None:
    world.window("staging")
    lead.cookies["zone"] = zone
    assert lead.get(STAGING).status_code == 200


def feed(client: Client) -> str:
    """The address that the page offers."""
    page = client.get("/environments/").content.decode()
    return page.split('id="feed" value="http://testserver')[1].split('"')[0]


def test_the_calendar_feed_has_every_window_and_freeze(world: World, lead: Client) -> None:
    world.window("staging")
    world.window("production", kind="freeze", name="Sale; with, signs", rule="")
    answer = Client().get(feed(lead))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    freeze, window = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (freeze["SUMMARY"], "RRULE" in freeze) == (
        "Freeze of production: Sale; with, signs",
        False,
    )
    assert window["DTSTART"].dt == datetime(2026, 1, 4, 2, tzinfo=UTC)
    assert window["RRULE"].to_ical() == b"FREQ=WEEKLY;BYDAY=SU"


def test_a_feed_is_its_persons_and_ends_with_the_account(world: World, lead: Client) -> None:
    address, lead_person = feed(lead), person("operations-lead")
    assert Client().get(address.replace(".ics", "x.ics")).status_code == 404
    lead_person.set_password("another-long-password")
    lead_person.save()
    assert Client().get(address).status_code == 404
    lead.force_login(lead_person)
    address = feed(lead)
    assert Client().get(address).status_code == 200
    lead_person.is_active = False
    lead_person.save()
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("kind", ["window", "freeze"])
def test_one_that_is_over_already_is_refused(lead: Client, kind: str) -> None:
    said = propose(lead, kind, repetition="once")
    assert "It was over on" in said and "a time that is still to come" in said
    assert not Change.objects.exists()
