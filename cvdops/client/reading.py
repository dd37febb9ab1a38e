"""The commands that look: the catalog, executions, their output, requests, what the rules say of a file."""

import base64
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cvdops.client import plans
from cvdops.client.story import Exit
from cvdops.client.watched import waits_for
from cvdops.client.wire import Portal, Told
from cvdops.lib.console import Console, table
from cvdops.lib.sgr import Sgr
from cvdops.lib.visible import visible

PIECE = 1 << 20  # bytes of output that are in memory at once
_NUMBER = re.compile(r"#?(\d{1,18})")


def identify(portal: Portal, named: str) -> str:
    """The id of an execution that is named by it or by its number. Raises Told."""
    match = _NUMBER.fullmatch(named)
    if match is None:
        return named
    for found in portal.items("executions", limit=200, q=f"#{match[1]}"):
        if found["number"] == int(match[1]):
            return str(found["id"])
    text = f"There is no execution {named}, or you may not see it."
    raise Told(404, {"code": "not_found", "detail": text})


def runbooks(portal: Portal, console: Console, options: Namespace) -> Exit:
    """What there is to run; of one that is named, its procedures, variables and steps."""
    if options.runbook:
        found = portal.get("runbooks", options.runbook)
        if options.json:
            console.say_json(found)
        else:
            tell(console, _runbook(found))
        return Exit.SUCCEEDED
    items = list(portal.items("runbooks", limit=1000, category=options.category))
    if options.json:
        console.say_json({"items": items})
        return Exit.SUCCEEDED
    rows: list[Mapping[str, str]] = [
        {
            "id": one["id"],
            "version": (one["current"] or {}).get("label") or "–",
            "category": one["category"],
            "title": visible(one["title"]),
        }
        for one in items
    ]
    columns = {"id": "RUNBOOK", "version": "VERSION", "category": "CATEGORY", "title": "TITLE"}
    tell(console, table(rows, columns))
    return Exit.SUCCEEDED


