"""The commands that do something: start, watch, decide, control."""

import time
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from cvdops.client import arguments, plans, reading
from cvdops.client.following import Following, patience
from cvdops.client.reading import identify
from cvdops.client.story import Exit, Story
from cvdops.client.watched import Watched
from cvdops.client.wire import Portal, Told
from cvdops.lib.console import Console
from cvdops.lib.visible import visible

LIMIT = 600.0  # seconds after which no worker begins a test of a host any more
TICK = 0.5  # seconds between two looks


def run(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Start a runbook and see it to its end."""
    try:
        made = portal.post("executions", body=_start(options))
    except Told as error:
        raise _with_flags(error) from None
    if options.dry_run:
        return _rehearsed(portal, made, console, options)
    console.tell(f"#{made['number']} was started: {portal.page(made['url'])}")
    return _follow(portal, console, made["id"], options)


def watch(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Follow an execution, from its beginning on."""
    return _follow(portal, console, identify(portal, options.execution), options)


def _follow(portal: Portal, console: Console, execution: str, options: Namespace) -> Exit:
    story = Story(console, outputs=options.follow, aside=options.json)
    limit = patience(options.wait, follow=options.follow, attended=console.attended)
    source = Watched(portal, execution)
    try:
        code, _look = Following(source, console, story, limit).run()
    finally:
        source.stop()
    if options.json:
        console.say_json(portal.get("executions", execution))
    return code


def _start(options: Namespace) -> dict[str, object]:
    body: dict[str, object] = {
        "runbook": options.runbook,
        "environment": options.env,
        "variables": dict(options.var),
        "reason": options.reason,
    }
    if options.procedure:
        body["procedure"] = options.procedure
    if options.confirm_environment:
        body["confirm_environment"] = options.confirm_environment
    if options.confirm_checklist:
        body["checklist"] = "confirmed"
    if options.dry_run:
        body["dry_run"] = True
    return body


def _with_flags(error: Told) -> Told:
    """The same, and by which flags it is mended."""
    found = error.document.get("problems", ())
    problems = [(str(one.get("field", "")), str(one.get("message", ""))) for one in found]
    told = [{"field": field, "message": text} for field, text in arguments.with_flags(problems)]
    return Told(error.status, {**error.document, "problems": told})


def _rehearsed(
    portal: Portal, made: Mapping[str, Any], console: Console, options: Namespace
) -> Exit:
    """The plan, and what its hosts say, as far as a worker has asked them in the time that they have."""
    checks = _answered(portal, made, console)
    if options.json:
        console.say_json({**made, "checks": checks})
    else:
        what = f"{made['runbook']} {made['version']}, {made['procedure']}"
        lines = [f"{what}, in {made['environment']}:"]
        lines += plans.steps(made["steps"], made["rollback"])
        lines += [f"Not now: {reason['text']}" for reason in made["not_now"]]
        for check in checks:
            lines.append(f"{check['host']}: {_ready(check)}")
            lines += [f"   {name}: {text}" for name, text in check["found"].items()]
        for line in (*lines, "Nothing was started or changed."):
            console.say(visible(line))
    if any(check["good"] is None for check in checks):
        return Exit.WAITING
    good = all(check["good"] for check in checks) and not made["not_now"]
    return Exit.SUCCEEDED if good else Exit.FAILED


def _ready(check: Mapping[str, Any]) -> str:
    if check["good"] is None:
        waits = check.get("waiting_for")
        return (
            f"not asked. {waits['text']}" if waits else "not asked. No worker has done it in time."
        )
    return "ready" if check["good"] else "not ready"


def _answered(portal: Portal, made: Mapping[str, Any], console: Console) -> list[dict[str, Any]]:
    """The tests of the hosts as they are when all are done, or no worker lives who does them."""
    checks = [dict(check) for check in made["checks"]]
    if checks:
        console.tell("Its hosts are asked for what the steps need.")
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        asked = [one for one in checks if one["good"] is None and not one.get("waiting_for")]
        if not asked:
            break
        time.sleep(TICK)
        for check in asked:
            place = ("environments", made["environment"], "hosts", check["host"])
            newest = portal.get(*place)["test"]
            if newest and newest["id"] == check["id"]:
                check |= newest
    return checks


def approve(portal: Portal, console: Console, options: Namespace) -> Exit:
    return _decide(portal, console, options, "approve")


def reject(portal: Portal, console: Console, options: Namespace) -> Exit:
    return _decide(portal, console, options, "reject")


def _decide(portal: Portal, console: Console, options: Namespace, decision: str) -> Exit:
    """Show what it is, then decide on exactly that: by its digest, or by a yes at a terminal."""
    wanted = _request(portal, options.approval)
    execution = portal.get("executions", wanted["execution"])
    plan = portal.get("executions", wanted["execution"], "plan")
    about = (*reading.facts(execution, portal), "", *reading.steps(execution))
    what = plans.plan(plan, wanted["environment"], wanted["gate"])
    if not options.json or console.attended:
        for line in (*about, "", *what, "", *reading.request(wanted)):
            console.tell(visible(line))
    digest = options.digest
    if not digest:
        digest = _agreed(console, wanted, decision, plan)
    body = {"decision": decision, "plan_digest": digest, "comment": options.comment}
    made = portal.post("approvals", wanted["id"], "decide", body=body)
    if options.json:
        console.say_json({**made, "plan": plan})
    else:
        console.say(visible(f"{made['title']}: {made['state']}."))
    return Exit.SUCCEEDED


def _agreed(
    console: Console, wanted: Mapping[str, Any], decision: str, plan: Mapping[str, Any]
) -> str:
    """The digest of what a person has read and said yes to. Raises Told, with the request and its plan."""
    digest = str(wanted["plan_digest"])
    again = f"Read it, and name what you have read: --digest {digest}"
    if not console.attended:
        text = f"Nothing was decided. {again}"
        raise Told(0, {"code": "unread", "detail": text, "request": wanted, "plan": plan})
    question = f"{decision.capitalize()} this? Type the first eight characters of its plan digest:"
    if console.ask(question) != digest[:8].lower():
        raise Told(0, {"code": "unread", "detail": "Nothing was decided."})
    return digest


def _request(portal: Portal, named: str) -> Mapping[str, Any]:
    for found in portal.items("approvals", limit=1000, state="open"):
        if found["id"] == named or found["execution"] == named:
            return found
    text = f"No request {named} is open, or you may not see it. See: cvdops approvals"
    raise Told(404, {"code": "not_found", "detail": text})


def control(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Pause, resume, cancel, roll back."""
    execution = identify(portal, options.execution)
    body = {"comment": options.comment}
    made = portal.post("executions", execution, options.command, body=body)
    return _done(made, console, options)


def step(portal: Portal, console: Console, options: Namespace) -> Exit:
    """Confirm, retry, skip, settle a step."""
    execution = identify(portal, options.execution)
    body: dict[str, object] = {"comment": options.comment}
    if options.host:
        body["host"] = options.host
    if getattr(options, "outcome", None):
        body["outcome"] = options.outcome
    path = ("executions", execution, "steps", options.step, options.command)
    return _done(portal.post(*path, body=body), console, options)


def _done(made: Mapping[str, Any], console: Console, options: Namespace) -> Exit:
    if options.json:
        console.say_json(made)
        return Exit.SUCCEEDED
    asked = f", {made['intent'].replace('_', ' ')} is asked for" if made.get("intent") else ""
    waits = f": {made['waiting_for']['text']}" if made["waiting_for"] else ""
    console.say(visible(f"#{made['number']} is {made['state'].replace('_', ' ')}{asked}{waits}."))
    return Exit.SUCCEEDED
