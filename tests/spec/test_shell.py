"""How far shell scripts are understood."""

import re

import pytest

from cvdops.spec.assignments import assigned
from cvdops.spec.shell import commands, read, variables


def names(script: str) -> list[str]:
    return sorted(c.name for c in commands(read(script)))


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("# comment\ncurl x", ["curl"]),
        ("A=1 B=2 curl x", ["curl"]),
        ("sudo -u cvd /usr/bin/git status | grep -q x && jq .", ["/usr/bin/git", "grep", "jq"]),
        ("if ! curl x; then wget y; fi", ["curl", "wget"]),
        ('A="$(sqlite3 "${DB}" "SELECT (1); DROP")"', ["sqlite3"]),
        ("echo \"it's; fine\" 'x; y'", ["echo"]),
        ("N=$((A * 2)); L=(a b c)", []),
        ('case "$x" in\n  start) one ;;\n  *) two ;;\nesac', ["one", "two"]),
        ("f() { one; }\nf", ["one"]),
        ("cat <<'EOF'\nnot here\nEOF\nls", ["cat", "ls"]),
        ("curl \\\n  -H x \\\n  y | jq .", ["curl", "jq"]),
        ("for f in a b; do one; done < <(two)", ["one", "two"]),
        ("cat <<< word\nls", ["cat", "ls"]),
        ("echo 'open\nls", ["echo", "ls"]),
    ],
)
def test_the_commands_of_a_script(script: str, found: list[str]) -> None:
    assert [n for n in names(script) if re.fullmatch(r"[\w/]+", n)] == found


def test_commands_know_their_line_and_wrappers() -> None:
    found = {
        c.name: c for c in commands(read('x "a\nb"\nA="$(one\ntwo)"\nsudo timeout 5 tail -f y'))
    }
    assert {name: c.line for name, c in found.items()}["two"] == 3
    assert (found["tail"].line, found["tail"].wrappers) == (4, ("sudo", "timeout"))


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('echo "${A}" $B', ["A", "B"]),
        ("echo '$A' \\$B # $C", []),
        ("echo ${A:-x} ${B:=x} ${C%.*}", ["C"]),
        ("cat <<EOF\n$A\nEOF", ["A"]),
        ("cat <<'EOF'\n$A\nEOF", []),
        ("echo $1 $? $$ $@", []),
    ],
)
def test_the_variables_that_must_be_set(script: str, found: list[str]) -> None:
    assert [name for name, _ in variables(read(script))] == found


def test_what_a_script_sets() -> None:
    script = "A=1\nexport B=2 C=3\nfor D in x; do read -r E F; done\n  G+=x; if x; then H=1; fi"
    assert assigned(script) >= set("ABCDEFGH")
