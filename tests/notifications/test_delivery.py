"""What lies in the outbox is sent, to a real web server, once by each worker that comes."""

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from cvdops.notifications import services
from cvdops.notifications.delivery import TRIES, Courier, send, take
from cvdops.notifications.models import Message
from tests.http_server import HttpServer, answer
from tests.waiting import until

PATH = "/approvals/1/"


@pytest.fixture
def outside(settings: Settings) -> Iterator[HttpServer]:
    with HttpServer() as server:
        settings.NOTIFY = {"hook": f"json://127.0.0.1:{server.port}/"}
        settings.PORTAL_URL = "https://ops.example.com"
        yield server


@pytest.mark.django_db
def test_a_message_arrives_with_the_way_to_its_page(outside: HttpServer) -> None:
    assert services.announce(key="one", text="A hold on production", path=PATH)
    message = take()
    assert message is not None
    assert send(message)
    sent = json.loads(outside.last.partition(b"\r\n\r\n")[2])
    assert sent["title"] == "CVD Ops: A hold on production"
    assert "https://ops.example.com/approvals/1/" in sent["message"]
    message.refresh_from_db()
    assert (message.due_at, message.error) == (None, "")


@pytest.mark.django_db
def test_the_same_is_written_once(outside: HttpServer) -> None:
    for _ in range(3):
        services.announce(key="one", text="A hold", path=PATH)
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_who_takes_a_message_has_it_alone(outside: HttpServer) -> None:
    services.announce(key="one", text="A hold", path=PATH)
    assert take() is not None
    assert take() is None


@pytest.mark.django_db
def test_what_is_not_taken_is_tried_again_later_and_given_up_at_last(outside: HttpServer) -> None:
    outside.answers = answer(b"no", "500 Internal Server Error")
    services.announce(key="one", text="A hold", path=PATH)
    message = take()
    assert message is not None
    assert not send(message)
    message.refresh_from_db()
    assert (message.error, message.sent_at) == ("hook did not take it.", None)
    assert message.due_at is not None
    message.tries = TRIES
    message.save()
    assert not send(message)
    message.refresh_from_db()
    assert message.due_at is None


@pytest.mark.django_db
def test_a_channel_that_is_gone_is_said(outside: HttpServer, settings: Settings) -> None:
    services.announce(key="one", text="A hold", path=PATH)
    settings.NOTIFY = {}
    message = take()
    assert message is not None
    assert not send(message)
    assert "no channel hook" in Message.objects.get().error


@pytest.mark.django_db
def test_without_mail_nobody_gets_a_mail(outside: HttpServer) -> None:
    services.write(["a@example.com"], key="one", text="A hold", path=PATH)
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_courier_sends_all_that_is_due(outside: HttpServer) -> None:
    for number in range(3):
        services.announce(key=str(number), text=f"Number {number}", path=PATH)
    Courier().go()
    until(lambda: Message.objects.filter(sent_at__isnull=False).count() == 3)
    assert len(outside.requests) == 3
