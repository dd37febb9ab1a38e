"""The bodies of blocks: transcripts, requests, approvals, manual actions, children, expected outputs."""

import re
from collections.abc import Mapping

from cvdops.spec import frontmatter, http, sql
from cvdops.spec.attributes import BadValueError, seconds
from cvdops.spec.codes import Notes
from cvdops.spec.document import ROLES, Child, Gate, Sample
from cvdops.spec.kinds import a_block
from cvdops.spec.names import why_not_variable
from cvdops.spec.slugs import SLUG, quote

_HEREDOC = re.compile(r"(?<!<)<<(-?)\s*(['\"]?)([A-Za-z_]\w*)\2")
_COMMENT = re.compile(
    r"\s*#+\s*(?:expected(?:\s+(?:output|result|response))?|(?:sample|example)\s+output|output)\s*:\s*(.*)",
    re.IGNORECASE,
)
_ANY_COMMENT = re.compile(r"(?<=[#\s])(?:expected|sample|example|output)", re.IGNORECASE)
_COMMENT_LINE = re.compile(r"\s*#\s?(.*)")
_YEAR = 366 * 86_400.0
_PROMPT = "$ "


def commented_samples(body: str, line: int) -> tuple[Sample, ...]:
    """The `# Expected output: …` comments of a script whose first line is `line`.

    After a label without text, the comment lines that follow are the text.
    """
    if not _ANY_COMMENT.search(body):
        return ()
    found: list[Sample] = []
    collected: list[str] | None = None
    start = line
    for number, text in enumerate([*body.split("\n"), ""], start=line):
        label = _COMMENT.fullmatch(text)
        more = _COMMENT_LINE.fullmatch(text) if collected is not None and not label else None
        if collected is not None and more:
            collected.append(more[1])
            continue
        if collected and (sample := "\n".join(collected).strip()):
            found.append(Sample(text=sample, line=start))
        collected, start = ([] if label else None), number
        if label and label[1].strip():
            found.append(Sample(text=label[1].strip(), line=number))
            collected = None
    return tuple(found)


def transcript(body: str, line: int) -> tuple[str, tuple[Sample, ...]] | None:
    """The commands after their prompts as a script, and the outputs between; None without a prompt.

    `line` is the file's line of the body's first line.
    """
    return _Transcript(line).read(body) if re.search(r"^\s*\$ ", body, re.MULTILINE) else None


class _Transcript:
    def __init__(self, line: int) -> None:
        self._line = line
        self._script: list[str] = []
        self._output: list[str] = []
        self._output_line = line
        self._samples: list[Sample] = []
        self._heredocs: list[tuple[str, bool]] = []  # delimiter, tabs stripped
        self._open = False  # the command goes on in the next line

    def read(self, body: str) -> tuple[str, tuple[Sample, ...]]:
        for number, text in enumerate(body.rstrip("\n").split("\n")):
            stripped = text.lstrip()
            if self._heredocs:
                self._document(text)
            elif stripped.startswith(_PROMPT):
                self._flush()
                self._command(stripped[len(_PROMPT) :])
            elif self._open or (stripped.startswith("> ") and not self._output and self._script):
                self._command(stripped[2:] if stripped.startswith("> ") else text)
            else:
                if not self._output:
                    self._output_line = self._line + number
                self._output.append(text)
        self._flush()
        return "\n".join(self._script) + "\n", tuple(self._samples)

    def _command(self, text: str) -> None:
        self._script.append(text)
        self._heredocs = [(m[3], m[1] == "-") for m in _HEREDOC.finditer(text)]
        self._open = text.endswith("\\") and not self._heredocs

    def _document(self, text: str) -> None:
        delimiter, tabs = self._heredocs[0]
        line = text.removeprefix("> ")
        self._script.append(line)
        if (line.lstrip("\t") if tabs else line) == delimiter:
            self._heredocs.pop(0)

    def _flush(self) -> None:
        if text := "\n".join(self._output).strip("\n"):
            self._samples.append(Sample(text=text, line=self._output_line))
        self._output = []