def plan(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Every command of an execution, as who approves it sees them."""
    execution = identify(portal, options.execution)
    found = portal.get("executions", execution, "plan")
    if options.json:
        console.say_json(found)
    else:
        where = portal.get("executions", execution)["environment"]
        tell(console, list(plans.plan(found, where)))
    return Exit.SUCCEEDED


def show(portal: Portal, console: Console, options: Namespace) -> Exit:
    """One execution, with its steps."""
    found = portal.get("executions", identify(portal, options.execution))
    if options.json:
        console.say_json(found)
    else:
        tell(console, execution(found, portal))
    return Exit.SUCCEEDED


def output(portal: Portal, console: Console, options: Namespace) -> Exit:
    """What a step has written, byte for byte; on a terminal without what would move its cursor."""
    path = ("executions", identify(portal, options.execution), "steps", options.step, "output")
    if options.json:
        console.say_json(_contents(b"".join(_pieces(portal, path, options)), options.offset))
        return Exit.SUCCEEDED
    shown = Sgr(colours=console.shows_colours()) if console.out.isatty() else None
    for data in _pieces(portal, path, options):
        console.write(shown.feed(data) if shown else data)
    if shown:
        console.write(shown.end())
    return Exit.SUCCEEDED


def _pieces(portal: Portal, path: tuple[str, ...], options: Namespace) -> Iterator[bytes]:
    """All of one attempt: a step that begins anew meanwhile begins another output."""
    of, offset = {"host": options.host, "attempt": options.attempt}, options.offset
    while (answer := portal.fetch(*path, most=PIECE, offset=offset, **of)).data:
        yield answer.data
        offset += len(answer.data)
        of["attempt"] = answer.headers["X-Attempt"]


def _contents(data: bytes, offset: int) -> dict[str, object]:
    """Bytes as JSON can hold them. `next_offset`: where what comes later begins."""
    try:
        encoding, content = "utf-8", data.decode()
    except UnicodeDecodeError:
        encoding, content = "base64", base64.b64encode(data).decode()
    end = offset + len(data)
    return {"offset": offset, "next_offset": end, "encoding": encoding, "content": content}


def approvals(portal: Portal, console: Console, options: Namespace) -> Exit:
    """The requests that wait, or all."""
    state = None if options.all else "open"
    items = list(portal.items("approvals", limit=options.limit, state=state))
    if options.json:
        console.say_json({"items": items})
        return Exit.SUCCEEDED
    for one in items:
        tell(console, request(one))
        console.say("")
    if not items:
        console.tell("Nothing waits for an approval that you may see.")
    return Exit.SUCCEEDED


def lint(portal: Portal, console: Console, options: Namespace) -> Exit:
    """The rules of the portal, for a file that is not in its catalog yet."""
    path: Path = options.file
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Told(
            0, {"code": "file", "detail": f"{path} cannot be read: {error.strerror}."}
        ) from None
    found = portal.post("lint", body={"text": text, "name": path.name})
    if options.json:
        console.say_json(found)
    else:
        for one in found["findings"]:
            hint = f" {one['hint']}" if one["hint"] else ""
            place = f"{path}:{one['line']}: {one['severity']}"
            console.say(visible(f"{place}: {one['message']}{hint} [{one['code']}]"))
        console.tell(f"{len(found['findings'])} findings in {path}.")
    wrong = any(one["severity"] == "error" for one in found["findings"])
    return Exit.FAILED if wrong else Exit.SUCCEEDED


def execution(found: Mapping[str, Any], portal: Portal) -> list[str]:
    """An execution as lines."""
    requests = [line for one in found["approvals"] for line in ("", *request(one))]
    return [*facts(found, portal), *requests, "", *steps(found)]


def executions(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """A list of executions as lines."""
    rows: list[Mapping[str, str]] = [
        {
            "number": f"#{one['number']}",
            "state": one["state"],
            "what": f"{one['runbook']}/{one['procedure']}",
            "where": one["environment"],
            "who": one["requested_by"],
            "when": one["created_at"][:16].replace("T", " "),
            "why": visible(" ".join(one["reason"].split()))[:60],
        }
        for one in items
    ]
    columns = {
        "number": "NUMBER",
        "state": "STATE",
        "what": "RUNBOOK",
        "where": "ENVIRONMENT",
        "who": "BY",
        "when": "ASKED FOR (UTC)",
        "why": "REASON",
    }
    return table(rows, columns)


def facts(found: Mapping[str, Any], portal: Portal) -> list[str]:
    """What an execution runs with which values, and how it stands, as lines."""
    lines = [
        f"#{found['number']} {found['runbook']} {found['version']}, {found['procedure']}, in "
        f"{found['environment']}: {found['state'].replace('_', ' ')}",
        f"Asked for by {found['requested_by']} at {found['created_at']}: {found['reason']}",
        f"Plan {found['plan_digest']}",
        portal.page(found["url"]),
        *(f"  {name}={value}" for name, value in found["variables"].items()),
    ]
    if found["outcome"]:
        lines.append(found["outcome"])
    if waits := found["waiting_for"]:
        lines.append(f"It waits: {waits_for(waits)}")
    return lines


def steps(found: Mapping[str, Any]) -> list[str]:
    """The steps of an execution, as they stand, as lines; then what there is to say of them."""
    rows: list[Mapping[str, str]] = [
        {
            "id": step["id"],
            "host": step["host"] or "–",
            "state": step["state"],
            "code": "" if step["exit_code"] is None else str(step["exit_code"]),
            "title": step["title"],
        }
        for step in found["steps"]
    ]
    columns = {"id": "STEP", "host": "HOST", "state": "STATE", "code": "EXIT", "title": "TITLE"}
    notes = [
        f"{step['id']}{' on ' * bool(step['host'])}{step['host']}: {visible(step['note'])}"
        for step in found["steps"]
        if step["note"]
    ]
    return [*table(rows, columns), *notes]


def request(found: Mapping[str, Any]) -> list[str]:
    """A request for approval as lines."""
    needs = [
        f"  {g['missing']} of {g['required']} missing: {' or '.join(g['approvers'])}"
        for g in found["groups"]
    ]
    said = [
        f"  {d['decision']} by {d['user']} at {d['at']}: {d['comment']}" for d in found["decisions"]
    ]
    return [
        f"{found['title']} in {found['environment']}: {found['state']}",
        f"  {found['id']}, of execution {found['execution']}",
        f"  asked for by {found['requested_by']} at {found['created_at']}, until {found['expires_at']}",
        *needs,
        *said,
        f"  plan digest {found['plan_digest']}",
    ]


def _runbook(found: Mapping[str, Any]) -> list[str]:
    version = found["current"] or {}
    lines = [f"{found['id']} {version.get('label') or ''}: {found['title']}".strip()]
    for procedure in found["procedures"]:
        steps = ", ".join(procedure["steps"])
        lines.append(f"  --procedure {procedure['key']}: {procedure['title']} ({steps})")
    for one in found["variables"]:
        given = "required" if one["required"] else f"default {one['default'] or 'empty'}"
        kind = "secret" if one["secret"] else one["type"]
        lines.append(f"  --var {one['name']}=…: {kind}, {given}. {one['description']}".rstrip())
    return lines


def tell(console: Console, lines: list[str]) -> None:
    """The lines, with whatever would not be seen made visible."""
    for line in lines:
        console.say(visible(line))
