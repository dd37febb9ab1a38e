"""Documents with one planted defect each. The line before each `^ code` has that finding."""

PROCEDURES = "---\nformat: 1\ncategory: incidents\n---\n# T\n\n## Procedures\n\n"
UNDO = "\n## Rollback\n\n```bash {#undo}\ntrue\n```\n"


def block(info: str, body: str = "true\n", after: str = "") -> str:
    """An annotated document with one block."""
    return f"{PROCEDURES}```{info}\n{body}```\n{after}"


def header(lines: str) -> str:
    """An annotated document with these lines in its front matter."""
    return f"---\n{lines}---\n# T\n\n## Procedures\n\n```bash\ntrue\n```\n"


def plain(text: str) -> str:
    return f"# T\n\n## Procedures\n\n{text}"


CONTROL, HIDDEN, CYRILLIC = "\x07", "\u202e", "\u0433"
DEFECTS: tuple[str, ...] = (
    plain(f"A {CONTROL}\n^ RB003\n\n```bash\ntrue\n```\n"),
    plain("```bash\n^ RB004\ntrue\n"),
    "## Procedures\n^ RB005\n\n```bash\ntrue\n```\n",
    # Front matter
    header("id: x\nowner: [a\n").replace("---\n# T", "---\n^ RB101\n# T"),
    "---\n^ RB101\nid: x\n# T\n\n## Procedures\n\n```bash\ntrue\n```\n",
    "\n---\n^ RB101\nid: x\n---\n# T\n\n## Procedures\n\n```bash\ntrue\n```\n",
    header("id: x\nid: y\n^ RB102\n"),
    header("format: 1\ncolour: red\n^ RB103\n"),
    header("format: 2\n^ RB104\n"),
    header("id: x\ntested: {environment: 3, every: century}\n^ RB104\n"),
    header('id: x\nlocks: [a b, "../x"]\n^ RB104\n'),
    header("id: x\nbackup: {runbook: a, within: 90d}\n^ RB104\n"),
    header("id: x\ncategory: cooking\n^ RB104\n"),
    header("procedures:\n  procedures:\n    bogus: 1\n^ RB104\n"),
    header("procedures:\n  procedures: {sections: procedures}\n^ RB104\n"),
    header("procedures:\n  procedures: [a]\n^ RB104\n"),
    header("procedures: all\n^ RB104\n").replace("```bash", "```bash\n^ RB306\n^ RB307@1"),
    header("id: No Slug\n^ RB105\n"),
    header("variables:\n  A: {type: integer, minimum: 5, maximum: 1}\n^ RB106\n"),
    header("variables:\n  A: {default: x}\n  PATH: {default: x}\n^ RB106\n"),
    header("variables: [A]\n^ RB106\n"),
    header("variables:\n  A:\n    {pattern: '(a+)+$'}\n").replace("  A:\n", "  A:\n^ RB107\n"),
    "# T\n**Owner**: me\n^ RB108\n\n## Procedures\n\n```bash\ntrue\n```\n",
    "# T\n\n## Metadata\n- Owner: me\n^ RB108\n\n## Procedures\n\n```bash\ntrue\n```\n",
    "# T\n\n## Metadata\n- **Category**: Cooking\n^ RB109\n\n## Procedures\n\n```bash\ntrue\n```\n",
    "# T\n\n## Metadata\n- **Category**: Tuning\n^ RB110\n\n## Procedures\n\n```bash\ntrue\n```\n",
    header("variables:\n  A: x\n  DATA_DIR: {type: path}\n^ RB111\n"),
    header("variables:\n  A: x\n  B: {required: true, default: x}\n^ RB112\n"),
    # Blocks and their attributes
    block("bash {#a timeout\n^ RB201"),
    block("bash {#a" + " x" * 5_000 + " y" * 5_000 + "}\n^ RB201" + "\n^ RB202" * 2),
    block("bash {colour=red}\n^ RB202"),
    block("bash {timeout=soon}\n^ RB203"),
    block("bash {checkpoint=maybe}\n^ RB203"),
    block("bash {#a}", after="\n```bash {#a}\n^ RB204\ntrue\n```\n"),
    block("bash {rollback=nowhere}\n^ RB205"),
    block("approval", "required: all\n^ RB206\n"),
    block("approval", "approvers: [cto]\ncolour: red\n").replace("[cto]", "[cto]\n^ RB206"),
    block("approval", "approvers: [cto]\nrequired: [\n```\n^ RB206\n").replace(
        "\n^ RB206\n```", "\n^ RB206"
    ),
    block("runbook", "foo\n^ RB206\n"),
    block("manual", "message: [a, b]\n^ RB206\n"),
    block("http", "GET http://x\n\nfoo\n^ RB206\n"),
    block("sql", ".tables\n^ RB206\n"),
    block("bash {rollback=b}\n^ RB207", after="\n```bash {#b}\ntrue\n```\n"),
    block("bash {expect=exact}\n^ RB208"),
    block('bash {when="NOBODY"}\n^ RB209'),
    block('bash {when="A = b"}\n^ RB209'),
    block("bash {expect=regex}", after="\n```output\n^ RB210\n(a+)+$\n```\n"),
    plain("```console\n^ RB211\nls\n```\n\n```bash\ntrue\n```\n"),
    plain("> ```bash\n^ RB212\n> ls\n> ```\n\n```bash\ntrue\n```\n"),
    plain("<pre>\n```bash\n^ RB212\nls\n```\n</pre>\n\n```bash\ntrue\n```\n"),
    plain("```zsh\n^ RB212\nls\n```\n\n```bash\ntrue\n```\n"),
    plain("```text\n^ RB212\nsystemctl stop x\n```\n\n```bash\ntrue\n```\n"),
    plain("```\n^ RB212\nrm -rf /tmp/x\n```\n\n```bash\ntrue\n```\n"),
    plain("```sql\n^ RB212\n.tables\n```\n\n```bash\ntrue\n```\n"),
    plain("```http\n^ RB212\nHTTP/1.1 200 OK\n```\n\n```bash\ntrue\n```\n"),
    plain("```bash\n^ RB213\n$ ls\na\n```\n"),
    block("approval", "approvers: [boss]\n").replace("approval\n", "approval\n^ RB216@10\n"),
    block("sql\n^ RB217", ""),
    block("console", "$ ls\na\n# systemctl stop x\n^ RB218\n"),
    block("sh", "> echo hi\n^ RB219\n"),
    block("python", "\n>>> print(1)\n^ RB219\n"),
    # Structure
    "# T\n\n## Deployment Steps\n^ RB302\n\n```bash\ntrue\n```\n",
    plain("```bash\ntrue\n```\n\n## Appendix\n^ RB303\n\n```bash\ntrue\n```\n"),
    header("procedures:\n  procedures: {sections: [procedures, nowhere]}\n^ RB304\n"),
    "# T\n\n## Procedures\n^ RB305\n\n### A\n\n```bash\ntrue\n```\n",
    header("procedures:\n  a: {sections: [procedures], steps: []}\n^ RB309\n").replace(
        "```bash", "```bash\n^ RB306"
    ),
    "# T\n^ RB307\n\n## Overview\n",
    header("procedures:\n  procedures: {preparation: [nowhere]}\n^ RB308\n"),
    "# T\n\n## Procedures {section=cellar}\n^ RB310\n^ RB307@1\n",
)
