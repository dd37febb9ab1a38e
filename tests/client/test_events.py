"""Server-sent events, by the rules of their standard."""

from cvdops.client.events import Message, messages


def read(text: str) -> list[Message]:
    return list(messages(iter(text.encode().splitlines(keepends=True))))


def test_events_with_their_ids_and_data_of_several_lines() -> None:
    found = read("retry: 1500\n\n: hello\nevent: state\nid: 7\ndata: a\ndata: b\n\ndata:c\n\n")
    assert found == [
        Message("message", "", "", 1.5),
        Message("state", "a\nb", "7"),
        Message("message", "c", "7"),
    ]


def test_an_event_that_is_cut_off_does_not_count() -> None:
    assert read("event: state\nid: 7\ndata: a\n") == []
