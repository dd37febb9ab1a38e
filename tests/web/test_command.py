"""A command as people see it before it runs: each value beside its variable, where it is sure."""

import re

import pytest
from django.template.loader import render_to_string

from cvdops.executions.inputs import Input
from cvdops.web.templatetags.portal import command

VERSION = Input("VERSION", "v1.0.1", fixed=True)


def shown(*asked: object) -> str:
    """Values in « », those that stand below in brackets."""
    html = render_to_string("_command.html", command(*asked))  # type: ignore[arg-type]
    html = re.sub(r'<span class="is">.* is </span>(.*?)</span>', r"«\1»", html)
    html = re.sub("<dt><code>(.*?)</code></dt><dd><code>(.*?)</code></dd>", r"[\1 \2]", html)
    return re.sub("<.*?>|\n", "", html)


def test_it_is_escaped_and_its_variables_are_marked() -> None:
    html = render_to_string("_command.html", command('echo "<b>" ${NAME}$X'))
    marked = '<span class="v">${NAME}</span><span class="v">$X</span>'
    assert f"echo &quot;&lt;b&gt;&quot; {marked}</code>" in html


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("bash", 'git checkout "$VERSION"', "git checkout &quot;$VERSION«v1.0.1»&quot;"),
        ("sh", "echo ${VERSION} $OTHER", "echo ${VERSION}«v1.0.1» $OTHER"),
        ("python", "os.environ['VERSION']", "os.environ[&#x27;VERSION&#x27;«v1.0.1»]"),
        ("sql", "SELECT :VERSION, 'a'", "SELECT :VERSION«v1.0.1», &#x27;a&#x27;"),
    ],
)
def test_a_value_stands_beside_its_variable(kind: str, body: str, text: str) -> None:
    assert shown(body, kind, [VERSION]) == text


def test_a_part_of_a_value_is_not_shown_as_the_whole() -> None:
    assert shown("echo ${VERSION#v}", "bash", [VERSION]) == "echo ${VERSION#v}[VERSION v1.0.1]"


def test_a_value_that_a_script_may_change_stands_below() -> None:
    changed = VERSION._replace(fixed=False)
    assert shown("echo $VERSION", "bash", [changed]) == "echo $VERSION[VERSION v1.0.1]"


def test_what_would_hide_in_a_value_is_seen_and_nothing_of_it_is_markup() -> None:
    value = VERSION._replace(value="<b>\u202e")
    assert shown("echo $VERSION", "bash", [value]) == "echo $VERSION«&lt;b&gt;⟨U+202E⟩»"