def gate(body: str, line: int, notes: Notes) -> Gate:
    """The YAML body of an `approval` block."""
    fields = _Fields(body, line, notes, "approval", "approvers, required, expires, message")
    approvers = fields.strings("approvers")
    if foreign := [name for name in approvers if name not in ROLES]:
        message = f"{quote(', '.join(foreign))}: the portal begins without a role of this name."
        notes.add("RB216", line, message, f"Its roles are: {', '.join(ROLES)}.")
    required = fields.take("required", 1)
    if not isinstance(required, int) or isinstance(required, bool) or not 1 <= required <= 20:
        fields.bad("required", required, "a whole number from 1 to 20")
        required = 1
    expires = str(fields.take("expires", "2h"))
    try:
        limit = seconds(expires, _YEAR)
    except BadValueError as error:
        fields.bad("expires", expires, str(error))
        limit = 7200.0
    message = str(fields.take("message", "") or "").strip()
    fields.finish()
    return Gate(approvers=approvers, required=required, expires=limit, message=message)


def child(body: str, line: int, notes: Notes) -> Child:
    """The YAML body of a `runbook` block."""
    fields = _Fields(body, line, notes, "runbook", "runbook, procedure, variables")
    runbook = str(fields.take("runbook", "") or "")
    if fields.readable and not SLUG.fullmatch(runbook):
        fields.bad("runbook", runbook, "the id of a runbook")
    procedure = str(fields.take("procedure", "") or "")
    given = fields.take("variables", None) or {}
    variables: dict[str, str] = {}
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if why_not_variable(name) or isinstance(value, dict | list):
            fields.bad(f"variables: {name}", value, "a variable's name and a plain value")
        else:
            variables[name] = scalar_text(value)
    if not isinstance(given, Mapping):
        fields.bad("variables", given, "names and values")
    fields.finish()
    return Child(runbook=runbook, procedure=procedure, variables=variables)


def why_not_request(body: str) -> http.RequestError | None:
    """What is wrong with the body of an `http` block."""
    try:
        http.read(body)
    except http.RequestError as error:
        return error
    return None


def why_not_statements(body: str) -> sql.StatementError | None:
    """What is wrong with the body of an `sql` block."""
    try:
        sql.check(body)
    except sql.StatementError as error:
        return error
    return None


def instruction(body: str, line: int, notes: Notes) -> str:
    """What a `manual` block asks for: its YAML `message` or `instruction`, else its plain text."""
    try:
        value = frontmatter.load(body).value
    except frontmatter.YamlError:
        return body.strip()
    if isinstance(value, dict):
        for key in ("message", "instruction"):
            if isinstance(value.get(key), dict | list):
                message = f"{key}: {quote(value[key])} of this manual block is wrong."
                notes.add("RB206", line, message, "It has to be a text: what the person is to do.")
            elif value.get(key) is not None:
                return str(value[key]).strip()
    return body.strip()


def scalar_text(value: object) -> str:
    """A YAML scalar as the text of a variable."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Fields:
    """The keys of a YAML body; what is unknown, bad or left over becomes a diagnostic."""

    def __init__(self, body: str, line: int, notes: Notes, kind: str, known: str) -> None:
        self._line, self._notes, self._kind, self._known = line, notes, kind, known
        self._values: dict[str, object] = {}
        self.readable = True
        try:
            value = frontmatter.load(body).value
        except frontmatter.YamlError as error:
            self.readable = False
            message, hint = f"In this {kind} block: {error}", f"It takes: {known}."
            notes.add("RB206", line + error.line, message, hint)
            return
        if isinstance(value, dict):
            self._values = dict(value)
        elif value is not None:
            self.readable = False
            self._note(f"The body of {a_block(kind)} has to be lines of “key: value”.")

    def _note(self, message: str) -> None:
        self._notes.add("RB206", self._line, message, f"It takes: {self._known}.")

    def take(self, key: str, default: object) -> object:
        return self._values.pop(key, default)

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.take(key, None)
        values = value if isinstance(value, list) else [] if value is None else [value]
        if not all(isinstance(v, str) and v.strip() for v in values):
            self.bad(key, value, "a name or a list of names")
            return ()
        return tuple(str(v).strip() for v in values)

    def bad(self, key: str, value: object, wanted: str) -> None:
        self._note(f"{key}: {quote(value)} is wrong; it has to be {wanted}.")

    def finish(self) -> None:
        for key in self._values:
            self._note(f"{a_block(self._kind).capitalize()} has no key {quote(key)}.")
