"""The commands that look back: files of the history and the audit log, evidence, two executions compared."""

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from cvdops.client import reading
from cvdops.client.reading import identify
from cvdops.client.story import Exit
from cvdops.client.wire import Portal, Told
from cvdops.lib.console import Console, table
from cvdops.lib.visible import visible

_MOMENTS = ("before", "step", "after")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def moment(text: str) -> str:
    """A time as the API takes it; of a day, its beginning in UTC."""
    if not text.isascii() or not _DAY.match(text):
        raise ArgumentTypeError("a day such as 2026-11-29, or a time such as 2026-11-29T02:00:00Z")
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def executions(portal: Portal, console: Console, options: Namespace) -> Exit:
    """The newest first, or all that fit as a file."""
    wanted = {
        "runbook": options.runbook,
        "environment": options.env,
        "state": options.state,
        "requested_by": options.by,
        "q": options.q,
        "since": options.since,
        "until": options.until,
    }
    if options.saved:
        wanted = {**_saved(portal, options.saved), **{n: v for n, v in wanted.items() if v}}
    if options.csv:
        return _file(portal, console, "executions", wanted)
    items = list(portal.items("executions", limit=options.limit, **wanted))
    if options.json:
        console.say_json({"items": items})
    else:
        reading.tell(console, reading.executions(items))
    return Exit.SUCCEEDED


def audit(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Entries of the audit log, the newest first, or all that fit as a file."""
    wanted = {
        "action": options.action,
        "user": options.by,
        "subject": options.subject,
        "since": options.since,
        "until": options.until,
    }
    if options.csv:
        return _file(portal, console, "audit", wanted)
    items = list(portal.items("audit", limit=options.limit, **wanted))
    if options.json:
        console.say_json({"items": items})
        return Exit.SUCCEEDED
    rows: list[Mapping[str, str]] = [
        {
            "at": one["at"][:19].replace("T", " "),
            "who": one["user"] or "the portal",
            "what": one["action"] if one["allowed"] else f"{one['action']} (refused)",
            "about": visible(f"{one['subject']} {one['subject_id']}".strip()),
        }
        for one in items
    ]
    columns = {"at": "AT (UTC)", "who": "BY", "what": "ACTION", "about": "ABOUT"}
    reading.tell(console, table(rows, columns))
    return Exit.SUCCEEDED


def evidence(portal: Portal, console: Console, options: Namespace) -> Exit:
    """What an execution proves."""
    found = portal.get("executions", identify(portal, options.execution), "evidence")
    if options.json:
        console.say_json(found)
    else:
        reading.tell(console, list(_evidence(found, portal)))
    return Exit.SUCCEEDED


def compare(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Two executions side by side: what differs, or with --json everything."""
    named = (options.first.lstrip("#"), options.second.lstrip("#"))
    found = portal.get("executions", "compare", first=named[0], second=named[1])
    if options.json:
        console.say_json(found)
    else:
        reading.tell(console, list(_compared(found)))
    return Exit.SUCCEEDED


def _saved(portal: Portal, name: str) -> dict[str, str]:
    """What a filter that somebody keeps asks for. Raises Told."""
    kept = portal.get("executions", "filters")["items"]
    for one in kept:
        if one["name"] == name:
            return dict(parse_qsl(one["query"]))
    names = ", ".join(f"“{one['name']}”" for one in kept) or "none"
    text = f"You keep no filter “{name}”. Yours: {names}."
    raise Told(404, {"code": "not_found", "detail": text})


def _file(
    portal: Portal, console: Console, what: str, wanted: Mapping[str, str | int | None]
) -> Exit:
    for piece in portal.download(what, "export", "csv", **wanted):
        console.write(piece)
    return Exit.SUCCEEDED


def _evidence(found: Mapping[str, Any], portal: Portal) -> Iterator[str]:
    execution, version = found["execution"], found["version"]
    yield f"Evidence, as of {found['at']}"
    yield from reading.facts(execution, portal)
    yield f"Version {version['label'] or version['number']}, SHA-256 {version['content_hash']}"
    if version["commit"]:
        yield f"Commit {version['commit']} by {version['author']}"
    for review in version["reviews"]:
        yield f"Reviewed by {review['reviewer']} at {review['reviewed_at']}"
    if emergency := execution["emergency"]:
        who = f"{emergency['priority']}, declared by {emergency['declared_by']}"
        yield f"Emergency {who}: {emergency['reason']}"
    for one in execution["approvals"]:
        yield ""
        yield from reading.request(one)
    yield ""
    for one in found["people"]:
        until = f" to {one['left_at']}" if one["left_at"] else ""
        yield f"{one['user']}, {one['part']}: from {one['joined_at']}{until}"
    for mark in sorted(execution["checklists"], key=lambda mark: _MOMENTS.index(mark["moment"])):
        who = mark["confirmed_by"] or "the portal"
        done = f"{who} at {mark['confirmed_at']}" if mark["confirmed_at"] else "open"
        yield f"{mark['moment']}: {mark['text']}: {done}"
    yield ""
    for one in found["attempts"]:
        where = f" ({one['host']})" if one["host"] else ""
        code = "" if one["exit_code"] is None else f", exit {one['exit_code']}"
        digest = f", SHA-256 {one['output_digest']}" if one["output_digest"] else ""
        yield (
            f"{one['step']}{where}, attempt {one['attempt']}: {one['state']}{code}, "
            f"{one['output_size']} bytes{digest}"
        )
    yield ""
    for line in found["timeline"]:
        yield f"{line['at']}  {line['text']}{': ' + line['comment'] if line['comment'] else ''}"
    if found["cut"]:
        yield "The timeline is longer than this."


def _compared(found: Mapping[str, Any]) -> Iterator[str]:
    first, second = found["first"], found["second"]
    for one in (first, second):
        what = f"{one['runbook']} {one['version']}, {one['procedure']}, in {one['environment']}"
        yield f"#{one['number']} {what}: {one['state'].replace('_', ' ')}"
    differing = [one for one in found["variables"] if one["differs"]]
    for one in differing:
        yield f"  {one['name']}: {_or_none(one['first'])} → {_or_none(one['second'])}"
    steps = [one for one in found["steps"] if one["differs"]]
    for one in steps:
        sides = " → ".join(
            "not there" if side is None else side["state"] for side in (one["first"], one["second"])
        )
        where = f" ({one['host']})" if one["host"] else ""
        yield f"{one['id']}{where}: {sides}"
        if (output := one["output"]) and output["differs"]:
            yield f"   {output['text']}"
            yield f"   - {_or_none(output['first'])}"
            yield f"   + {_or_none(output['second'])}"
    equal = len(found["variables"]) - len(differing), len(found["steps"]) - len(steps)
    yield f"{equal[0]} variables and {equal[1]} steps do not differ."


def _or_none(value: str | None) -> str:
    return "not there" if value is None else value
