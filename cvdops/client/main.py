"""`cvdops`: the runbooks of a remote portal from a command line, by its API."""

import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cvdops.client import acting, arguments, history, reading
from cvdops.client.following import Away
from cvdops.client.place import Unset, place
from cvdops.client.story import Exit
from cvdops.client.wire import Portal, Told
from cvdops.lib.console import Console
from cvdops.lib.lessons import LessonFormatter, lesson

Command = Callable[[Portal, Console, Namespace], Exit]

_DONE = ((0, "done"), (2, "not done: bad input, not allowed, or the portal cannot be reached"))
_RUN = (
    (
        "cvdops run backup-restore --procedure backup-database --env development "
        '--reason "before the release" --confirm-checklist --follow',
        "take a backup and watch it",
    ),
    (
        "cvdops run deployment --procedure deploy --env development --var TARGET_VERSION=v1.0.1 --dry-run",
        "show what would run, start nothing",
    ),
)
_STEPS = {
    "confirm": "confirm a step for people, with every item of its list",
    "retry": "run a step again that did not succeed",
    "skip": "go on without a step that did not succeed (for Leads, with --comment)",
    "settle": "say that a step was done by hand, or is not needed (for Leads, with --comment)",
}
_CONTROLS = {
    "pause": "let the running step end, then stop before the next one",
    "resume": "let it go on",
    "cancel": "stop the running step and start nothing after it",
    "rollback": "undo what was done, newest first",
}


def main() -> None:
    """The entry point. Nothing that anybody could type ends in a stack trace."""
    console = Console(sys.stdout, sys.stderr, sys.stdin)
    options = _parser().parse_args()
    try:
        code = int(options.do(Portal(place()), console, options))
    except (Told, Away, Unset) as error:
        own = {"code": getattr(error, "code", ""), "detail": str(error)}
        document = error.document if isinstance(error, Told) else own
        if options.json:
            console.say_json({"error": document})
        console.tell(console.painted(f"Error: {error}", "bad"))
        code = Exit.REFUSED
    except KeyboardInterrupt:
        code = Exit.STOPPED
    sys.exit(int(code))


class _Parser(ArgumentParser):
    """Says what it does not understand as JSON, too, where that is asked for."""

    def error(self, message: str) -> NoReturn:
        if "--json" in sys.argv:
            console = Console(sys.stdout, sys.stderr)
            console.say_json({"error": {"code": "usage", "detail": message}})
        super().error(message)


