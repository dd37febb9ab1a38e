"""Values that do harm where one becomes more than a value: part of a script, a statement, an address.

Whatever runs one of them as a command makes a file `canary` in its working directory.
"""

from itertools import product

_TOUCH = "touch canary"
_RUN = (
    f";{_TOUCH}",
    f"; {_TOUCH} #",
    f"& {_TOUCH} &",
    f"&& {_TOUCH}",
    f"| {_TOUCH}",
    f"|| {_TOUCH}",
    f"$({_TOUCH})",
    f"`{_TOUCH}`",
    f"${{IFS+$({_TOUCH})}}",
    f"$(({_TOUCH}))",
    f"a[$({_TOUCH})]",
    f"<({_TOUCH})",
    f"{_TOUCH.replace(' ', '${IFS}')}",
    f"() {{ :; }}; {_TOUCH}",
    f"\n{_TOUCH}\n",
    f"\r\n{_TOUCH}\r\n",
    f"\n.shell {_TOUCH}\n",
    f"\n\\! {_TOUCH}\n",
    f"'); SELECT edit('x', '{_TOUCH}'); --",
    f"\nimport os; os.system('{_TOUCH}')\n",
)
_CLOSING = ("", "'", '"', "'\"", "\\", "\\'", '\\"', "$'", "`", ")", "}", "))", "*/", "EOF\n", "$$")
_ODD = (
    *(
        "-rf",
        "--",
        "--help",
        "-",
        "-c",
        "--version",
        "@/etc/passwd",
        "|touch canary",
        "file:canary",
    ),
    *("*", "?", "~", "~root", "[a-z]*", "{a,b}", "!!", "!1", "^a^b", "#", "# comment", "."),
    *("${IFS}", "$IFS", "$$", "${HOME}", "$HOME", "$", "${", "${}", "$(", "`", "$((1", ":NAME"),
    *("'", '"', "''", '""', "'\"'\"'", "\\", "\\\\", "\\n", "\\0", "\\x00", "\\047", "\\u0027"),
    *("%n", "%s%s%s%n", "%", "%%", "%00", "%0d%0aX-Evil: 1", "%2e%2e%2f", "{0}", "{{7*7}}", "{%"),
    *("' OR '1'='1", "'; DROP TABLE t; --", "1; DROP TABLE t", "' UNION SELECT 1 --", "/*", "*/"),
    *(
        ":'A'",
        ':"A"',
        ":{?A}",
        ":A",
        "@A",
        "?1",
        "$1",
        "::text",
        "E'\\''",
        "$$x$$",
        "x'00'",
        "NULL",
    ),
    *(
        "../../etc/passwd",
        "/etc/passwd\0.txt".replace("\0", "%00"),
        "//evil.example",
        "\\\\evil\\x",
    ),
    *("http://evil.example/", "user@evil.example", "a?b=c&d=e#f", "127.0.0.1:22", "javascript:1"),
    *(
        "a\r\nX-Evil: 1\r\n\r\nb",
        "\n",
        "\r",
        "\t",
        " ",
        "  two  words  ",
        "\n\na\n\n",
        "a\n",
        "\v\f",
    ),
    *("a=b", "=", "PATH=/evil", "\nPATH=/evil\n", 'x"\ndeclare -x PATH="/evil"\n', "\\0PATH=/evil"),
    *(
        "\x01\x02\a\b\x1b[31m\x7f",
        "\x1b]0;title\a",
        "\x1b[2J",
        "\x80",
        "\x9b31m",
        "\ufeff",
        "\ufffd",
    ),
    *(
        "🎉",
        "é",
        "e\u0301",
        "ﷺ",
        "\u202eabc",
        "\u200b",
        "\u2028",
        "\u00a0",
        "Ａ",
        "’",
        "İ",
        "𝒳",
        "\U0010ffff",
    ),
    *(
        "<script>alert(1)</script>",
        '"><img src=x>',
        "&lt;",
        "]]>",
        "=cmd()",
        "+1",
        "@SUM(1)",
        "0x1F",
    ),
    *("0", "-1", "1e309", "NaN", "00", "1_000", "٣", "9" * 40, "true", "no", "v1.0.0;id", "1.0\n"),
    *("x" * 4096, "é\n" * 30_000, "'" * 20_000, "\\" * 20_000, "$(" * 20_000, "x" * 120_000),
)

HOSTILE: tuple[str, ...] = tuple(
    dict.fromkeys((*(close + run for close, run in product(_CLOSING, _RUN)), *_ODD))
)

IMPOSSIBLE: dict[str, str] = {
    "NUL": "a\0b",
    "1 MB": "x" * 1_000_000,
}
"""Values that no process can be given: refused by the variable's name."""
