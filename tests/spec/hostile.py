"""Documents that somebody made to be slow or large, by what is wrong with them."""

N = 19_000  # lines: as many as are read, about
STEPS = "".join(f"### s{n}\n```bash {{#s{n}}}\ntrue\n```\n" for n in range(4_500))
BLOCK = "```sh\na\n```\n"
SLOW = "[a-z]{1,9}" * 7 + "!"


def front_matter(text: str, body: str = "") -> str:
    return f"---\n{text}\n---\n{body}"


def procedures(text: str) -> str:
    return f"# P\n\n## Procedures\n{text}"


def script(text: str) -> str:
    return procedures(f"```bash\n{text}\n```\n")


NAMED = {
    "10 MB": "a b c\n" * 1_700_000,
    "label of 80,000 lines": "[a\n" * 80_000,
    "label of 19,000 lines": "[a\n" * N,
    "200,000 div": "<div>" * 200_000,
    "20,000 stars": "*" * 20_000,
    "20,000 emphases": "*a **b " * 20_000,
    "table of 10,000 columns": "|a" * 10_000
    + "|\n"
    + "|-" * 10_000
    + "|\n"
    + "|b" * 10_000
    + "|\n",
    "aliases": front_matter("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]"),
    "depth of 100,000": front_matter("a: " + "[" * 100_000),
    "depth of 30,000": front_matter("a: " + "[" * 30_000),
    "integer of a million digits": front_matter("a: " + "9" * 990_000),
    "integer of 60,000 digits": front_matter("a: " + "9" * 60_000),
    "duplicate keys": front_matter("a: 1\n" * 9_000),
    "tag": front_matter("a: !!python/object/apply:os.system [x]"),
    "merge key": front_matter("a: &a {b: c}\nd: {<<: *a}"),
    "pattern": front_matter(
        'variables: {A: {pattern: "(a+)+$", default: aaaaaaaaaaaaaaaaaaaaaaaaab}}'
    ),
}
MARKDOWN = {
    "open brackets": "[" * 1_000_000,
    "stars and spaces": "* " * 500_000,
    "quotes": "> " * 400_000,
    "links": "[a](b" * 180_000,
    "images": "![" * 300_000,
    "code": "".join("`" * n + "a" for n in range(1, 1_400)),
    "less than": "<a " * 300_000,
    "entities": "&amp" * 200_000,
    "lists": "- a\n" * N,
    "tasks": procedures("- [ ] a\n" * N),
    "headings": "# a\n" * N,
    "headings with markup": "###### *a* `b` [c](d)\n" * N,
    "rows": "|a|b|\n|-|-|\n" + "|c|d|\n" * N,
    "cells": "|" * 1_000 + "a\n" + "|-" * 1_000 + "\n" + ("|" * 1_000 + "\n") * 800,
    "bold lines": "**Owner**: x\n\n" * 9_000,
    "fences": procedures("### a\n" + BLOCK) * 3,
    "attributes": procedures("```bash {" + "a=b " * 200_000 + "}\n```"),
    "lazy quotation": "> a\n" + "b\n" * N,
    "link titles": "[a]: b 'x\n\n" * 9_000,
    "troubleshooting": "## Troubleshooting\n"
    + "### a\n**Symptoms**: b\n**Resolution**: c\n" * 4_800,
    "symptoms": "## Troubleshooting\n" + "**Symptoms" * 90_000,
}
STRUCTURE = {
    "rollback to nowhere": procedures(
        "".join(f"```bash {{#s{n} rollback=x}}\na\n```\n" for n in range(6_000))
    )
    + "## Rollback\n"
    + BLOCK * 300,
    "unknown steps": front_matter(
        "procedures:\n  s0:\n    sections: [procedures]\n    steps: ["
        + ",".join(f"x{n}" for n in range(8_000))
        + "]",
        procedures(STEPS),
    ),
    "unknown headings": front_matter(
        "procedures: {s0: {sections: [" + ",".join(f"x{n}" for n in range(8_000)) + "]}}",
        procedures(STEPS),
    ),
    "many large procedures": front_matter(
        "procedures:\n" + "".join(f" k{n}: {{sections: [procedures]}}\n" for n in range(1_300)),
        "## Preparation\n" + BLOCK * 3_000 + procedures(BLOCK * 3_000),
    ),
    "variables of unknown procedures": front_matter(
        "variables:\n" + "".join(f" V{n}: {{procedures: [x, y]}}\n" for n in range(900)),
        procedures(STEPS),
    ),
    "unused variables": front_matter(
        "variables:\n" + "".join(f" V{n}: {{}}\n" for n in range(5_000)), procedures(BLOCK * 4_000)
    ),
    "refused patterns": front_matter(
        "variables:\n" + "".join(f" K{n}: {{pattern: '(a+)+$'}}\n" for n in range(1_500))
    ),
    "patterns that are slow together": front_matter(
        "variables:\n"
        + "".join(f" K{n}: {{pattern: '{SLOW}', default: {'a' * 57}}}\n" for n in range(300))
    ),
    "conditions": procedures('```bash {when="A == b and not (C in (d, e))"}\na\n```\n' * 4_500),
    "long condition": procedures('```bash {when="' + "not " * 200_000 + 'A"}\na\n```\n'),
}
SCRIPTS = {
    "substitutions": script("$(" * 400_000),
    "quotation marks": script("'\"" * 400_000),
    "here-documents": script("cat <<A <<B\n" * N),
    "comments": script("#" * 900_000),
    "braces": script("${" * 400_000),
    "replacements": script("${A:+" * 150_000),
    "assignments": script("A=$B " * 150_000),
    "programs": script('sh -c "$a ' * 80_000),
    "sample comments": script("# Expected output:\n" * N),
    "findings": script("rm $A \"$B\" '$C' $(ls $D) <x>\n" * N),
    "placeholders": script("ls <a b c d e " * 60_000),
    "transcript": procedures("```console\n" + "$ ls <date>\n" * N + "```\n"),
    "transcripts": procedures("```console\n$ a <<A <<B <<C\n> b\nc\n```\n" * 3_500),
    "regular expressions": procedures(
        "```bash {expect=regex}\na\n```\n" + "```output\n(a+)+$\n```\n" * 6_000
    ),
}
ALL = NAMED | MARKDOWN | STRUCTURE | SCRIPTS

# These take seconds, and as much of them again for each part: of their many lines a quarter does for the
# suite, and all of them for the long form.
LONG = (
    *("headings", "headings with markup", "lists", "tasks", "bold lines", "troubleshooting"),
    *("unknown steps", "unknown headings", "variables of unknown procedures", "unused variables"),
    *("many large procedures", "conditions", "transcripts"),
)


def quarter(name: str) -> str:
    """The first quarter of the lines of one of the long documents."""
    lines = ALL[name].splitlines(keepends=True)
    return "".join(lines[: len(lines) // 4])