def _parser() -> ArgumentParser:
    parser = _Parser(
        "cvdops",
        description="A remote portal. CVDOPS_URL and CVDOPS_TOKEN say where it is and who asks; "
        "so do the same two lines in ~/.config/cvdops/config, which nobody but you may read (mode 600).",
        epilog=lesson(
            (
                ("cvdops runbooks deployment", "its procedures and variables"),
                _RUN[0],
                ("cvdops executions --state waiting", "what waits"),
                ("cvdops watch 42", "follow number 42 from its beginning"),
            ),
            arguments.EXITS,
        ),
        formatter_class=LessonFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _reading(commands)
    _looking_back(commands)
    _acting(commands)
    _controlling(commands)
    return parser


def _add(
    commands: "_SubParsersAction[_Parser]",
    name: str,
    do: Command,
    says: str,
    *examples: tuple[str, str],
    exits: tuple[tuple[int, str], ...] = _DONE,
) -> ArgumentParser:
    parser = commands.add_parser(
        name,
        help=says,
        description=f"{says[0].upper()}{says[1:]}.",
        epilog=lesson(examples, exits),
        formatter_class=LessonFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.set_defaults(do=do)
    return parser


def _reading(commands: "_SubParsersAction[_Parser]") -> None:
    one = _add(
        commands,
        "runbooks",
        reading.runbooks,
        "what there is to run; of one, its procedures and variables",
        ("cvdops runbooks", "all that you may see"),
        ("cvdops runbooks deployment", "what it needs to be started"),
    )
    one.add_argument("runbook", nargs="?", default="", metavar="RUNBOOK")
    one.add_argument("--category", help="those of one category")
    one = _add(
        commands,
        "executions",
        history.executions,
        "what runs and ran, newest first",
        ("cvdops executions --env production --state waiting", "what waits in production"),
        ("cvdops executions --json --limit 1", "the newest, for a program"),
        ("cvdops executions --since 2026-11-01 --csv > november.csv", "all of them, as a file"),
    )
    for flag, says in (
        ("runbook", "of this runbook"),
        ("env", "in this environment"),
        ("state", "in this state, such as waiting"),
        ("by", "asked for by this user"),
        ("q", "words of the reason or title"),
    ):
        one.add_argument(f"--{flag}", metavar=flag.upper(), help=says)
    one.add_argument(
        "--saved", metavar="NAME", help="by this filter that you keep; flags beside it count"
    )
    _times(one)
    _listed(one)
    one = _add(
        commands,
        "show",
        reading.show,
        "one execution with its steps",
        ("cvdops show 42", "number 42"),
        ("cvdops show 42 --json", "as the API gives it"),
    )
    _execution(one)
    one = _add(
        commands,
        "plan",
        reading.plan,
        "what an execution runs: every command with its values and hosts",
        ("cvdops plan 42", "as who approves it sees it"),
    )
    _execution(one)
    one = _add(
        commands,
        "output",
        reading.output,
        "what a step has written, byte for byte",
        ("cvdops output 42 take-the-backup > backup.log", "into a file"),
        ("cvdops output 42 take-the-backup --json", "as text, or in base64 what is no UTF-8"),
    )
    _execution(one)
    one.add_argument("step", metavar="STEP", help="its id, as `show` names it")
    one.add_argument("--host", default="", help="which one, of a step that ran on several")
    one.add_argument(
        "--attempt", type=arguments.count, metavar="N", help="which one (default: the last)"
    )
    one.add_argument(
        "--offset", type=arguments.count, default=0, metavar="N", help="from this byte on"
    )
    one = _add(
        commands,
        "approvals",
        reading.approvals,
        "the requests for approval that wait",
        ("cvdops approvals", "what could be decided"),
    )
    one.add_argument("--all", action="store_true", help="those that were decided, too")
    one.add_argument(
        "--limit", type=arguments.count, default=50, metavar="N", help="so many (default: 50)"
    )
    one = _add(
        commands,
        "lint",
        reading.lint,
        "hold a runbook to the rules of the portal",
        ("cvdops lint RESTART_THE_SERVICE.md", "like a compiler"),
        exits=((0, "no error"), (1, "at least one error"), (2, "it could not be checked")),
    )
    one.add_argument("file", type=Path, metavar="FILE")


def _looking_back(commands: "_SubParsersAction[_Parser]") -> None:
    one = _add(
        commands,
        "evidence",
        history.evidence,
        "what an execution proves: who, what, which version, digests of all output",
        ("cvdops evidence 42 --json > 42.json", "for an audit"),
    )
    _execution(one)
    one = _add(
        commands,
        "compare",
        history.compare,
        "what differs between two executions",
        ("cvdops compare 41 42", "variables, steps, and the first line of each output"),
    )
    one.add_argument("first", metavar="FIRST", help="the number or id of one")
    one.add_argument("second", metavar="SECOND", help="and of another one")
    one = _add(
        commands,
        "audit",
        history.audit,
        "the audit log, newest first, for those who may read it",
        ("cvdops audit --by devops-engineer --action approval.", "what somebody decided"),
        ("cvdops audit --since 2026-11-01 --csv > audit.csv", "with the hash of each entry"),
    )
    for flag, says in (
        ("action", "how its code begins, such as execution."),
        ("by", "done by this user"),
        ("subject", "a kind of thing, or the id of one"),
    ):
        one.add_argument(f"--{flag}", metavar=flag.upper(), help=says)
    _times(one)
    _listed(one)


def _acting(commands: "_SubParsersAction[_Parser]") -> None:
    one = _add(
        commands, "run", acting.run, "start a runbook and wait for its end", *_RUN,
        exits=arguments.EXITS,
    )  # fmt: skip
    arguments.add_start(one)
    one = _add(
        commands,
        "watch",
        acting.watch,
        "follow an execution, from its beginning",
        ("cvdops watch 42", "until its end, or Ctrl-C"),
        ("cvdops watch 42 --wait 2h", "in a script: wait two hours for an approval"),
        exits=arguments.EXITS,
    )
    _execution(one)
    arguments.add_wait(one, "30s; on a terminal until Ctrl-C")
    one.set_defaults(follow=True)
    for name, do in (("approve", acting.approve), ("reject", acting.reject)):
        comment = '--comment "seen"' if name == "approve" else '--comment "not on a Friday"'
        one = _add(
            commands,
            name,
            do,
            f"show a request for approval, then {name} it",
            (f"cvdops {name} ID {comment}", "at a terminal: you are asked what you have read"),
            (f"cvdops {name} ID --digest DIGEST {comment}", "in a script: exactly this plan"),
        )
        one.add_argument("approval", metavar="ID", help="of the request, or of its execution")
        one.add_argument("--digest", default="", help="the plan digest of what you have read")
        _comment(one)


def _controlling(commands: "_SubParsersAction[_Parser]") -> None:
    for name, says in _CONTROLS.items():
        one = _add(commands, name, acting.control, says, (f"cvdops {name} 42", "number 42"))
        _execution(one)
        _comment(one)
    for name, says in _STEPS.items():
        typed = f"cvdops {name} 42 take-the-backup --comment 'as agreed'"
        one = _add(commands, name, acting.step, says, (typed, "this step of number 42"))
        _execution(one)
        one.add_argument("step", metavar="STEP", help="its id, as `show` names it")
        one.add_argument("--host", default="", help="which one, of a step that runs on several")
        if name == "settle":
            one.add_argument(
                "--outcome",
                choices=("succeeded", "skipped"),
                default="succeeded",
                help="what became of it, as you have seen (default: succeeded)",
            )
        _comment(one)


def _times(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--since", type=history.moment, metavar="TIME", help="from this day (UTC) or time on"
    )
    parser.add_argument(
        "--until", type=history.moment, metavar="TIME", help="before this day (UTC) or time"
    )


def _listed(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=arguments.count, default=20, metavar="N", help="so many (default: 20)"
    )
    parser.add_argument(
        "--csv", action="store_true", help="all that fit instead, oldest first, as a CSV file"
    )


def _execution(parser: ArgumentParser) -> None:
    parser.add_argument("execution", metavar="EXECUTION", help="its number or id")


def _comment(parser: ArgumentParser) -> None:
    parser.add_argument("--comment", default="", metavar="TEXT", help="others will read it")
