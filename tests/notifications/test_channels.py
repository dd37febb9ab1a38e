"""How the settings name channels."""

import pytest

from cvdops.notifications.channels import WrongChannel, address, parse


def test_each_line_names_a_channel() -> None:
    text = "mail = mailtos://u:p@smtp.example.com?from=ops@example.com\n\n# quiet\nslack=slack://a/b/c\n"
    assert parse(text) == {
        "mail": "mailtos://u:p@smtp.example.com?from=ops@example.com",
        "slack": "slack://a/b/c",
    }


@pytest.mark.parametrize(
    "text", ["mail", "mail=", "Mail=a://b", "a=b", "a=x://b\na=x://c", "a = b://c d"]
)
def test_a_line_that_names_none_is_said_without_its_secret(text: str) -> None:
    with pytest.raises(WrongChannel) as caught:
        parse(text)
    assert "://" not in str(caught.value).replace("name=scheme://address", "")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("m://h", "m://h?to=a%2Bb@c.example"), ("m://h?x=1", "m://h?x=1&to=a%2Bb@c.example")],
)
def test_a_recipient_cannot_add_options(url: str, expected: str) -> None:
    assert address({"mail": url}, "mail", "a+b@c.example") == expected
    assert "&cc" not in address({"mail": url}, "mail", "a@b.example&cc=x@y.example")
